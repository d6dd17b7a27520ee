// The models side by side: what each does now. Who presses a name sees that model alone.

import { find, h } from "../dom.js";

// `titles` by name; `choose(name)` is called with the one that is pressed.
export function sideBySide(titles, choose) {
  const rows = new Map();
  const busy = new Set();
  for (const [name, title] of Object.entries(titles)) {
    const button = h("button", { type: "button", class: "plain", onclick: () => choose(name) }, title);
    const cells = ["requests", "p50", "p95", "errors"].map(() => h("td", { class: "number" }, "–"));
    const row = h("tr", {}, h("th", { scope: "row" }, button), cells);
    rows.set(name, { button, cells, row });
    find("#models").append(row);
  }

  // Those that were asked come first, and stay there.
  function order(asked) {
    const before = busy.size;
    for (const name of asked) if (rows.has(name)) busy.add(name);
    if (busy.size === before) return;
    const names = [...rows.keys()];
    const last = [...names.filter((name) => busy.has(name)), ...names.filter((name) => !busy.has(name))];
    const focused = document.activeElement;
    find("#models").append(...last.map((name) => rows.get(name).row));
    if (focused !== document.activeElement) focused.focus({ preventScroll: true });
  }

  // Shows values by model, lists of text, which of them is chosen, and which were asked of late.
  return (values, chosen, asked) => {
    order(asked);
    for (const [name, { button, cells }] of rows) {
      if (name === chosen) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      const texts = values(name);
      for (const [at, cell] of cells.entries()) cell.textContent = texts[at];
    }
  };
}
