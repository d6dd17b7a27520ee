// A word beside an answer whose inputs have changed since: what is shown belongs to what was asked.

import { h } from "./dom.js";
import * as form from "./form.js";

// `title` is the answer's heading; what comes back is called when a new answer, or none, is shown.
export function outdated(title) {
  const word = h("span", { class: "chip" }, "the inputs have changed since");
  let shown = false;
  form.onChange(() => shown && title.append(" ", word));
  return (is) => {
    shown = is;
    word.remove();
  };
}
