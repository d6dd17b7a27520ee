// Two versions of the page's model, and what each is asked.

import { top } from "../answer.js";
import * as api from "../api.js";
import { find } from "../dom.js";
import { model } from "../model.js";
import { sentence } from "../problems.js";
import { asker } from "../rows/ask.js";

// The version to compare with.
export const other = JSON.parse(find("#other").textContent);

const lacks = (some, others) => Object.keys(others).filter((name) => !Object.hasOwn(some, name));

// A row of the page's version as another takes it: without what it does not know, with its own example of what only
// it knows.
function fitting(version, row) {
  if (row === null || typeof row !== "object" || Array.isArray(row)) return row; // the service says what is wrong with it
  const value = (name) => (Object.hasOwn(row, name) || Object.hasOwn(model.inputs, name) ? row[name] : version.example[name]);
  const values = Object.keys(version.inputs).map((name) => [name, value(name)]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

// In what the two's inputs and outputs differ, in sentences.
export function unlike() {
  const [mine, its] = [model, other].map(({ version }) => `version ${version}`);
  return [
    ...lacks(other.inputs, model.inputs).map((name) => `${mine} takes ${name}, ${its} does not: it is asked without.`),
    ...lacks(model.inputs, other.inputs).map((name) => `${its} also takes ${name}, which ${mine} does not: it is asked with its own example of it.`),
    ...lacks(other.outputs, model.outputs).map((name) => `only ${mine} answers ${name}.`),
    ...lacks(model.outputs, other.outputs).map((name) => `only ${its} answers ${name}.`),
  ].map(sentence);
}

// The answer of a version to a row of the page's version, and what it took.
export const ask = (version, row, signal) =>
  api.predict(model.name, fitting(version, row), { version: version.version, top: top(version), signal });

// Asks both versions many rows, this page's first, as rows/ask.js does: a row that both know has an `answer`, the two of
// it; what one refuses the other is not asked.
export function askBoth(rows) {
  const both = [model, other].map((version) => ({ version, asked: rows.map(({ row, faults }) => ({ row: fitting(version, row), faults })) }));
  const askers = both.map(({ version, asked }) => asker(version, asked, top(version)));
  return async ({ signal, onProgress }) => {
    try {
      for (const [at, ask] of askers.entries()) {
        await ask({ signal, onProgress: (done, pause) => onProgress(Math.floor((at * rows.length + done) / 2), pause) });
      }
    } finally {
      for (const [at, one] of rows.entries()) {
        const answers = both.map(({ asked }) => asked[at].answer);
        if (answers.every(Boolean)) one.answer = answers;
      }
    }
  };
}
