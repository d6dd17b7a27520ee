// Numbers, each set in turn to what is usual in training; of many, stretches along the first axis.

import { bounds, flat, mean } from "../arrays.js";
import { svg } from "../dom.js";
import { digits } from "../numbers.js";
import { chips, over } from "./shades.js";

const MOST_ALONE = 64; // numbers that are each tried by themselves
const MOST_STRETCHES = 32;
const MOST_LINES = 6;

export function open(spec, value, features) {
  return { value, parts: (most) => changed(spec, value, features, most) };
}

function changed(spec, value, features, most) {
  const all = flat(value);
  if (!all.every((each) => typeof each === "number")) return { parts: [], note: "It is no list of numbers, so nothing in it is tried." };
  if (most < 1) return { parts: [], note: "It is too large to try it number by number." };
  if (all.length <= Math.min(MOST_ALONE, most) && spec.dims[0] !== null) return alone(spec, value, features);
  if (!Array.isArray(value) || value.length < 2) return { parts: [], note: "It has one step, which cannot be left out." };
  return stretches(spec, value, Math.min(most, MOST_STRETCHES));
}

// Each by itself.
function alone(spec, value, features) {
  const parts = paths(value).map((path) => {
    const to = usual(spec, features, path);
    return { label: digits(read(value, path)), place: named(path), value: write(value, path, to), done: `set to ${digits(to)}` };
  });
  const note = features.length ? "Each number is set to its median in training." : "What is usual for it is not known, so each number is set to 0.";
  const columns = Array.isArray(value[0]) ? value[0].length : null;
  return { parts, note, draw: (results) => chips(results, parts, columns) };
}

const paths = (nested) => (Array.isArray(nested) ? nested.flatMap((inner, index) => paths(inner).map((rest) => [index, ...rest])) : [[]]);

const read = (nested, path) => path.reduce((inner, index) => inner[index], nested);

const write = (nested, [index, ...rest], number) => (index === undefined ? number : nested.with(index, write(nested[index], rest, number)));

const named = (path) => (path.length ? `number ${path.map((index) => index + 1).join(", ")}` : null);

// The median in training, of this number or of all of them; else 0, within the bounds.
function usual({ minimum, maximum, dtype }, features, path) {
  const found = features.find(({ feature }) => ["value", "mean", path.join(",")].includes(feature));
  const number = found ? median(found) : 0;
  const whole = dtype.includes("int") ? Math.round(number) : number;
  return Math.min(maximum ?? Infinity, Math.max(minimum ?? -Infinity, whole));
}

// Counts are of what lies below the first edge, between each two, above the last, and of what is none. Within a bin
// it lies where the counts say; where all edges are whole numbers, at the upper edge, which belongs to it.
export function median({ edges, counts }) {
  const inner = counts.slice(1, edges.length);
  const half = inner.reduce((sum, count) => sum + count, 0) / 2;
  let before = 0;
  for (const [index, count] of inner.entries()) {
    const share = edges.every(Number.isInteger) ? 1 : (half - before) / count;
    if (count > 0 && before + count >= half) return edges[index] + share * (edges[index + 1] - edges[index]);
    before += count;
  }
  return edges[0];
}

// Steps that follow each other: left out where their number is open, else set to their mean over all steps.
function stretches(spec, value, most) {
  const length = Math.ceil(value.length / most);
  const open = spec.dims[0] === null;
  const calm = open ? null : average(value);
  const parts = [];
  for (let start = 0; start < value.length; start += length) {
    const end = Math.min(start + length, value.length);
    const rest = open ? value.toSpliced(start, end - start) : value.map((step, index) => (index >= start && index < end ? calm : step));
    const label = end - start === 1 ? `step ${end}` : `steps ${start + 1} to ${end}`;
    parts.push({ label, value: rest, done: open ? "left out" : "set to the mean" });
  }
  const lengths = parts.map((_, index) => Math.min(length, value.length - index * length));
  const how = open ? "left out" : "set to the mean of all steps";
  const note = length === 1 ? `Each step is ${how}.` : `Stretches of ${length} steps are ${how}.`;
  return { parts, note, draw: (results) => over(lines(value), results, lengths) };
}

const average = (steps) =>
  Array.isArray(steps[0]) ? steps[0].map((_, index) => average(steps.map((step) => step[index]))) : mean(steps);

// The series as lines, the first few of what each step has.
function lines(value) {
  const channels = Array.isArray(value[0]) ? flat(value[0]).slice(0, MOST_LINES).map((_, index) => value.map((step) => flat(step)[index])) : [value];
  const [least, most] = bounds(channels);
  const y = (number) => 58 - (54 * (number - least)) / (most - least || 1);
  const x = (index) => ((index + 0.5) * 100) / value.length;
  return svg(
    "svg",
    { class: "why-series", viewBox: "0 0 100 60", preserveAspectRatio: "none", "aria-hidden": "true" },
    channels.map((channel) => svg("polyline", { points: channel.map((number, index) => `${x(index)},${y(number)}`).join(" ") })),
  );
}
