// What one output's score does without each part of the row, in shades and in a table.

import { h } from "../dom.js";
import { change, figure, isLabelled, isNothing, place, score } from "../score.js";
import { head, scrolled, table } from "../tables.js";
import { SIGNS } from "./shades.js";

const MOST_LISTED = 10;
const LITTLE = 0.01; // of 1, for probabilities, or of the number itself: less is no reason to shade anything fully

// The element; `answers` go with `study.rows`, see parts.js.
export function explanation(study, answers, output, spec, target) {
  const scores = answers.map((answer) => score(spec, answer[output], target));
  const results = judged(study, scores, spec);
  const views = study.inputs.map((input) => view(input, results.filter((result) => result.input === input)));
  return h("div", {}, sentence(spec, target, scores[0], results), views, legend(spec, target), strongest(study, spec, results));
}

// Every part with what its lack changes.
function judged(study, scores, spec) {
  const parts = study.inputs.flatMap((input) => input.parts.map((part) => ({ input, ...part })));
  const changes = parts.map((_, index) => scores[index + 1] - scores[0]);
  const least = LITTLE * (isLabelled(spec) ? 1 : Math.abs(scores[0]) || 1);
  const most = changes.reduce((found, each) => Math.max(found, Math.abs(each) || 0), least);
  return parts.map((part, index) => {
    const by = changes[index];
    const named = [part.told ?? part.label, part.place, part.done].filter(Boolean).join(", ");
    const to = `${figure(spec, scores[0])} → ${figure(spec, scores[index + 1])}`;
    return { ...part, by, share: -by / most || 0, text: `${named}: ${to} (${change(spec, by)})` };
  });
}

function view(input, results) {
  return h(
    "div",
    { class: "why-input" },
    h("h3", {}, input.title),
    input.note && h("p", { class: "hint" }, input.note),
    results.length ? input.draw(results) : null,
  );
}

// What is weighed: "the probability of kitchen".
const thing = (spec, target, the = "the") => {
  if (isLabelled(spec)) return [`${the} probability of `, h("b", {}, target)];
  if (target) return [`${the} number at ${place(target)}`];
  return [spec.kind === "number" ? `${the} value` : `${the} mean`];
};

// What a part does that makes a score fall, or rise, when it is missing.
const effect = (spec) => (isLabelled(spec) ? ["for", "against"] : ["up", "down"]);

function sentence(spec, target, own, results) {
  const most = results.reduce((found, { by }) => Math.max(found, Math.abs(by) || 0), 0);
  const little = results.length && most < LITTLE * (isLabelled(spec) ? 1 : Math.abs(own) || 1);
  return [
    h("p", {}, spec.kind === "number" ? `${spec.title}: ` : [...thing(spec, target, "The"), " is "], h("b", {}, figure(spec, own)), "."),
    little ? h("p", { class: "hint" }, "No part by itself changes much.") : null,
  ];
}

function legend(spec, target) {
  const says = (word, what) => h("li", {}, h("span", { class: `shade ${word}` }, SIGNS[word]), " ", what);
  return h(
    "div",
    { class: "why-legend" },
    h(
      "ul",
      {},
      says("for", [isLabelled(spec) ? "speaks for it" : "pushes it up", ": without it, ", thing(spec, target), " falls"]),
      says("against", [isLabelled(spec) ? "speaks against it" : "pushes it down", ": without it, ", thing(spec, target), " rises"]),
    ),
    h("p", { class: "hint" }, "This shows what changes when one part is missing. Parts work together, so shades do not add up; and a part that is said twice may matter little each time. It shows what the model does, not whether that is right."),
  );
}

function strongest(study, spec, results) {
  const shown = results.filter(({ by }) => !isNothing(spec, by));
  const most = shown.sort((one, other) => Math.abs(other.by) - Math.abs(one.by)).slice(0, MOST_LISTED);
  if (!most.length) return null;
  const alike = new Set(most.map(({ done }) => done)).size === 1;
  const several = study.inputs.length > 1;
  const row = ({ input, label, told, place: where, done, by }) =>
    h(
      "tr",
      {},
      h("td", {}, told ?? label, " ", h("span", { class: "hint" }, [where, !alike && done, several && input.title].filter(Boolean).join(", "))),
      h("td", { class: "number" }, change(spec, by)),
      h("td", {}, effect(spec)[Number(by > 0)]),
    );
  const title = alike && most[0].done ? `What matters most, when ${most[0].done}` : "What matters most";
  const heads = [head("Part"), head("Change", true), head("Effect")];
  return h("div", { class: "why-table" }, h("h3", {}, title), scrolled(title, table(heads, most.map(row))));
}
