// A table of numbers; those far from zero stand on darker ground.

import { bounds } from "../arrays.js";
import { h } from "../dom.js";
import { digits } from "../numbers.js";
import { head, scrolled, table } from "../tables.js";

export function matrix(array, unit, { shaded = true } = {}) {
  const most = Math.max(...bounds(array).map(Math.abs)) || 1;
  const cell = (number) => {
    const made = h("td", { class: "number" }, h("data", { value: number }, digits(number)));
    if (shaded) made.style.setProperty("--share", Math.abs(number) / most);
    return made;
  };
  const columns = array[0].map((_, at) => head(at + 1, true));
  const rows = array.map((numbers, at) => h("tr", {}, h("th", { scope: "row" }, at + 1), numbers.map(cell)));
  const corner = h("td", {}, h("span", { class: "visually-hidden" }, "Row, column"));
  return [
    scrolled("Numbers by row and column", table([corner, columns], rows, { class: "matrix" })),
    unit && h("p", { class: "hint" }, `In ${unit}.`),
  ];
}
