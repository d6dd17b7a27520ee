// A series as lines, one per column, and in words. A few steps of many numbers are a line per step.

import { bounds } from "../arrays.js";
import { h, svg } from "../dom.js";
import { count, digits } from "../numbers.js";

const MOST = 6;
const WIDTH = 600;
const HEIGHT = 120;

// “128 lines of 3 numbers, from −1.2 to 0.98.”
export function summary(rows) {
  const [low, high] = bounds(rows);
  const widths = [...new Set(rows.map((row) => row.length))];
  const each = widths.length > 1 ? "different lengths" : count(widths[0], "number");
  const flat = widths.length === 1 && widths[0] === 1;
  const size = flat ? count(rows.length, "number") : `${count(rows.length, "line")} of ${each}`;
  return `${size}, from ${digits(low)} to ${digits(high)}.`;
}

// The lines, and beneath them which is which.
export function plot(series) {
  const [rows, each] = turned(series) ? [across(series), "Line"] : [series, "Column"];
  if (rows.length < 2) return [];
  const [low, high] = bounds(series);
  const columns = widest(rows);
  const drawn = Math.min(columns, MOST);
  const x = (at) => (rows.length > 1 ? (at / (rows.length - 1)) * WIDTH : WIDTH / 2);
  const y = (number) => (high > low ? 4 + ((high - number) / (high - low)) * (HEIGHT - 8) : HEIGHT / 2);
  const line = (column) => {
    const points = rows.flatMap((row, at) => (Number.isFinite(row[column]) ? [`${x(at).toFixed(1)},${y(row[column]).toFixed(1)}`] : []));
    return svg("polyline", { class: `line line-${column}`, points: points.join(" ") });
  };
  const lines = Array.from({ length: drawn }, (_, column) => line(column));
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `The series as a line: ${summary(series)}` },
    low < 0 && high > 0 ? svg("line", { class: "zero", x1: 0, x2: WIDTH, y1: y(0), y2: y(0) }) : null,
    lines,
  );
  return columns > 1 ? [picture, legend(each, drawn, columns)] : [picture];
}

const widest = (rows) => rows.reduce((most, row) => Math.max(most, row.length), 0);
const turned = (rows) => rows.length <= MOST && widest(rows) > MOST;
const across = (rows) => Array.from({ length: widest(rows) }, (_, at) => rows.map((row) => row[at]));

function legend(each, drawn, columns) {
  const swatch = (column) =>
    svg("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" }, svg("polyline", { class: `line line-${column}`, points: "0,4 24,4" }));
  return h(
    "p",
    { class: "strokes hint" },
    Array.from({ length: drawn }, (_, column) => h("span", {}, swatch(column), `${each} ${column + 1}`)),
    columns > drawn ? h("span", {}, `and ${columns - drawn} more that are not drawn`) : null,
  );
}
