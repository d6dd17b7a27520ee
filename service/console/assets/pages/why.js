// Why: the answer to a row, and to the row without each of its parts, in one request.

import { top } from "../answer.js";
import * as api from "../api.js";
import { asks } from "../asks.js";
import { find, h } from "../dom.js";
import { model } from "../model.js";
import { count, duration } from "../numbers.js";
import { targets } from "../score.js";
import * as state from "../state.js";
import { explanation } from "../why/explanation.js";
import { take } from "../why/parts.js";

const place = find("#why");
const took = find("#why-took");
const outputs = find("#why-output");
const choices = find("#why-target");

let found = null; // {study, answers}: what is shown

// What the URL says is to be explained: an output, and a target where it is not the model's own answer.
function wanted() {
  const { why } = state.load();
  return Object.hasOwn(model.outputs, why?.output) ? why : { output: outputs.options[0].value };
}

async function explain(row, signal) {
  const study = await take(model, row);
  const asked = { version: model.version, top: top(model), signal, made: true };
  const { answer, timing } = await api.predict(model.name, study.rows, asked).catch(ofFirst);
  return () => {
    found = { study, answers: answer };
    took.textContent = told(study.rows.length, timing);
    show();
  };
}

// What is wrong with the row is wrong with all that are made of it: it is said once.
function ofFirst(problem) {
  const faults = problem.faults?.filter(({ pointer }) => pointer.startsWith("/0/"));
  throw faults?.length ? new api.Problem(problem.status, { detail: problem.message, faults }) : problem;
}

function told(rows, { total, rows: batch }) {
  return `${count(rows, "row")}, answered in ${duration(total)}${batch > 1 ? `, batches of up to ${batch} rows` : ""}.`;
}

function show() {
  const { output, target } = wanted();
  const spec = model.outputs[output];
  outputs.value = output;
  offer(spec, targets(spec, found.answers[0][output]), target);
  const shown = choices.length
    ? explanation(found.study, found.answers, output, spec, choices.value)
    : h("p", {}, "This output has no number that could rise or fall, so there is nothing to show of it.");
  place.replaceChildren(shown);
}

// The labels, or numbers, that may be explained: first what the model itself says.
function offer(spec, offered, chosen) {
  choices.replaceChildren(...offered.map(([value, text]) => h("option", { value }, text)));
  if (offered.some(([value]) => value === chosen)) choices.value = chosen;
  const field = choices.closest(".field");
  field.hidden = offered.length < 2;
  find("label", field).textContent = spec.labels ? "Why this label" : "Why this number";
}

function choose(why) {
  state.save({ why });
  if (found) show();
}

outputs.value = wanted().output;
outputs.addEventListener("change", () => choose({ output: outputs.value }));
choices.addEventListener("change", () => choose({ output: outputs.value, ...(choices.selectedIndex && { target: choices.value }) }));
asks(explain);
