// A short vector or matrix: a number field per number.

import { all, find } from "../dom.js";
import { number, put } from "./number.js";

export function mount(field, input, changed) {
  const cells = new Map(all("input", field).map((cell) => [cell.dataset.path, cell]));
  for (const cell of cells.values()) {
    cell.addEventListener("input", changed);
    cell.addEventListener("paste", (event) => pasted(event, cell));
  }
  // A table from a spreadsheet, pasted into a cell, fills those that follow it.
  function pasted(event, first) {
    const numbers = event.clipboardData.getData("text").trim().split(/[\s,;]+/);
    if (numbers.length < 2 || numbers.some((part) => !part || Number.isNaN(Number(part)))) return;
    event.preventDefault();
    const following = [...cells.values()].slice([...cells.values()].indexOf(first));
    following.slice(0, numbers.length).forEach((cell, at) => put(cell, numbers[at]));
    changed();
  }
  const [rows, columns] = input.dims;
  const row = (path, length) => Array.from({ length }, (_, at) => number(cells.get(path + at), `/${path}${at}`));
  return {
    read: () => (columns === undefined ? row("", rows) : Array.from({ length: rows }, (_, at) => row(`${at}/`, columns))),
    fill(value) {
      if (!Array.isArray(value)) return;
      for (const [path, cell] of cells) put(cell, path.split("/").reduce((inner, at) => inner?.[at], value));
    },
    spot: (path) => cells.get(path.join("/")) || find("input", field),
  };
}
