// Two versions of the page's model, and what each is asked.

import { top } from "../answer.js";
import * as api from "../api.js";
import { find } from "../dom.js";
import { model } from "../model.js";
import { parts, pointer } from "../pointers.js";
import { sentence } from "../problems.js";

const MOST_ROWS = 512; // of one request

// The version to compare with.
export const other = JSON.parse(find("#other").textContent);

const lacks = (some, others) => Object.keys(others).filter((name) => !Object.hasOwn(some, name));

// A row of the page's version as another takes it: without what it does not know, with its own example of what only
// it knows.
const fitting = (version, row) =>
  Object.fromEntries(
    Object.keys(version.inputs)
      .map((name) => [name, Object.hasOwn(row, name) || Object.hasOwn(model.inputs, name) ? row[name] : version.example[name]])
      .filter(([, value]) => value !== undefined),
  );

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

// The answers of a version to rows, a few hundred at a time, and what the first lot took.
export async function ask(version, rows, signal) {
  const most = Math.min(MOST_ROWS, version.most_rows);
  const answers = [];
  let timing;
  for (let at = 0; at < rows.length; at += most) {
    const asked = rows.slice(at, at + most).map((row) => fitting(version, row));
    const told = await api.predict(model.name, asked, { version: version.version, top: top(version), signal }).catch((problem) => {
      throw moved(problem, at);
    });
    answers.push(...told.answer);
    timing ??= told.timing;
  }
  return { answers, timing };
}

// A fault's row counts from the first of all rows.
function moved(problem, by) {
  for (const fault of problem.faults ?? []) {
    const [row, ...path] = parts(fault.pointer);
    if (row !== undefined) fault.pointer = pointer(Number(row) + by, ...path);
  }
  return problem;
}
