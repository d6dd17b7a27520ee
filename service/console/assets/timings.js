// How long one answer took, and where: in the model, in its queue, and on the way there and back.

import { h } from "./dom.js";
import { model } from "./model.js";
import { count, duration } from "./numbers.js";

export function draw({ total, queue, rows, infer }, { name, device } = model.engine) {
  const known = Number.isFinite(infer) && Number.isFinite(queue);
  const parts = known ? [["model", infer], ["queue", queue], ["way", Math.max(total - infer - queue, 0)]] : [];
  return h(
    "div",
    { class: "timing" },
    known && bar(parts, total),
    h(
      "p",
      { class: "hint" },
      `${duration(total)} in all`,
      known && [": ", part("model", `${duration(infer)} in the model`), ", ", part("queue", `${duration(queue)} in the queue`), ", ", part("way", "the rest on the way")],
      ". ",
      Number.isFinite(rows) && `${count(rows, "row")} in its batch. `,
      `Answered by ${name} on ${device}.`,
    ),
  );
}

const part = (kind, said) => h("span", { class: "part" }, h("span", { class: `swatch ${kind}`, "aria-hidden": "true" }), said);

function bar(parts, total) {
  const filled = parts.map(([kind, milliseconds]) => {
    const made = h("span", { class: kind });
    made.style.inlineSize = `${(100 * milliseconds) / total}%`;
    return made;
  });
  return h("span", { class: "spent", "aria-hidden": "true" }, filled);
}
