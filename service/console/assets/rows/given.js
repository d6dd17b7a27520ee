// The text that rows are read from: typed or pasted, or a file, opened or dropped. `changed` hears of every other.

import { find } from "../dom.js";
import { dropped, text as read } from "../inputs/files.js";
import { count } from "../numbers.js";

const IN_HAND = 200_000; // characters that the text area takes; a larger file is kept beside it

export function given(section, changed) {
  const [text, file, chosen] = ["#rows-text", "#rows-file", "#rows-chosen"].map((id) => find(id, section));
  let large = null; // the text of a large file

  function take(whole, name) {
    large = whole.length > IN_HAND ? whole : null;
    text.value = large ? "" : whole;
    chosen.textContent = name ? `${name}, ${count(whole.length, "character")}` : "";
    changed();
  }

  async function open(one) {
    const said = await read(one);
    if (said === null) chosen.textContent = `${one.name} cannot be read.`;
    else take(said, one.name);
  }

  text.addEventListener("input", () => take(text.value));
  file.addEventListener("change", () => {
    if (file.files.length) open(file.files[0]);
    file.value = "";
  });
  dropped(text, open);

  return { take, whole: () => large ?? text.value };
}
