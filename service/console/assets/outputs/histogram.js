// How many of the test's answers lay where: bins between edges, tall where answers are dense; and the value's place.

import { svg } from "../dom.js";
import { count, digits, withUnit } from "../numbers.js";

const WIDTH = 320;
const HEIGHT = 72;
const LEAST = 3; // of a bin that is not empty

// `counts` has one bin below the first edge, one between each two, one above the last, and one for what is no number.
export function histogram({ edges, counts }, value, unit) {
  const [least, most] = [edges[0], edges.at(-1)];
  const x = (number) => (most > least ? (WIDTH * (Math.min(Math.max(number, least), most) - least)) / (most - least) : WIDTH / 2);
  const bins = edges.slice(1).map((high, at) => ({ low: edges[at], high, rows: counts[at + 1] }));
  const density = ({ low, high, rows }) => (high > low ? rows / (high - low) : 0);
  const tallest = Math.max(...bins.map(density)) || 1;
  const own = bins.find(({ low, high }) => value >= low && value <= high);
  const bar = (bin) => {
    const height = bin.rows && Math.max((HEIGHT * density(bin)) / tallest, LEAST);
    const width = Math.max(x(bin.high) - x(bin.low) - 1, 0.5);
    return svg("rect", { class: bin === own ? "own" : null, x: x(bin.low), y: HEIGHT - height, width, height });
  };
  const total = count(counts.reduce((sum, rows) => sum + rows, 0), "answer");
  const name = `Of ${total} in the model’s test, from ${withUnit(least, unit)} to ${withUnit(most, unit)}, where this one lies: ${withUnit(value, unit)}`;
  return svg(
    "svg",
    { class: "histogram", viewBox: `-6 -12 ${WIDTH + 12} ${HEIGHT + 32}`, role: "img", "aria-label": name },
    bins.map(bar),
    svg("line", { class: "ground", x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }),
    svg("line", { class: "place", x1: x(value), x2: x(value), y1: -2, y2: HEIGHT }),
    svg("path", { class: "place", d: `M ${x(value)} 0 l -5 -9 h 10 z` }),
    svg("text", { x: 0, y: HEIGHT + 16 }, digits(least)),
    svg("text", { class: "end", x: WIDTH, y: HEIGHT + 16 }, withUnit(most, unit)),
  );
}

// The share of the test's answers below the value, those of its own bin spread evenly.
export function place({ edges, counts }, value) {
  const total = counts.slice(0, -1).reduce((sum, rows) => sum + rows, 0);
  let below = value < edges[0] ? 0 : counts[0];
  edges.slice(1).forEach((high, at) => {
    const low = edges[at];
    const part = high > low ? Math.min(Math.max((value - low) / (high - low), 0), 1) : Number(value > low);
    below += part * counts[at + 1];
  });
  if (value > edges.at(-1)) below += counts[edges.length];
  return total ? below / total : 0;
}
