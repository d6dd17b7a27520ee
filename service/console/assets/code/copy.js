// A button that copies a text, and says so.

import { h } from "../dom.js";

export function copier(text) {
  const told = h("span", { class: "hint", role: "status" });
  const button = h("button", { type: "button", onclick: async () => {
    told.textContent = (await copy(text, button)) ? "Copied." : "The browser does not let us copy; mark the text instead.";
  } }, "Copy");
  return h("p", { class: "actions copier" }, button, told);
}

// Browsers have a clipboard for pages of https and of this machine; elsewhere the old way is left.
async function copy(text, beside) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // not allowed: the old way
    }
  }
  const area = h("textarea", { class: "visually-hidden", readonly: true, "aria-hidden": "true" });
  area.value = text;
  beside.after(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  beside.focus();
  return copied;
}
