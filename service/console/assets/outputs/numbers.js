// An array of quantities: a small matrix as a table, a large one as a map, a series as bars or a line.

import { dimensions, squeezed } from "../arrays.js";
import { map } from "./map.js";
import { matrix } from "./matrix.js";
import * as number from "./number.js";
import { row, series } from "./series.js";
import { text } from "./text.js";

const TABLE = 6; // rows and columns that are still read one by one
const BARS = 16;

export const draw = ({ unit }, { values }) => drawn(values, unit);

export function drawn(values, unit) {
  const array = squeezed(values);
  const [rows, columns, deeper] = dimensions(array);
  if (rows === undefined) return number.draw({ unit }, { value: array }, []);
  if (deeper !== undefined || rows === 0 || columns === 0) return text(values);
  if (columns === undefined) return rows <= BARS ? row(array, unit) : series(array, unit);
  return rows <= TABLE && columns <= TABLE ? matrix(array, unit) : map(array, unit);
}
