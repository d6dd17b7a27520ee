// What two versions say differently of one output: in words, and in a number to sort by.

import { bounds, flat, mean } from "../arrays.js";
import { count, digits } from "../numbers.js";
import { change, figure, isLabelled, isNothing, score, values } from "../score.js";

// {first, second, words, size, differs}: both answers in short, what lies between them, how much, and whether what is
// said is another thing: a label, not just its probability. null where the two cannot be compared.
export function difference(spec, other, one, two) {
  if (isLabelled(spec) && isLabelled(other)) return labels(spec, other, one, two);
  if (isLabelled(spec) || isLabelled(other)) return null;
  const [mine, its] = [flat(values(spec, one)), flat(values(other, two))];
  if (mine.length !== its.length) return null;
  return [...mine, ...its].every((each) => typeof each === "number") ? numbers(spec, mine, its) : texts(mine, its);
}

// The probability of what the first version says, with both.
function labels(spec, other, one, two) {
  const differs = one.label !== two.label;
  const chances = [score(spec, one, one.label), score(other, two, one.label)];
  const by = chances[1] - chances[0];
  const told = differs ? `${one.label} → ${two.label}` : `${one.label} in both`;
  const known = other.labels.includes(one.label);
  const moved = isNothing(spec, by) ? "just as probable" : `${figure(spec, chances[0])} → ${figure(spec, chances[1])} (${change(spec, by)})`;
  return {
    first: said(one, spec),
    second: said(two, spec),
    words: known ? `${told}; ${differs ? `${one.label} ${change(spec, by)}` : moved}` : `${told}; the other does not know ${one.label}`,
    size: known ? Math.abs(by) : 1,
    differs,
  };
}

// A label with its probability, whose percent sign no line ends before.
const said = ({ label, probability }, spec) => `${label} (${figure(spec, probability).replaceAll(" ", "\u00a0")})`;

function numbers(spec, mine, its) {
  const apart = mine.map((number, index) => its[index] - number);
  const sizes = apart.map(Math.abs);
  const [, largest] = bounds(sizes);
  const several = mine.length > 1;
  const many = `largest difference ${figure(spec, largest)}, mean ${figure(spec, mean(sizes))}`;
  const short = (list) => (several ? `${list.length} numbers, mean ${figure(spec, mean(list))}` : figure(spec, list[0]));
  return {
    first: short(mine),
    second: short(its),
    words: largest === 0 ? "the same" : several ? many : change(spec, apart[0]),
    size: largest,
    differs: largest > 0,
  };
}

function texts(mine, its) {
  const unlike = mine.filter((text, index) => text !== its[index]).length;
  const words = unlike ? `${unlike} of ${mine.length} differ` : "the same";
  return { first: listed(mine), second: listed(its), words, size: unlike, differs: unlike > 0 };
}

const listed = (texts) => texts.map((text) => (typeof text === "string" ? text : digits(text))).join(", ");

// What many rows' differences come to, in a sentence.
export function summary(spec, found) {
  const sizes = found.map(({ size }) => size);
  const unlike = found.filter(({ differs }) => differs).length;
  const [, largest] = bounds(sizes);
  if (!unlike && isNothing(spec, largest)) return `No difference in ${count(found.length, "row")}.`;
  const what = isLabelled(spec) ? "labels differ; probabilities" : "answers differ; they";
  const by = (number) => change(spec, number).replace("+", "");
  return `${unlike} of ${found.length} ${what} differ by ${by(largest)} at most, by ${by(mean(sizes))} in the mean.`;
}
