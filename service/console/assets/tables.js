// Tables of rows under heads, in boxes that scroll where there is no room.

import { h } from "./dom.js";

// The head of a column; `number` is that of a column of numbers.
export const head = (text, number = false) => h("th", { scope: "col", class: number && "number" }, text);

export const table = (heads, rows, attributes = {}) =>
  h("table", attributes, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows));

export const scrolled = (label, ...children) =>
  h("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": label }, children);
