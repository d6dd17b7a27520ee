// What came back for one row: the answer, how long it took, and the request as code.

import * as answer from "./answer.js";
import * as snippets from "./code/snippets.js";
import { find, h } from "./dom.js";
import { model } from "./model.js";
import * as timings from "./timings.js";

const UNLINKED = h("p", { class: "hint" }, "This row is too large for a link: the address of this page leads to the example.");

const place = find("#answer");
const code = find("#code");

// `reply` is what api.predict gives; `linked`, whether the URL has the row.
export function show(row, reply, linked) {
  place.replaceChildren(answer.draw(model, reply.answer), timings.draw(reply.timing), ...(linked ? [] : [UNLINKED]));
  find("#snippets", code).replaceChildren(snippets.draw(model, row, { version: model.version, keys: "keys" in code.dataset }));
  code.hidden = false;
  reveal(place.closest("section"));
}

// On a phone it stands below what can be seen.
function reveal(section) {
  if (section.getBoundingClientRect().top > innerHeight - 120) section.scrollIntoView();
}
