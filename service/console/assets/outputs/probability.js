// Yes or no: one bar, shared by both labels, and the place from which on it is yes.

import { h } from "../dom.js";
import { percent } from "../numbers.js";

export function draw({ labels: [no, yes], threshold }, { label, probability }) {
  const sure = label === yes ? probability : 1 - probability;
  const said = h("p", { class: "verdict" }, h("strong", {}, label), " ", h("data", { value: probability }, percent(probability)));
  if (!Number.isFinite(probability)) return [said];
  return [
    said,
    track(1 - sure, 1 - threshold, label === yes),
    h("p", { class: "ends", "aria-hidden": "true" }, h("span", {}, `${no} ${percent(1 - sure)}`), h("span", {}, `${yes} ${percent(sure)}`)),
    h("p", { class: "hint" }, `It says “${yes}” from ${percent(threshold)} on, else “${no}”.`),
  ];
}

// `no` takes its share from the left; where it ends left of the mark, the answer is yes.
function track(no, mark, isYes) {
  const part = (share, wins) => {
    const filled = h("span", { class: wins ? "filled wins" : "filled" });
    filled.style.inlineSize = `${100 * share}%`;
    return filled;
  };
  const line = h("span", { class: "mark" });
  line.style.insetInlineStart = `${100 * mark}%`;
  return h("span", { class: "track shared", "aria-hidden": "true" }, part(no, !isYes), part(1 - no, isYes), line);
}
