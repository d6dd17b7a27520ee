// Any text; a row may have it in a list of one.

import { find } from "../dom.js";

export function mount(field, input, changed) {
  const box = find("textarea", field);
  box.addEventListener("input", changed);
  return { read: () => box.value, fill: (value) => (box.value = bare(value)) };
}

export function bare(value) {
  const [text, ...more] = [value].flat(Infinity);
  return typeof text === "string" && !more.length ? text : JSON.stringify(value);
}
