// A matrix as a picture, a colour per number; the pointer, or the arrow keys, tell one number.

import { bounds } from "../arrays.js";
import { h } from "../dom.js";
import { withUnit } from "../numbers.js";
import { matrix } from "./matrix.js";
import { colour, gradient } from "./palette.js";

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const TABLED = 4096; // numbers that a table shows; a page with more of them is slow

export function map(array, unit) {
  const [least, most] = bounds(array);
  const [rows, columns] = [array.length, array[0].length];
  const told = h("output", {}, "Point at a part, or use the arrow keys, to read its number.");
  const cursor = h("span", { class: "cursor", hidden: true });
  const name = `Map of ${rows} × ${columns} numbers, from ${withUnit(least, unit)} to ${withUnit(most, unit)}. The arrow keys read them.`;
  const frame = h("div", { class: "map", role: "group", tabindex: 0, "aria-label": name }, painted(array, least, most), cursor);
  frame.style.aspectRatio = `${columns} / ${rows}`;

  let here = null;
  function go(row, column) {
    here = [clamp(row, rows), clamp(column, columns)];
    const [top, left] = here;
    const value = array[top][left];
    told.textContent = `Row ${top + 1}, column ${left + 1}: ${withUnit(value, unit)}`;
    cursor.hidden = false;
    const { style } = cursor;
    [style.top, style.left] = [`${(100 * top) / rows}%`, `${(100 * left) / columns}%`];
    [style.height, style.width] = [`${100 / rows}%`, `${100 / columns}%`];
  }
  frame.addEventListener("pointermove", (event) => {
    const box = frame.getBoundingClientRect();
    go(Math.floor((rows * (event.clientY - box.top)) / box.height), Math.floor((columns * (event.clientX - box.left)) / box.width));
  });
  frame.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    if (here) go(here[0] + move[0], here[1] + move[1]);
    else go(0, 0);
  });

  return [
    frame,
    legend(least, most, unit),
    h("p", { class: "hint", "aria-live": "polite" }, told),
    rows * columns <= TABLED && h("details", {}, h("summary", {}, "As a table"), matrix(array, unit, { shaded: false })),
  ];
}

const clamp = (number, size) => Math.min(Math.max(number, 0), size - 1);

// A pixel per number, which the style sheet makes large.
function painted(array, least, most) {
  const canvas = h("canvas", { width: array[0].length, height: array.length, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  const picture = context.createImageData(canvas.width, canvas.height);
  array.flat().forEach((number, at) => {
    const share = most > least ? (number - least) / (most - least) : 0.5;
    picture.data.set([...colour(share), Number.isFinite(number) ? 255 : 0], 4 * at);
  });
  context.putImageData(picture, 0, 0);
  return canvas;
}

function legend(least, most, unit) {
  const scale = h("span", { class: "scale", "aria-hidden": "true" });
  scale.style.background = gradient();
  return h("p", { class: "legend" }, h("span", {}, withUnit(least, unit)), scale, h("span", {}, withUnit(most, unit)));
}
