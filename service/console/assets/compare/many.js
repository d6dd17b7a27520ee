// Two versions on many rows: how often and how far they differ, the rows that differ most first.

import { find, h } from "../dom.js";
import { late } from "../late.js";
import { model } from "../model.js";
import { told } from "../problems.js";
import { blame } from "../rows/ask.js";
import { read as parsed } from "../rows/read.js";
import { faulty, short } from "../rows/results.js";
import { isLabelled } from "../score.js";
import { head, scrolled, table } from "../tables.js";
import { difference, summary } from "./difference.js";
import { ask, other } from "./versions.js";

const MOST_LISTED = 20;
const MOST_FAULTS = 10;

export function compareMany(section) {
  const text = find("textarea", section);
  const fault = find(".fault", section);
  const place = find(".found", section);
  const busy = late(find("button", section));
  let running = new AbortController();
  const refuse = (message) => {
    fault.textContent = message;
    fault.hidden = !message;
    text.setAttribute("aria-invalid", Boolean(message));
  };
  find("form", section).addEventListener("submit", async (event) => {
    event.preventDefault();
    running.abort();
    const mine = (running = new AbortController());
    refuse("");
    place.replaceChildren();
    busy(true);
    let read = [];
    try {
      read = rowsOf(text.value);
      const rows = read.map(({ row }) => row);
      const [one, two] = await Promise.all([model, other].map((version) => ask(version, rows, mine.signal)));
      place.replaceChildren(...found(rows, one.answers, two.answers));
    } catch (problem) {
      if (mine === running) refuse(blame(read, problem) ? wrong(read) : told(problem));
    } finally {
      if (mine === running) busy(false);
    }
  });
}

const wrong = (rows) => faulty(rows).slice(0, MOST_FAULTS).join("; ");

function rowsOf(text) {
  if (!text.trim()) throw new Error("Paste some rows first.");
  const { rows } = parsed(text, model.inputs);
  if (wrong(rows)) throw new Error(wrong(rows));
  const strange = rows.findIndex(({ row }) => row === null || typeof row !== "object" || Array.isArray(row));
  if (strange >= 0) throw new Error(`Row ${strange + 1} is no object such as {"${Object.keys(model.inputs)[0]}": …}.`);
  return rows;
}

function found(rows, ones, twos) {
  return Object.entries(model.outputs)
    .filter(([name]) => Object.hasOwn(other.outputs, name))
    .map(([name, spec]) => {
      const compared = rows.map((row, at) => ({ row, at, ...difference(spec, other.outputs[name], ones[at][name], twos[at][name]) }));
      return h("div", {}, h("h3", {}, spec.title || name), output(spec, compared));
    });
}

function output(spec, compared) {
  if (compared.some(({ words }) => words === undefined)) {
    return h("p", {}, "The two versions answer different kinds of things here, which cannot be compared.");
  }
  const most = furthest(spec, compared);
  return [h("p", {}, summary(spec, compared)), most.length > 0 && listed(spec, most)];
}

// Those that differ, another label first.
function furthest(spec, compared) {
  const worse = (one, two) => isLabelled(spec) * (two.differs - one.differs) || two.size - one.size;
  return compared.filter(({ size, differs }) => differs || size > 0).sort(worse).slice(0, MOST_LISTED);
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
      inputs.map(([name]) => h("td", {}, short(row[name]))),
      h("td", {}, first),
      h("td", {}, second),
      h("td", {}, differs && isLabelled(spec) ? h("b", {}, words) : words),
    );
  return scrolled(`Rows that differ most: ${spec.title}`, table(heads, most.map(line)));
}
