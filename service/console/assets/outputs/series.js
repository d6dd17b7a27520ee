// Numbers in a row: a bar each, from zero; of many, a line.

import { bounds } from "../arrays.js";
import { h, svg } from "../dom.js";
import { count, withUnit } from "../numbers.js";
import { matrix } from "./matrix.js";

const WIDTH = 320;
const HEIGHT = 72;
const TABLED = 1000;

export function row(numbers, unit) {
  const [least, most] = bounds([...numbers, 0]);
  const at = (number) => (100 * (number - least)) / (most - least || 1);
  const bar = (number, index) => {
    const filled = h("span", { class: "filled" });
    filled.style.insetInlineStart = `${Math.min(at(0), at(number))}%`;
    filled.style.inlineSize = `${Math.abs(at(number) - at(0))}%`;
    const track = h("span", { class: "track", "aria-hidden": "true" }, filled);
    return h("li", {}, h("span", { class: "label" }, index + 1), h("data", { value: number }, withUnit(number, unit)), track);
  };
  return [h("ol", { class: "bars signed" }, numbers.map(bar))];
}

export function series(numbers, unit) {
  const [least, most] = bounds(numbers);
  const x = (index) => (WIDTH * index) / (numbers.length - 1);
  const y = (number) => HEIGHT - (HEIGHT * (number - least)) / (most - least || 1);
  const points = numbers.map((number, index) => (Number.isFinite(number) ? `${x(index).toFixed(1)},${y(number).toFixed(1)}` : null));
  const name = `${count(numbers.length, "number")} in a row, from ${withUnit(least, unit)} to ${withUnit(most, unit)}`;
  return [
    svg(
      "svg",
      { class: "series", viewBox: `-4 -14 ${WIDTH + 8} ${HEIGHT + 36}`, role: "img", "aria-label": name },
      svg("polyline", { points: points.filter(Boolean).join(" ") }),
      svg("text", { x: 0, y: -4 }, withUnit(most, unit)),
      svg("text", { x: 0, y: HEIGHT + 16 }, withUnit(least, unit)),
    ),
    h("p", { class: "hint" }, `${name}.`),
    numbers.length <= TABLED && h("details", {}, h("summary", {}, "As a table"), matrix([numbers], unit, { shaded: false })),
  ];
}
