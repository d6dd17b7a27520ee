// Tabs, as ARIA's pattern has them: one is in the tab order, the arrow keys move between them.

import { h } from "../dom.js";

let made = 0;

// `panels` is [[title, element], …]; `chosen` is the title to begin with, `onChoose` hears of every other.
export function tabs(label, panels, chosen, onChoose = () => {}) {
  const id = `tabs-${(made += 1)}`;
  const buttons = panels.map(([title], at) =>
    h("button", { type: "button", role: "tab", id: `${id}-${at}`, "aria-controls": `${id}-panel-${at}`, onclick: () => choose(at) }, title),
  );
  const boxes = panels.map(([, element], at) =>
    h("div", { role: "tabpanel", id: `${id}-panel-${at}`, "aria-labelledby": `${id}-${at}` }, element),
  );
  const list = h("div", { role: "tablist", class: "tablist", "aria-label": label, onkeydown: move }, buttons);

  function choose(chosen) {
    buttons.forEach((button, at) => {
      button.setAttribute("aria-selected", at === chosen);
      button.tabIndex = at === chosen ? 0 : -1;
      boxes[at].hidden = at !== chosen;
    });
    onChoose(panels[chosen][0]);
  }

  function move(event) {
    const at = buttons.indexOf(document.activeElement);
    const last = buttons.length - 1;
    const next = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    choose(next);
    buttons[next].focus();
  }

  choose(Math.max(panels.findIndex(([title]) => title === chosen), 0));
  return h("div", { class: "tabbed" }, list, boxes);
}
