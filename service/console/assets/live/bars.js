// How often batches had how many rows, in the time that is shown: a bar for each of the buckets.

import { svg } from "../dom.js";
import { percent } from "../numbers.js";
import { short, ticks } from "./numbers.js";
import { EDGE, HEIGHT, Plot, empty, levels } from "./plot.js";

export class Bars extends Plot {
  first = "Rows";

  constructor(id, bounds) {
    super(id, [{ name: "Batches" }, { name: "Share" }]);
    this.labels = [...bounds.map((upper, at) => range((bounds[at - 1] || 0) + 1, upper)), `over ${bounds.at(-1)}`];
  }

  // The data: {batches, rows}, counts by bucket or null, and all their rows.
  picture() {
    const counts = this.data.batches || this.labels.map(() => 0);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const width = this.width;
    const room = (width - EDGE.left - EDGE.right) / counts.length;
    this.items = counts.map((count, at) => ({
      key: at,
      x: EDGE.left + (at + 0.5) * room,
      label: this.labels[at] === "1" ? "1 row" : `${this.labels[at]} rows`,
      values: [short(count), total ? percent(count / total) : "–"],
    }));
    this.all = { values: [short(total), total ? percent(1) : "–"], label: total ? `${short(this.data.rows / total)} rows on average` : "" };
    const { y, drawn } = levels(ticks(Math.max(1, ...counts), true), width, short);
    const every = room < 40 ? 2 : 1;
    return [
      drawn,
      counts.map((count, at) => bar(this.items[at].x, y(count), room, at === this.chosen)),
      this.items.map(({ x }, at) =>
        at % every ? null : svg("text", { x, y: HEIGHT - 6, "text-anchor": "middle" }, brief(this.labels[at])),
      ),
      total ? null : empty(width, "Nothing in this time"),
    ];
  }

  latest() {
    return this.all;
  }
}

function bar(x, top, room, chosen) {
  const width = Math.min(36, room * 0.7);
  const height = HEIGHT - EDGE.bottom - top;
  return svg("rect", { class: chosen ? "bar chosen" : "bar", x: x - width / 2, y: top, width, height, rx: 2 });
}

const range = (least, most) => (least === most ? `${most}` : `${least}–${most}`);
const brief = (label) => (label.startsWith("over") ? `>${label.slice(5)}` : `≤${label.split("–").at(-1)}`).replace(/^≤([12])$/, "$1");
