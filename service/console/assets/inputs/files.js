// Files as they come to a field: chosen, dropped or pasted. `take` gets each; the last one counts.

import { find } from "../dom.js";

export function files(field, take) {
  const chooser = find("input[type=file]", field);
  find(".choose", field).addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    if (chooser.files.length) take(chooser.files[0]);
    chooser.value = "";
  });
  dropped(field, take);
  field.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    take(event.clipboardData.files[0]);
  });
}

// Those that are dropped alone; text that is dropped is the browser's.
export function dropped(place, take) {
  for (const kind of ["dragover", "dragleave", "drop"]) {
    place.addEventListener(kind, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      place.classList.toggle("over", kind === "dragover");
      if (kind === "drop") take(event.dataTransfer.files[0]);
    });
  }
}

// What a file says; null of what cannot be read, such as a folder.
export const text = (file) => file.text().catch(() => null);
