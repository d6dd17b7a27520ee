// Several rows at once: a table or a list goes in, and what comes of it out below.

import { Problem } from "../api.js";
import { find, h } from "../dom.js";
import { count, duration } from "../numbers.js";
import { told } from "../problems.js";
import { isOpen } from "./ask.js";
import { given } from "./given.js";
import { read } from "./read.js";
import { faulty, table } from "./results.js";
import { example } from "./sample.js";

const PREVIEWED = 5;
const FAULTS = 10;

// `asker(rows)` is what asks them, as ask.js has it; `drawn(rows)` are {actions, results}: links, and what stands below.
export function mount(section, model, asker, drawn) {
  const [start, stop, sample] = ["#rows-start", "#rows-stop", "#rows-sample"].map((id) => find(id, section));
  const [preview, results] = ["#rows-preview", "#rows-results"].map((id) => find(id, section));
  const [bar, said, fault] = ["progress", "[role=status]", "#rows-fault"].map((id) => find(id, section));
  const { take, whole } = given(section, look);
  let stopped = new AbortController();

  // Read what is there; its rows, or null where that cannot be.
  function look() {
    end();
    refuse(null);
    said.textContent = "";
    results.replaceChildren();
    preview.replaceChildren();
    if (!whole().trim()) return null;
    try {
      const { rows, left } = read(whole(), model.inputs);
      const first = rows.length > PREVIEWED ? `, of which these are the first ${PREVIEWED}` : "";
      const rest = left.length > 0 && ` No input, and left out: ${left.join(", ")}.`;
      const about = h("p", { class: "hint" }, `${count(rows.length, "row")}${first}.`, rest);
      preview.replaceChildren(about, table(model, rows, PREVIEWED, false));
      return rows;
    } catch (error) {
      refuse(error);
      return null;
    }
  }

  function refuse(error) {
    fault.textContent = error ? told(error) : "";
    fault.hidden = !error;
    find("textarea", section).setAttribute("aria-invalid", Boolean(error) && !(error instanceof Problem));
  }

  function begin() {
    const rows = look();
    if (rows) ask(rows, asker(rows));
    else if (fault.hidden) refuse(new Error("Paste some rows first, or open a file."));
  }

  // Ask those that are open; so many milliseconds have been asked for already.
  async function ask(rows, asking, before = 0) {
    refuse(null);
    preview.replaceChildren();
    results.replaceChildren();
    const mine = (stopped = new AbortController());
    busy(true);
    const began = performance.now() - before;
    try {
      await asking({ signal: mine.signal, onProgress });
    } catch (problem) {
      if (problem.name !== "AbortError") refuse(problem);
    }
    if (mine !== stopped) return;
    busy(false);
    const milliseconds = performance.now() - began;
    show(rows, milliseconds, () => ask(rows, asking, milliseconds));

    function onProgress(done, pause) {
      const held = pause ? ` The service is busy: it is asked again in ${duration(pause)}.` : "";
      Object.assign(bar, { max: rows.length, value: done });
      said.textContent = `${done} of ${count(rows.length, "row")}.${held}`;
    }
  }

  // What is under way is of other rows than those that stand there now.
  function end() {
    stopped.abort();
    stopped = new AbortController();
    busy(false);
  }

  function busy(is) {
    if (document.activeElement === stop) start.focus();
    bar.hidden = stop.hidden = !is;
  }

  // What came of it; `goOn` asks those that are still open.
  function show(rows, milliseconds, goOn) {
    const answered = rows.filter(({ answer }) => answer).length;
    const wrong = faulty(rows);
    const open = rows.filter(isOpen).length;
    const speed = answered && milliseconds ? `, ${count(Math.round((1000 * answered) / milliseconds), "row")} per second` : "";
    const rest = open ? ` ${count(open, "row")} not asked.` : "";
    said.textContent = `${count(answered, "row")} answered in ${duration(milliseconds)}${speed}.${rest}`;
    const again = h("button", { type: "button", onclick: () => {
      goOn();
      stop.focus();
    } }, "Go on");
    const { actions, results: below } = drawn(rows);
    results.replaceChildren(
      h("div", {}, wrong.length > 0 && refused(wrong), h("p", { class: "actions" }, open > 0 && again, actions), below),
    );
  }

  sample.addEventListener("click", () => take(example(model)));
  start.addEventListener("click", begin);
  stop.addEventListener("click", () => stopped.abort());
}

function refused(wrong) {
  const more = wrong.length - FAULTS;
  return h(
    "div",
    { class: "fault" },
    h("p", {}, "These were refused:"),
    h("ul", {}, wrong.slice(0, FAULTS).map((said) => h("li", {}, said)), more > 0 && h("li", {}, `and ${more} more`)),
  );
}
