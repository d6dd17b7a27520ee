// A quantity: large, with its unit; on its scale where it has one, and beside the answers of the model’s test.

import { h } from "../dom.js";
import { digits, percent } from "../numbers.js";
import { gauge } from "./gauge.js";
import { histogram, place } from "./histogram.js";

export function draw({ unit, minimum, maximum }, { value }, features) {
  const said = h("p", { class: "verdict" }, h("strong", {}, h("data", { value }, digits(value))), unit && ` ${unit}`);
  if (!Number.isFinite(value)) return [said];
  const scaled = Number.isFinite(minimum) && Number.isFinite(maximum);
  const known = features.find((feature) => feature.edges && feature.feature === "value");
  return [
    said,
    scaled && gauge(value, minimum, maximum),
    known && histogram(known, value, unit),
    known && h("p", { class: "hint" }, compared(place(known, value))),
  ];
}

function compared(share) {
  if (share <= 0) return "Lower than every answer in the model’s test.";
  if (share >= 1) return "Higher than every answer in the model’s test.";
  return `Higher than ${percent(Math.round(100 * share) / 100)} of the answers in the model’s test.`;
}
