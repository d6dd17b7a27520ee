// One answer, every output drawn for what it is: outputs/ has a file per kind.

import { h } from "./dom.js";
import * as number from "./outputs/number.js";
import * as numbers from "./outputs/numbers.js";
import * as probabilities from "./outputs/probabilities.js";
import * as probability from "./outputs/probability.js";
import * as tensor from "./outputs/tensor.js";

const KINDS = { number, numbers, probabilities, probability, tensor };
const MOST_LABELS = 1000; // that the service gives

export function draw(model, answer) {
  const outputs = Object.entries(model.outputs).filter(([name]) => Object.hasOwn(answer, name));
  return h(
    "div",
    { class: "outputs" },
    outputs.map(([name, output]) => [h("h3", {}, output.title || name), drawOutput(model, name, answer[name])]),
  );
}

// One output, without its title.
export function drawOutput(model, name, value) {
  const output = model.outputs[name];
  const { draw: drawn } = KINDS[output.kind] || tensor;
  return h("div", { class: `output ${output.kind}` }, drawn(output, value, told(model, name)));
}

// How many labels to ask for, so that all can be shown: `top` of api.predict.
export function top(model) {
  const most = Object.values(model.outputs).map((output) => (output.labels || []).length);
  return Math.min(Math.max(5, ...most), MOST_LABELS);
}

// How the output's answers lay when the model was tested: features with their bins.
const told = (model, name) => ((model.distribution || {}).outputs || {})[name] || [];
