// The list of versions lies over the page: Escape closes it, and so does going elsewhere.

import { find } from "../dom.js";

const list = find("details.versions");

for (const kind of ["pointerdown", "focusin"]) {
  document.addEventListener(kind, ({ target }) => {
    if (!list.contains(target)) list.open = false;
  });
}
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !list.open) return;
  list.open = false;
  find("summary", list).focus();
});
