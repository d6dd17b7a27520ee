// The form of one row: its values as a row in JSON, an example in it, and faults beside what they are about.
// Each control, inputs/<control>.js, has mount(field, input, changed) → {read, fill, spot?}: read throws a Misfit of what
// it cannot read, fill leaves alone what it cannot show, and spot finds the element that a path below the input is about.

import { Problem } from "./api.js";
import { all, find } from "./dom.js";
import * as category from "./inputs/category.js";
import * as grid from "./inputs/grid.js";
import * as image from "./inputs/image.js";
import * as json from "./inputs/json.js";
import { Misfit } from "./inputs/misfit.js";
import * as number from "./inputs/number.js";
import * as series from "./inputs/series.js";
import * as string from "./inputs/string.js";
import * as tokens from "./inputs/tokens.js";
import { model } from "./model.js";
import { parts, pointer } from "./pointers.js";
import { sentence, told, where } from "./problems.js";

const CONTROLS = { category, grid, image, json, number, series, string, tokens };

const form = find("#row");
const listeners = [];
const changed = () => listeners.forEach((call) => call());

const fields = new Map(
  all("[data-control]", form).map((element) => {
    const { name, control } = element.dataset;
    return [name, { element, ...CONTROLS[control].mount(element, model.inputs[name], changed) }];
  }),
);

// The row as it stands; a Problem names every field that cannot be read.
export function read() {
  const values = [];
  const faults = [];
  for (const [name, field] of fields) {
    try {
      values.push([name, field.read()]);
    } catch (misfit) {
      if (!(misfit instanceof Misfit)) throw misfit;
      faults.push({ pointer: pointer(name) + misfit.path, detail: misfit.message });
    }
  }
  if (faults.length) throw new Problem(0, { detail: "Some inputs cannot be read.", faults });
  return Object.fromEntries(values);
}

// Show another row; of inputs it does not name, what stands there stays.
export function fill(row) {
  for (const [name, field] of fields) {
    if (Object.hasOwn(row, name)) field.fill(row[name]);
  }
}

// Show what was refused, each fault beside its field, and go to the first; of null, all is well.
export function refuse(problem) {
  for (const element of all(".fault", form)) element.hidden = true;
  for (const element of all("[aria-invalid]", form)) element.removeAttribute("aria-invalid");
  if (!problem) return;
  const others = [];
  const marked = [];
  for (const fault of problem.faults || []) {
    const [name, path] = place(fault.pointer);
    if (fields.has(name)) marked.push(mark(fields.get(name), path, fault.detail));
    else others.push(fault.detail);
  }
  if (!marked.length || others.length) say(others.length ? others.join(" ") : told(problem));
  const first = all("[aria-invalid]", form)[0];
  if (first) first.focus();
}

function mark(field, path, detail) {
  const spot = (field.spot && field.spot(path)) || find("textarea, select, input:not([type=file]), button", field.element);
  spot.setAttribute("aria-invalid", "true");
  const fault = all(".fault", field.element).at(-1);
  const text = sentence(where(path, spot) + detail);
  fault.textContent = fault.hidden ? text : `${fault.textContent} ${text}`;
  fault.hidden = false;
  return spot;
}

function say(text) {
  const overall = find("#fault", form);
  overall.textContent = text;
  overall.hidden = false;
}

// The input that a JSON pointer is about, and the path below it: /text/3, or of several rows /2/text/3.
function place(pointer) {
  const [first, ...path] = parts(pointer);
  return !fields.has(first) && fields.has(path[0]) ? [path[0], path.slice(1)] : [first, path];
}

export const onSubmit = (call) =>
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    call();
  });

export const onChange = (call) => listeners.push(call);

// Ctrl or Cmd with Enter asks from anywhere in the form, as Enter does in a field of one line.
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

find("#example", form).addEventListener("click", () => {
  refuse(null);
  fill(model.example);
  changed();
  form.requestSubmit();
});
