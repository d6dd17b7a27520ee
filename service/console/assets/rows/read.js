// A pasted text as rows: {row, faults}, a fault naming its column; `left` are columns that are no input.

import { value } from "./cells.js";
import { parse } from "./csv.js";

export function read(text, inputs) {
  return /^\s*[[{]/.test(text) ? listed(text) : tabled(parse(text), inputs);
}

function listed(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`This begins like JSON, and is none: ${error.message}`);
  }
  const rows = Array.isArray(value) ? value : [value];
  if (!rows.length) throw new Error("The list is empty: it needs a row at least.");
  return { rows: rows.map((row) => ({ row, faults: [] })), left: [] };
}

function tabled([header, ...records], inputs) {
  const names = Object.keys(inputs);
  if (!header) throw new Error("There is nothing to read.");
  const titles = header.map((title) => title.trim());
  const columns = new Map(titles.map((title, at) => [title, at]));
  const places = new Map(names.map((name) => [name, place(name, columns)]));
  const missing = names.filter((name) => isNowhere(places.get(name)));
  if (missing.length) throw new Error(`The first line names the columns, one for each input. It lacks: ${missing.join(", ")}.`);
  const used = new Set([...places.values()].flat(Infinity).map((at) => titles[at]));
  const twice = titles.find((title, at) => used.has(title) && titles.indexOf(title) !== at);
  if (twice) throw new Error(`The column ${twice} is there twice.`);
  if (!records.length) throw new Error("There is no row below the names of the columns.");
  const left = titles.filter((title) => !used.has(title));
  return { rows: records.map((cells) => record(cells, titles.length, places, inputs)), left };
}

// Where an input stands: in the column of its name, or in those of its parts, name.0, name.1, …, each in one column or
// in those of its own parts; nowhere is [].
function place(name, columns) {
  if (columns.has(name)) return columns.get(name);
  const found = [];
  if (![...columns.keys()].some((title) => title.startsWith(`${name}.`))) return found;
  for (;;) {
    const part = place(`${name}.${found.length}`, columns);
    if (isNowhere(part)) return found;
    found.push(part);
  }
}

const isNowhere = (place) => Array.isArray(place) && !place.length;

function record(cells, length, places, inputs) {
  if (cells.length !== length) return { row: raw(cells, places), faults: [{ detail: counted(length, cells.length) }] };
  const values = [];
  const faults = [];
  for (const [name, place] of places) {
    try {
      values.push([name, taken(inputs[name], cells, place)]);
    } catch (error) {
      faults.push({ column: name, detail: error.message });
      if (!Array.isArray(place)) values.push([name, cells[place]]);
    }
  }
  return { row: Object.fromEntries(values), faults };
}

function counted(expected, got) {
  const why = got > expected ? ": a cell with a separator in it needs quotes around it" : "";
  return `expected ${expected} cells, got ${got}${why}`;
}

// The cells as they are, of a record of which nobody knows what is missing.
const raw = (cells, places) => Object.fromEntries([...places].filter(([, place]) => place < cells.length).map(([name, place]) => [name, cells[place]]));

const taken = (input, cells, place) =>
  Array.isArray(place) ? place.map((part) => taken({ dtype: input.dtype, dims: [] }, cells, part)) : value(input, cells[place]);
