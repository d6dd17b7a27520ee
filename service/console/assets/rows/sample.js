// Two rows to begin with: the example, twice, as a table.

import { written } from "./cells.js";
import { format } from "./csv.js";

export function example(model) {
  const names = Object.keys(model.inputs);
  const record = names.map((name) => written(model.example[name]));
  return format([names, record, record]);
}
