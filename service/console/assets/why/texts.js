// A text without each of its words in turn. What is a word, service/text.py says.

import { h } from "../dom.js";
import { bare } from "../inputs/string.js";
import { flow, mark } from "./shades.js";

const BETWEEN_BLANKS = /[^ \t\n\v\f\r]+/g;
const IS_WORD = /[^!-/:-@[-`{-~]/; // more than ASCII punctuation, which is deleted

export function open({ control }, value) {
  const text = control === "string" ? bare(value) : value;
  const pieces = typeof text === "string" ? words(text) : ids(text);
  return { value, parts: (most) => without(text, pieces, most) };
}

const words = (text) =>
  [...text.matchAll(BETWEEN_BLANKS)]
    .filter(([word]) => IS_WORD.test(word))
    .map((found) => ({ start: found.index, end: found.index + found[0].length }));

const ids = (list) => list.map((_, index) => ({ start: index, end: index + 1 }));

function without(value, pieces, most) {
  if (pieces.length < 2) return { parts: [], note: "It has one word, which cannot be left out: no text may be empty." };
  if (most < 2) return { parts: [], note: "It is too long to try it word by word." };
  const size = Math.ceil(pieces.length / most);
  const parts = [];
  for (let at = 0; at < pieces.length; at += size) {
    const group = pieces.slice(at, at + size);
    parts.push(part(value, group[0].start, group.at(-1).end, at + 1, at + group.length));
  }
  const note = size > 1 ? `It is long, so ${size} words that stand together are left out at a time.` : null;
  return { parts, note, draw: (results) => drawn(value, parts, results) };
}

function part(value, start, end, first, last) {
  const label = typeof value === "string" ? value.slice(start, end) : value.slice(start, end).join(" ");
  const rest = typeof value === "string" ? value.slice(0, start) + value.slice(end) : value.toSpliced(start, end - start);
  return { label, start, end, value: rest, place: first === last ? `word ${first}` : `words ${first} to ${last}`, done: "left out" };
}

// The text as it stands, its words marked.
function drawn(value, parts, results) {
  const marks = results.map((result, index) => mark(result, parts[index].label));
  const between = (start, end) => (typeof value === "string" ? value.slice(start, end) : " ");
  const run = marks.flatMap((each, index) => [between(parts[index - 1]?.end ?? 0, parts[index].start), each]);
  return flow(h("div", { class: "why-text" }, run, between(parts.at(-1).end)), marks);
}
