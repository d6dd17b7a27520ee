// A picture of numbers in its section: what stands at the pointer is told beside it, or step by step with the keys.

import { find, h, svg } from "../dom.js";
import { head, table } from "../tables.js";

const LEAST_WIDTH = 240;
export const HEIGHT = 200;
export const EDGE = { left: 48, right: 8, top: 8, bottom: 24 };

export class Plot {
  // `keys` are the names of what is drawn, each with the class of its line.
  constructor(id, keys = []) {
    this.section = find(`#${id}`);
    this.keys = keys;
    this.items = []; // what can be chosen: {key, x, label, values}
    this.chosen = null; // the key of one
    const title = find("h2", this.section).textContent.replace(/\s+/g, " ").trim();
    this.canvas = svg("svg", { height: HEIGHT, role: "slider", tabindex: 0, "aria-label": title });
    this.part("plot").append(this.canvas);
    this.canvas.addEventListener("pointermove", (event) => this.choose(this.nearest(event.offsetX)));
    this.canvas.addEventListener("pointerleave", () => this.choose(null));
    this.canvas.addEventListener("keydown", (event) => this.press(event));
    this.canvas.addEventListener("blur", () => this.choose(null));
    find("details", this.section).addEventListener("toggle", () => this.tabulate());
    new ResizeObserver(() => this.paint()).observe(this.part("plot"));
  }

  part(name) {
    return find(`[data-part="${name}"]`, this.section);
  }

  get width() {
    return Math.max(LEAST_WIDTH, this.part("plot").clientWidth);
  }

  // Show other numbers.
  show(data) {
    this.data = data;
    this.paint();
    this.tabulate();
  }

  paint() {
    if (!this.data) return;
    this.canvas.setAttribute("width", this.width);
    this.canvas.replaceChildren(...this.picture().flat(Infinity).filter(Boolean));
    this.tell();
  }

  nearest(x) {
    let found = null;
    for (const item of this.items) if (!found || Math.abs(item.x - x) < Math.abs(found.x - x)) found = item;
    return found && found.key;
  }

  choose(key) {
    if (key === this.chosen) return;
    this.chosen = key;
    this.paint();
  }

  press(event) {
    const last = this.items.length - 1;
    const now = this.items.findIndex((item) => item.key === this.chosen);
    const steps = { ArrowLeft: now < 0 ? last : now - 1, ArrowRight: now < 0 ? 0 : now + 1, Home: 0, End: last };
    steps.ArrowDown = steps.ArrowLeft;
    steps.ArrowUp = steps.ArrowRight;
    if (event.key === "Escape") this.choose(null);
    if (!(event.key in steps) || last < 0) return;
    event.preventDefault();
    this.choose(this.items[Math.min(Math.max(steps[event.key], 0), last)].key);
  }

  // Write the numbers of what is chosen, or else of the last, into the legend.
  tell() {
    const at = this.items.findIndex((item) => item.key === this.chosen);
    const item = this.items[at] || this.latest();
    const spans = this.keys.map(({ name, style }, number) =>
      h("span", {}, sign(style), `${name} `, h("b", {}, item ? item.values[number] : "–")),
    );
    const when = h("span", { class: "when" }, item ? item.label : "");
    this.part("readout").replaceChildren(...spans, when);
    this.canvas.setAttribute("aria-valuemin", 0);
    this.canvas.setAttribute("aria-valuemax", Math.max(this.items.length - 1, 0));
    this.canvas.setAttribute("aria-valuenow", Math.max(at < 0 ? this.items.length - 1 : at, 0));
    this.canvas.setAttribute("aria-valuetext", item ? words(item, this.keys) : "nothing yet");
  }

  // What is told while nothing is chosen.
  latest() {
    return this.items.at(-1);
  }

  // The same as a table, for as long as that is open.
  tabulate() {
    if (!find("details", this.section).open) return;
    const heads = [head(this.first), ...this.keys.map(({ name }) => head(name, true))];
    const rows = this.order().map((item) =>
      h("tr", {}, h("th", { scope: "row" }, item.label), item.values.map((value) => h("td", { class: "number" }, value))),
    );
    this.part("table").replaceChildren(table(heads, rows));
  }

  order() {
    return this.items;
  }
}

const words = (item, keys) => `${item.label}: ${keys.map(({ name }, at) => `${name} ${item.values[at]}`).join(", ")}`;

// A piece of a line, as the legend has it.
const sign = (style) =>
  style && svg("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" }, svg("path", { d: "M2 6h22", class: `line ${style}` }));

// The lines of the axis from below, and what they are at.
export function levels(bounds, width, write) {
  const most = bounds.at(-1) || 1;
  const room = HEIGHT - EDGE.top - EDGE.bottom;
  const y = (value) => HEIGHT - EDGE.bottom - (value / most) * room;
  const drawn = bounds.map((value) => [
    svg("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }),
    svg("text", { x: EDGE.left - 6, y: y(value) + 4, "text-anchor": "end" }, write(value)),
  ]);
  return { y, drawn };
}

export const empty = (width, text) => svg("text", { class: "empty", x: width / 2, y: HEIGHT / 2 - 10 }, text);
