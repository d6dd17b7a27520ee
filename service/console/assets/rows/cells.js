// One cell of a table as the JSON value of an input, as service/predict/values.py reads it; an Error says what it should
// have been. Cases that both must read alike: tests/service/tables.json.

const TRUTHS = new Map([["true", true], ["1", true], ["false", false], ["0", false]]);

export function value({ kind, labels, dtype, dims }, cell) {
  if (kind === "tokens" || kind === "image") return list(cell) ?? cell;
  if (kind === "category") return labels.includes(cell) || !/^\d+$/.test(cell) ? cell : Number(cell);
  const single = !dims.length || (dims.length === 1 && dims[0] === 1);
  if (dtype === "string") return single ? cell : list(cell) ?? [cell];
  const read = dtype === "bool" ? truth : number;
  if (single) return (dims.length && list(cell)) || read(cell);
  if (cell.trim().startsWith("[")) return list(cell) ?? refuse("a list such as [1, 2]", cell);
  return cell.trim().split(/[\s,;]+/).map(read);
}

// A list in JSON; undefined of all else.
function list(cell) {
  const found = cell.trim().startsWith("[") ? json(cell) : undefined;
  return Array.isArray(found) ? found : undefined;
}

function json(cell) {
  try {
    return JSON.parse(cell);
  } catch {
    return undefined;
  }
}

function number(cell) {
  const found = json(cell);
  return Number.isFinite(found) ? found : refuse("a number", cell);
}

const truth = (cell) => TRUTHS.get(cell.trim().toLowerCase()) ?? refuse("true or false", cell);

function refuse(wanted, cell) {
  throw new Error(`expected ${wanted}, got ${shown(cell)}`);
}

const shown = (cell) => (cell.trim() ? `“${cell.length > 40 ? `${cell.slice(0, 40)}…` : cell}”` : "nothing");

// The value of an input as a cell that `value` reads.
export function written(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
