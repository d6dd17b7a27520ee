// Two versions on many rows: how often and how far they differ, the rows that differ most first.

import { h } from "../dom.js";
import { model } from "../model.js";
import { count } from "../numbers.js";
import { given } from "../rows/results.js";
import { isLabelled } from "../score.js";
import { head, scrolled, table } from "../tables.js";
import { difference, summary } from "./difference.js";
import { other } from "./versions.js";

const MOST_LISTED = 20;

export const drawn = (rows) => ({ actions: [], results: h("div", { class: "found" }, found(rows)) });

function found(rows) {
  const answered = rows.map(({ row, answer }, at) => ({ row, answer, at })).filter(({ answer }) => answer);
  if (!answered.length) return [];
  return Object.entries(model.outputs)
    .filter(([name]) => Object.hasOwn(other.outputs, name))
    .map(([name, spec]) => {
      const compared = answered.map(({ answer: [one, two], ...rest }) => ({
        ...rest,
        ...difference(spec, other.outputs[name], one[name], two[name]),
      }));
      return h("div", {}, h("h3", {}, spec.title || name), output(spec, compared));
    });
}

function output(spec, compared) {
  if (compared.some(({ words }) => words === undefined)) {
    return h("p", {}, "The two versions answer different kinds of things here, which cannot be compared.");
  }
  const most = furthest(spec, compared);
  const first = most.length > MOST_LISTED && h("p", { class: "hint" }, `The ${count(MOST_LISTED, "row")} that differ most:`);
  return [h("p", {}, summary(spec, compared)), first, most.length > 0 && listed(spec, most.slice(0, MOST_LISTED))];
}

// Those that differ, another label first.
function furthest(spec, compared) {
  const worse = (one, two) => isLabelled(spec) * (two.differs - one.differs) || two.size - one.size;
  return compared.filter(({ size, differs }) => differs || size > 0).sort(worse);
}

function listed(spec, most) {
  const versions = [`Version ${model.version}`, `Version ${other.version}`, `From ${model.version} to ${other.version}`];
  const inputs = Object.entries(model.inputs);
  const heads = [head("Row", true), ...inputs.map(([name, { title }]) => head(title || name)), ...versions.map((text) => head(text))];
  const line = ({ row, at, first, second, words, differs }) =>
    h(
      "tr",
      {},
      h("td", { class: "number" }, String(at + 1)),
      inputs.map(([name, input]) => h("td", {}, given(input, row[name], at))),
      h("td", {}, first),
      h("td", {}, second),
      h("td", {}, differs && isLabelled(spec) ? h("b", {}, words) : words),
    );
  return scrolled(`Rows that differ most: ${spec.title}`, table(heads, most.map(line)));
}
