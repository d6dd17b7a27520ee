// One of several labels; a row has the label, or its number.

import { find } from "../dom.js";

export function mount(field, input, changed) {
  const select = find("select", field);
  select.addEventListener("change", changed);
  const label = (value) => (typeof value === "number" ? input.labels[value] : value);
  return {
    read: () => select.value,
    fill(value) {
      if (input.labels.includes(label(value))) select.value = label(value);
    },
  };
}
