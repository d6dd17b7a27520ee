// Numbers over time: a line for each, which breaks where nobody looked or there was nothing to measure.

import { svg } from "../dom.js";
import { clock, short, ticks } from "./numbers.js";
import { EDGE, HEIGHT, Plot, empty, levels } from "./plot.js";

const GAP = 6; // seconds between two samples that nobody took

export class Lines extends Plot {
  first = "Time";

  // `keys`: [{name, style, value: point => number | null}]
  constructor(id, keys, { whole = false, area = false } = {}) {
    super(id, keys);
    this.whole = whole;
    this.area = area;
  }

  // The data: {points, from, to}, in seconds since 1970.
  picture() {
    const { points, from, to } = this.data;
    const width = this.width;
    const x = (at) => EDGE.left + ((at - from) / (to - from)) * (width - EDGE.left - EDGE.right);
    const values = points.map((point) => this.keys.map(({ value }) => value(point)));
    this.items = points.map((point, at) => ({
      key: point.at,
      x: x(point.at),
      label: clock(point.at),
      values: values[at].map((value) => (value === null ? "–" : short(value))),
    }));
    const most = Math.max(0, ...values.flat());
    const { y, drawn } = levels(ticks(most || 1, this.whole || !most), width, short);
    const place = (key) => points.map((point, at) => ({ point, x: x(point.at), y: values[at][key] === null ? null : y(values[at][key]) }));
    return [
      drawn,
      times(from, to, x),
      this.area && pieces(place(0)).map((piece) => svg("path", { class: "area one", d: filled(piece) })),
      this.keys.map(({ style }, key) => svg("path", { class: `line ${style}`, d: pieces(place(key)).map(path).join("") })),
      values.flat().some((value) => value !== null) ? null : empty(width, "Nothing in this time"),
      this.cursor(values, y),
    ];
  }

  // A rule through what is chosen, and a dot on each line.
  cursor(values, y) {
    const at = this.items.findIndex((item) => item.key === this.chosen);
    if (at < 0) return null;
    const { x } = this.items[at];
    const dots = this.keys.map(({ style }, key) =>
      values[at][key] === null ? null : svg("circle", { class: `dot ${style}`, cx: x, cy: y(values[at][key]), r: 4 }),
    );
    return [svg("line", { class: "cursor", x1: x, x2: x, y1: EDGE.top, y2: HEIGHT - EDGE.bottom }), dots];
  }

  // The latest first.
  order() {
    return this.items.toReversed();
  }
}

// Runs of points with nothing missing between them.
function pieces(places) {
  const found = [];
  let before = null;
  for (const place of places) {
    if (place.y !== null) {
      const goesOn = before && before.y !== null && place.point.at - place.point.seconds - before.point.at < GAP;
      if (goesOn) found.at(-1).push(place);
      else found.push([place]);
    }
    before = place;
  }
  return found;
}

const spot = ({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`;
const path = (piece) => (piece.length > 1 ? `M${piece.map(spot).join("L")}` : `M${spot(piece[0])}h0.01`);
const filled = (piece) =>
  `M${piece[0].x.toFixed(1)} ${HEIGHT - EDGE.bottom}L${piece.map(spot).join("L")}V${HEIGHT - EDGE.bottom}Z`;

// The times below, at round minutes; fewer where there is little room.
function times(from, to, x) {
  const room = x(to) - x(from);
  const step = [60, 120, 300, 600, 900, 1800].find((seconds) => (room * seconds) / (to - from) > 64) || 3600;
  const zone = new Date(to * 1000).getTimezoneOffset() * 60;
  const found = [];
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= to; at += step) {
    if (x(at) > x(to) - 16) continue;
    found.push(svg("text", { x: x(at), y: HEIGHT - 6, "text-anchor": "middle" }, clock(at, false)));
  }
  return found;
}
