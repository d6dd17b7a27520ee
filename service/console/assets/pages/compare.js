// Compare: two versions of a model on the same row, side by side, and on many rows.

import { draw } from "../answer.js";
import { asks } from "../asks.js";
import { difference } from "../compare/difference.js";
import { drawn } from "../compare/many.js";
import { ask, askBoth, other, unlike } from "../compare/versions.js";
import { find, h } from "../dom.js";
import { model } from "../model.js";
import { told } from "../problems.js";
import * as rows from "../rows/rows.js";
import { head, table } from "../tables.js";
import * as timings from "../timings.js";

const MOST_LABELS = 5;

async function compare(row, signal) {
  const [one, two] = await Promise.all([ask(model, row, signal), ask(other, row, signal).catch(refused)]);
  return () => {
    find("#first").replaceChildren(...side(model, one));
    find("#second").replaceChildren(...side(other, two));
    find("#differences").replaceChildren(two.answer ? differences(one.answer, two.answer) : "");
    find("#answers").hidden = false;
  };
}

// What only the other version cannot take stands in the place of its answer.
function refused(problem) {
  const detail = problem.faults?.map((fault) => fault.detail).join(" ") || told(problem);
  return { refusal: `Version ${other.version} cannot answer this: ${detail}` };
}

const side = (version, { answer, timing, refusal }) =>
  refusal ? [h("p", { class: "fault" }, refusal)] : [draw(version, short(answer)), timings.draw(timing, version.engine)];

// With no more labels than one looks at.
const short = (answer) =>
  Object.fromEntries(
    Object.entries(answer).map(([name, said]) => [name, said?.top ? { ...said, top: said.top.slice(0, MOST_LABELS) } : said]),
  );

function differences(one, two) {
  const shared = Object.entries(model.outputs).filter(([name]) => Object.hasOwn(other.outputs, name));
  const heads = ["Output", `From version ${model.version} to ${other.version}`].map((text) => head(text));
  const row = ([name, spec]) => {
    const found = difference(spec, other.outputs[name], one[name], two[name]);
    const words = found ? h("b", {}, found.words) : "another kind of answer, which cannot be compared";
    return h("tr", {}, h("th", { scope: "row" }, spec.title || name), h("td", {}, words));
  };
  return table(heads, shared.map(row));
}

// Another pair of versions is another page; the row goes with it.
find("#versions").addEventListener("submit", (event) => {
  event.preventDefault();
  const query = new URLSearchParams(new FormData(event.target));
  location.assign(`${location.pathname}?${query}${location.hash}`);
});

find("#unlike").append(...unlike().map((text) => h("li", {}, text)));
rows.mount(find("#rows"), model, askBoth, drawn);
asks(compare);
