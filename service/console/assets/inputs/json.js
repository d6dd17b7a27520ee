// A tensor of any shape, as JSON.

import { find } from "../dom.js";
import { Misfit } from "./misfit.js";

export function mount(field, input, changed) {
  const box = find("textarea", field);
  box.addEventListener("input", changed);
  return { read: () => parsed(box.value), fill: (value) => (box.value = JSON.stringify(value)) };
}

function parsed(text) {
  if (!text.trim()) throw new Misfit("expected a JSON value, got nothing");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Misfit(`expected JSON: ${error.message}`);
  }
}
