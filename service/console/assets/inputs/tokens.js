// A text: how many words the model reads in it, and which of them it never saw. The service counts, as it reads to predict.

import * as api from "../api.js";
import { find, h } from "../dom.js";
import { model } from "../model.js";
import { count, whole } from "../numbers.js";

const PAUSE = 200; // milliseconds after the last key
const MOST_NAMED = 8;
const MOST_READ = 100_000; // characters, as service/reading.py has it; what is longer is not counted

export function mount(field, input, changed) {
  const name = field.dataset.name;
  const box = find("textarea", field);
  const length = find(".count", field);
  const most = find(".most", field);
  const unknown = find("[role=status]", field);
  const line = find(".words", field);
  let waiting;
  let asking = new AbortController();

  function look() {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE);
  }

  async function ask() {
    asking.abort();
    const mine = (asking = new AbortController());
    if (box.value.length > MOST_READ) return show(null);
    try {
      const read = await api.tokens(model.name, { [name]: box.value }, { version: model.version, signal: mine.signal });
      show(read[name]);
    } catch (error) {
      if (error.name !== "AbortError") show(null); // a prediction will tell what is wrong
    }
  }

  function show(read) {
    if (most) most.hidden = Boolean(read);
    length.textContent = read ? counted(read, input) : "";
    length.classList.toggle("over", Boolean(read) && !input.length && read.count > read.most);
    const strange = read ? read.words.filter(([, id]) => id === input.unknown_id).map(([word]) => word) : [];
    unknown.textContent = read && read.unknown ? never(read.unknown, strange) : "";
    line.hidden = !strange.length;
    line.replaceChildren(...(strange.length ? marked(read.words, input.unknown_id) : []));
  }

  box.addEventListener("input", () => {
    look();
    changed();
  });
  return {
    read: () => box.value,
    fill(value) {
      box.value = typeof value === "string" ? value : JSON.stringify(value);
      ask();
    },
  };
}

const words = (number) => count(number, "word");

const counted = (read, input) => (input.length ? `${words(read.count)}.` : `${whole(read.count)} of at most ${words(read.most)}.`);

function never(unknown, strange) {
  const different = [...new Set(strange.map((word) => word.replace(/^[!-/:-@[-`{-~]+|[!-/:-@[-`{-~]+$/g, "")))];
  const named = different.slice(0, MOST_NAMED).map((word) => `“${word}”`);
  return `${words(unknown)} the model never saw: ${named.join(", ")}${different.length > MOST_NAMED ? " …" : ""}`;
}

const marked = (read, unknown) =>
  read.flatMap(([word, id]) => [id === unknown ? h("mark", { class: "unknown" }, word) : word, " "]);
