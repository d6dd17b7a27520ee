// One probability per label: a bar each, the answer first and large.

import { h } from "../dom.js";
import { percent } from "../numbers.js";

const SHOWN = 5;

export function draw(output, { label, probability, top = [], threshold }) {
  const others = top.filter(([name]) => name !== label);
  const shown = others.slice(0, SHOWN - 1);
  const rest = others.slice(SHOWN - 1);
  return [
    bars([[label, probability]], "winner", output),
    threshold !== undefined &&
      h("p", { class: "hint" }, `No label reached ${percent(threshold)}, so the answer is “${label}”.`),
    bars(shown, "", output),
    rest.length > 0 &&
      h("details", {}, h("summary", {}, offer(top.length, output.labels.length)), bars(rest, "", output)),
    threshold === undefined && needed(output),
  ];
}

// The service gives a thousand labels at most.
const offer = (given, all) => (given < all ? `Show the first ${given} of ${all} labels` : `Show all ${all} labels`);

function needed({ threshold, otherwise }) {
  if (!otherwise) return null;
  return h("p", { class: "hint" }, `Where no label reaches ${percent(threshold)}, the answer is “${otherwise}”.`);
}

const bars = (pairs, kind, { otherwise, threshold }) =>
  pairs.length > 0 &&
  h("ol", { class: `bars ${kind}` }, pairs.map(([label, share]) => bar(label, share, otherwise ? threshold : null)));

function bar(label, share, threshold) {
  const filled = h("span", { class: "filled" });
  filled.style.inlineSize = `${100 * share}%`;
  const mark = threshold === null ? null : h("span", { class: "mark" });
  if (mark) mark.style.insetInlineStart = `${100 * threshold}%`;
  return h(
    "li",
    {},
    h("span", { class: "label" }, label),
    h("data", { value: share }, percent(share)),
    h("span", { class: "track", "aria-hidden": "true" }, filled, mark),
  );
}
