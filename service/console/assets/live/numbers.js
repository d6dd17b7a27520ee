// What samples say together, and how numbers are written. The samples are those of service/live/samples.py.

import { digits } from "../numbers.js";

const COUNTS = ["ok", "errors", "refused", "rows"];

const add = (sum, counts) => (sum ? sum.map((count, at) => count + counts[at]) : [...counts]);

// Samples as one, of one model or, for "", of all: what came, in how many seconds, and the most that waited.
export function together(samples, model) {
  const sum = { at: 0, seconds: 0, ok: 0, errors: 0, refused: 0, rows: 0, waiting: 0, took: null, batches: null };
  for (const sample of samples) {
    sum.at = sample.at;
    sum.seconds += sample.seconds;
    const models = model ? [sample.models[model] || {}] : Object.values(sample.models);
    let waiting = 0;
    for (const row of models) {
      for (const name of COUNTS) sum[name] += row[name] || 0;
      for (const name of ["took", "batches"]) if (row[name]) sum[name] = add(sum[name], row[name]);
      waiting += row.waiting || 0;
    }
    sum.waiting = Math.max(sum.waiting, waiting);
  }
  return sum;
}

// Points of a chart: what the samples of so many seconds say together.
export function points(samples, model, step) {
  const groups = Map.groupBy(samples, (sample) => Math.floor(sample.at / step));
  return [...groups.values()].map((group) => together(group, model));
}

// Below which amount such a share lies, as Prometheus' histogram_quantile reckons; null of nothing.
export function quantile(share, bounds, counts) {
  const total = counts ? counts.reduce((sum, count) => sum + count, 0) : 0;
  if (!total) return null;
  const rank = share * total;
  let lower = 0;
  let below = 0;
  for (const [at, upper] of bounds.entries()) {
    const count = counts[at];
    if (count && below + count >= rank) return lower + ((upper - lower) * Math.max(rank - below, 0)) / count;
    below += count;
    lower = upper;
  }
  return bounds.at(-1);
}

// Numbers that change every few seconds have fewer digits, so that they can be followed.
export const short = (number) => digits(number, Math.abs(number) < 1 ? 2 : 3);

// Bounds of an axis from 0: [0, step, 2 · step, …], of few and round numbers, up to `most` or just above.
export function ticks(most, whole = false) {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) * power;
  if (whole) step = Math.max(1, Math.ceil(step));
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, at) => at * step);
}

export const clock = (at, seconds = true) =>
  new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined, hour12: false });
