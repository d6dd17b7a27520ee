// One number per answer of an output: what Why and Compare weigh. A target is a label, a cell of many numbers, or
// nothing, which is the number itself, or the mean of many.

import { flat, mean } from "./arrays.js";
import { percent, withUnit } from "./numbers.js";

const MOST_CELLS = 100; // of many numbers, from which one may be chosen

export const isLabelled = (spec) => spec.kind === "probability" || spec.kind === "probabilities";

// What an output's answer has of numbers, as they are nested there.
export const values = (spec, value) => (spec.kind === "number" ? value.value : spec.kind === "numbers" ? value.values : value);

const at = (nested, path) => path.split(",").reduce((inner, index) => inner?.[index], nested);

// The score of an answer; NaN where it has none. Of labels the request lists all: `top` of answer.js.
export function score(spec, value, target) {
  if (spec.kind === "probability") {
    const chance = value.probability ?? NaN;
    return value.label === target ? chance : 1 - chance;
  }
  if (spec.kind === "probabilities") return (value.top || []).find(([label]) => label === target)?.[1] ?? NaN;
  const numbers = values(spec, value);
  const found = target ? [at(numbers, target)] : flat(numbers);
  return found.every((each) => typeof each === "number") ? mean(found) : NaN;
}

// What may be asked about an answer, [target, text], what the model itself says first; of none nothing.
export function targets(spec, value) {
  if (isLabelled(spec)) {
    const others = spec.labels.filter((label) => label !== value.label);
    return [[value.label, `${value.label} (what the model says)`], ...others.map((label) => [label, label])];
  }
  const numbers = values(spec, value);
  if (Number.isNaN(score(spec, value))) return [];
  if (!Array.isArray(numbers)) return [["", ""]];
  const cells = paths(numbers);
  if (isDistribution(numbers)) return byShare(numbers, cells);
  return [["", "the mean of all"], ...(cells.length <= MOST_CELLS ? cells.map((path) => [path, `number ${place(path)}`]) : [])];
}

// Numbers that are 1 in all are labels that nobody named: their mean never changes. Of a list of lists, each is.
const isDistribution = (numbers) => {
  if (numbers.some(Array.isArray)) return numbers.every((inner) => Array.isArray(inner) && isDistribution(inner));
  const sum = numbers.reduce((before, each) => before + each, 0);
  return numbers.length > 1 && numbers.every((each) => each >= 0) && Math.abs(sum - 1) < 1e-3;
};

function byShare(numbers, cells) {
  const [first, ...others] = [...cells].sort((one, other) => at(numbers, other) - at(numbers, one)).slice(0, MOST_CELLS);
  return [[first, `number ${place(first)} (the largest)`], ...others.map((path) => [path, `number ${place(path)}`])];
}

const paths = (nested) =>
  nested.flatMap((inner, index) => (Array.isArray(inner) ? paths(inner).map((path) => `${index},${path}`) : [`${index}`]));

// "0,2" as people count.
export const place = (path) => path.split(",").map((index) => Number(index) + 1).join(", ");

// A score in words: "99.7 %", "34.21 years".
export const figure = (spec, number) => (isLabelled(spec) ? percent(number) : withUnit(number, spec.unit));

// A difference, with its sign: "−4.2 points" of a hundred, "+1.2 years".
export function change(spec, number) {
  const by = isLabelled(spec) ? Number((100 * number).toFixed(1)) : Number(number.toPrecision(3));
  return `${by > 0 ? "+" : ""}${withUnit(by, isLabelled(spec) ? "points" : spec.unit)}`;
}

// Whether so little that a table need not list it.
export const isNothing = (spec, number) => number === 0 || (isLabelled(spec) && Math.abs(number) < 0.0005);
