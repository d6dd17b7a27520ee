// Rows beside their answers: as a table on the page, as CSV and as JSON.

import { h } from "../dom.js";
import { digits, percent } from "../numbers.js";
import { source } from "../pictures.js";
import { sentence } from "../problems.js";
import { head, scrolled, table as plain } from "../tables.js";
import { written } from "./cells.js";
import { format } from "./csv.js";

const LONGEST = 60; // characters of a cell on the page

// The columns of each output, as service/predict/columns.py has them: with a title, a value, and how people read it, but
// for units, which a page has in its head.
function columns(model) {
  const named = free(Object.keys(model.inputs));
  return Object.entries(model.outputs).flatMap(([name, { kind, unit, labels }]) => {
    const column = (part, shown, more) => ({ title: named(name), value: (answer) => answer[name][part], shown, ...more });
    const units = unit ? [{ title: named(`${name}.unit`), value: () => unit }] : [];
    if (kind === "number") return [column("value", digits, { unit, number: true }), ...units];
    if (kind === "numbers") return [column("values", short, { unit }), ...units];
    if (!labels) return [{ title: named(name), value: (answer) => answer[name], shown: short }];
    return [column("label", String), column("probability", percent, { title: named(`${name}.probability`), number: true })];
  });
}

// A name, or another where an input is called so.
export const free = (taken) => (name) => (taken.includes(name) ? `answer.${name}` : name);

// Answers come before the inputs, so that they are seen where a narrow screen cuts the table.
export function table(model, rows, most, answered) {
  const inputs = Object.entries(model.inputs);
  const outputs = answered ? columns(model).filter(({ shown }) => shown) : [];
  const titled = ({ title, unit, number }) => head(unit ? `${title} (${unit})` : title, number);
  const first = rows.slice(0, most).map((one, at) => line(one, at, inputs, outputs));
  const heads = [head("Row"), outputs.map(titled), inputs.map(([name]) => head(name))];
  const box = scrolled(answered ? "Rows and their answers" : "The rows as they are read", plain(heads, first));
  box.classList.add("rows-table");
  return box;
}

function line({ row, faults, answer }, at, inputs, outputs) {
  const strange = faults.filter(({ column }) => !inputs.some(([name]) => name === column));
  return h(
    "tr",
    { class: faults.length > 0 && "wrong" },
    h("th", { scope: "row" }, at + 1, strange.map(fault)),
    outputs.map(({ value, shown, number }) => h("td", { class: number && "number" }, answer ? shown(value(answer)) : "–")),
    inputs.map(([name, input]) => {
      const own = faults.filter(({ column }) => column === name);
      return h("td", {}, given(input, row?.[name], at), own.map(fault));
    }),
  );
}

const fault = ({ column, detail }) => h("p", { class: "fault" }, column ? detail : sentence(detail));

// What a cell shows of an input: of a picture the picture.
export function given(input, value, at) {
  const encoded = input.kind === "image" && typeof value === "string";
  if (!encoded) return short(value);
  const picture = h("img", { class: "thumb", src: source(value), alt: `Picture of row ${at + 1}` });
  picture.addEventListener("error", () => picture.replaceWith(short(value)));
  return picture;
}

// A value in a cell; a long one is cut.
export function short(value) {
  const text = written(value);
  return text.length > LONGEST ? h("span", { title: text.slice(0, 1000) }, `${text.slice(0, LONGEST)}…`) : text;
}

// What was wrong with a row, in words that name it.
export const faulty = (rows) =>
  rows.flatMap(({ faults }, at) => faults.map(({ column, detail }) => `Row ${at + 1}${column ? `, ${column}` : ""}: ${detail}`));

const problems = ({ faults }) => faults.map(({ column, detail }) => (column ? `${column}: ${detail}` : detail)).join("; ");

export function asCsv(model, rows) {
  const [inputs, outputs] = [Object.keys(model.inputs), columns(model)];
  const anyFault = rows.some(({ faults }) => faults.length);
  const head = [...inputs, ...outputs.map(({ title }) => title), ...(anyFault ? [free(inputs)("error")] : [])];
  const record = (one) => [
    ...inputs.map((name) => written(one.row?.[name])),
    ...outputs.map(({ value }) => (one.answer ? written(value(one.answer)) : "")),
    ...(anyFault ? [problems(one)] : []),
  ];
  return format([head, ...rows.map(record)]);
}

// Each row with its answer, or why it has none.
export function asJson(model, rows) {
  const named = free(Object.keys(model.inputs));
  const said = (one) => (one.answer ? Object.entries(one.answer) : [["error", problems(one) || "not asked"]]);
  return JSON.stringify(rows.map((one) => ({ ...one.row, ...Object.fromEntries(said(one).map(([name, value]) => [named(name), value])) })), null, 1);
}
