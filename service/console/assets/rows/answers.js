// The rows of Try it beside their answers, and the answers to take away.

import { h } from "../dom.js";
import { asCsv, asJson, table } from "./results.js";

const SHOWN = 200;

let links = [];

export const answers = (model) => (rows) => ({
  actions: downloads(model, rows),
  results: [
    rows.length > SHOWN && h("p", { class: "hint" }, `The first ${SHOWN} rows; the downloads have all.`),
    table(model, rows, SHOWN, true),
  ],
});

function downloads(model, rows) {
  for (const link of links) URL.revokeObjectURL(link.href);
  links = [
    link("Download as CSV", `${model.name}.csv`, "text/csv", asCsv(model, rows)),
    link("Download as JSON", `${model.name}.json`, "application/json", asJson(model, rows)),
  ];
  return links;
}

const link = (title, name, type, content) =>
  h("a", { class: "button", download: name, href: URL.createObjectURL(new Blob([content], { type })) }, title);
