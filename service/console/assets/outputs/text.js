// What is no picture: a list of strings, or JSON; of much, the beginning.

import { h } from "../dom.js";

const SHOWN = 20; // strings
const MOST = 2000; // characters

export function text(value) {
  const strings = Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string");
  return strings ? lines(value) : json(JSON.stringify(value, null, 1));
}

function lines(strings) {
  const list = (some) => h("ol", { class: "strings", tabindex: -1 }, some.map((one) => h("li", {}, one)));
  const rest = strings.slice(SHOWN);
  return [list(strings.slice(0, SHOWN)), rest.length > 0 && more(`Show all ${strings.length}`, list(strings))];
}

function json(whole) {
  const box = (part) => h("pre", { tabindex: 0, "aria-label": "JSON" }, part);
  if (whole.length <= MOST) return [box(whole)];
  return [box(`${whole.slice(0, MOST)}…`), more("Show all", box(whole))];
}

// The beginning gives way to the whole.
function more(title, whole) {
  const button = h("button", { type: "button", onclick: () => {
    button.previousElementSibling.replaceWith(whole);
    button.remove();
    whole.focus();
  } }, title);
  return button;
}
