// Another label in the place of the one that stands there: all of them in turn.

import { chips } from "./shades.js";

export function open({ labels }, value) {
  const own = typeof value === "number" ? labels[value] : value;
  return {
    value,
    parts(most) {
      const others = labels.filter((label) => label !== own).slice(0, most);
      const parts = others.map((label) => ({ label, told: `${own} → ${label}`, value: label, done: "" }));
      const note = `Each label in the place of ${own}.`;
      return { parts, note, draw: (results) => chips(results, parts) };
    },
  };
}
