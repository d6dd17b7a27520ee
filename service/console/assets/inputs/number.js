// A single number.

import { find } from "../dom.js";
import { Misfit } from "./misfit.js";

export function mount(field, input, changed) {
  const box = find("input", field);
  box.addEventListener("input", changed);
  return { read: () => number(box), fill: (value) => put(box, value) };
}

// What a number field says; Misfit of none. A browser shows "" where what was typed is no number.
export function number(box, path = "") {
  if (box.value === "") throw new Misfit(box.validity.badInput ? "this is no number" : "expected a number, got nothing", path);
  return Number(box.value);
}

export function put(box, value) {
  if (Number.isFinite(Number(value))) box.value = value;
}
