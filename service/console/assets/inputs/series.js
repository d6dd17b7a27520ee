// Many numbers: pasted as CSV, TSV or JSON, or from a file; beside them a picture of the series, and what it says in words.

import { find } from "../dom.js";
import { count, whole } from "../numbers.js";
import { files, text } from "./files.js";
import { Misfit } from "./misfit.js";
import { plot, summary } from "./plot.js";

export function mount(field, input, changed) {
  const box = find("textarea", field);
  const drawing = find(".plot", field);
  const told = find(`#${box.id}-summary`, field);
  const flat = input.dims.length === 1;

  function show() {
    let rows = [];
    try {
      rows = parsed(box.value, flat).map((row) => (flat ? [row] : row));
    } catch {
      rows = [];
    }
    const sound = rows.length > 0 && rows.every(Array.isArray) && rows.flat().every(Number.isFinite);
    drawing.hidden = !sound;
    drawing.replaceChildren(...(sound ? plot(rows) : []));
    told.textContent = sound ? summary(rows) : "";
  }

  function put(text) {
    box.value = text;
    show();
  }

  box.addEventListener("input", () => {
    show();
    changed();
  });
  files(field, async (file) => {
    const said = await text(file);
    if (said === null) told.textContent = `${file.name} cannot be read.`;
    else {
      put(said);
      changed();
    }
  });
  return { read: () => fitting(parsed(box.value, flat), input), fill: (value) => put(written(value, flat)) };
}

// Text as a list of numbers, or of lists; Misfit names the first part that is no number.
function parsed(text, flat) {
  const trimmed = text.trim();
  if (!trimmed) throw new Misfit("expected numbers, got nothing");
  if (trimmed.startsWith("[")) {
    try {
      return JSON.parse(trimmed);
    } catch (error) {
      throw new Misfit(`expected numbers, got broken JSON: ${error.message}`);
    }
  }
  const lines = trimmed.split(/\r?\n/).filter((line) => line.trim());
  const table = lines.map((line) => line.trim().replaceAll('"', "").split(/\s*[,;\t]\s*|\s+/));
  if (table.length > 1 && table[0].every((cell) => !cell || Number.isNaN(Number(cell)))) table.shift(); // the columns' names
  const rows = table.map((cells, line) => cells.map((cell, at) => number(cell, flat ? `/${at}` : `/${line}/${at}`)));
  return flat ? rows.flat() : rows;
}

// The same, if it has as many lines and numbers as the model takes.
function fitting(rows, { dims: [length, width], max_length: most }) {
  if (!Array.isArray(rows)) return rows;
  const [one, enough] = [width ? "line" : "number", length || most];
  if (length ? rows.length !== length : rows.length > most) {
    throw new Misfit(`expected ${length ? "" : "at most "}${count(enough, one)}, got ${whole(rows.length)}`);
  }
  const odd = width ? rows.findIndex((row) => Array.isArray(row) && row.length !== width) : -1;
  if (odd >= 0) throw new Misfit(`line ${odd + 1}: expected ${count(width, "number")}, got ${whole(rows[odd].length)}`);
  return rows;
}

function number(cell, path) {
  const found = Number(cell);
  if (cell === "" || !Number.isFinite(found)) throw new Misfit(`expected a number, got “${cell.slice(0, 20)}”`, path);
  return found;
}

// A value as CSV, a step a line; a flat series in one.
function written(value, flat) {
  if (!Array.isArray(value)) return JSON.stringify(value);
  return flat ? value.join(", ") : value.map((row) => (Array.isArray(row) ? row.join(", ") : row)).join("\n");
}
