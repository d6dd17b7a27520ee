// Parts of an input, shaded by what they do to a score. One at a time is looked at, with the mouse or the arrows.

import { h } from "../dom.js";

const FAINT = 0.08; // of the strongest; a weaker part is left as it is

const side = (share) => (Math.abs(share) < FAINT ? "neither" : share > 0 ? "for" : "against");

export const SIGNS = { for: "▲", against: "▽", neither: "" };

// One part; of a result, `share` is from −1, against, to 1, for, and `text` says it in words.
export function mark({ share, text }, ...children) {
  const part = h("span", { class: `shade ${side(share)}`, role: "option", "aria-selected": "false", "aria-label": text, tabindex: "-1" }, children);
  part.style.setProperty("--share", `${Math.round(Math.abs(share) * 100)}%`);
  return part;
}

// Marks in running text.
export const flow = (box, marks) => pick(box, marks, null);

// Marks in a row, or in rows of so many.
export function chips(results, parts, columns = null) {
  const marks = results.map((result, index) => mark(result, parts[index].label));
  const box = h("div", { class: columns ? "why-grid" : "why-chips" }, marks);
  if (columns) box.style.gridTemplateColumns = `repeat(${columns}, auto)`;
  return pick(box, marks, columns);
}

// Marks laid over a picture, in columns of these widths.
export function over(picture, results, widths) {
  const marks = results.map((result) => mark(result, h("span", { class: "sign", "aria-hidden": "true" }, Math.abs(result.share) < 0.4 ? "" : SIGNS[side(result.share)])));
  const box = h("div", { class: "why-over" }, marks);
  box.style.gridTemplateColumns = widths.map((width) => `${width}fr`).join(" ");
  return h("div", {}, h("div", { class: "why-figure" }, picture, box), pick(box, marks, widths.length));
}

// A list box, and the line that says the part looked at.
function pick(box, marks, columns) {
  const line = h("p", { class: "hint why-said idle" }, "Point at a part, or walk with the arrow keys, to see what it does.");
  const look = (index) => {
    for (const other of marks) other.setAttribute("aria-selected", other === marks[index]);
    line.classList.remove("idle");
    line.textContent = marks[index].getAttribute("aria-label");
  };
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns ?? 1, ArrowUp: -(columns ?? 1) };
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", "Parts, and what each does");
  marks[0].tabIndex = 0;
  for (const [index, each] of marks.entries()) {
    each.addEventListener("pointerenter", () => look(index));
    each.addEventListener("focus", () => look(index));
  }
  box.addEventListener("keydown", (event) => {
    const next = marks[marks.indexOf(document.activeElement) + steps[event.key]];
    if (!next) return;
    event.preventDefault();
    document.activeElement.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  return box.classList.contains("why-over") ? [line] : h("div", {}, box, line);
}
