// Nested lists of numbers, as JSON has them.

export function dimensions(array) {
  return Array.isArray(array) ? [array.length, ...dimensions(array[0])] : [];
}

// Without axes of size 1, which say nothing: [[[2]], [[3]]] as [2, 3].
export function squeezed(array) {
  if (!Array.isArray(array)) return array;
  const inner = array.map(squeezed);
  return inner.length === 1 ? inner[0] : inner;
}

export const isNumbers = (array) =>
  Array.isArray(array) ? array.every(isNumbers) : typeof array === "number" || array === null;

// [least, most] of what is a number; [0, 0] of nothing. No spread: a call takes only so many arguments.
export function bounds(array) {
  const known = array.flat(Infinity).filter(Number.isFinite);
  let [least = 0, most = 0] = [known[0], known[0]];
  for (const number of known) {
    if (number < least) least = number;
    if (number > most) most = number;
  }
  return [least, most];
}

// All that stands in it, one after another; of what is no list, itself.
export const flat = (value) => (Array.isArray(value) ? value.flatMap(flat) : [value]);

export const mean = (numbers) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
