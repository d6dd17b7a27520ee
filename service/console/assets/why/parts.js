// A row, and rows that each lack one part of it: a word, a piece of a picture, a number.

import * as categories from "./categories.js";
import * as numbers from "./numbers.js";
import * as pictures from "./pictures.js";
import * as texts from "./texts.js";

const MOST_ROWS = 512;
const MOST_BYTES = 12e6; // of a body; a server takes 16 MiB unless it is told otherwise

const KINDS = { tokens: texts, image: pictures, category: categories, numbers, tensor: numbers };
const kind = (spec) => (spec.control === "string" ? texts : KINDS[spec.kind]);

// {rows, inputs: [{name, title, parts: [{label, done}], note, draw}]}; rows[0] is the row itself, then one per part.
export async function take(model, row) {
  const opened = await Promise.all(
    Object.entries(model.inputs).map(async ([name, spec]) => {
      const usual = model.distribution.inputs?.[name] || [];
      return [name, await kind(spec).open({ ...spec, name }, row[name], usual)];
    }),
  );
  const whole = Object.fromEntries(opened.map(([name, { value }]) => [name, value]));
  const most = Math.min(model.most_rows, MOST_ROWS, Math.floor(MOST_BYTES / JSON.stringify(whole).length)) - 1;
  const rows = [whole];
  const inputs = [];
  for (const [name, { parts, ...rest }] of opened) {
    const found = parts(Math.floor(most / opened.length));
    rows.push(...found.parts.map(({ value }) => ({ ...whole, [name]: value })));
    inputs.push({ name, title: model.inputs[name].title || name, ...rest, ...found });
  }
  return { rows, inputs };
}
