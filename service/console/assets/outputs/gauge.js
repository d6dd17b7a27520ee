// A half circle from the least to the most, filled as far as the value goes.

import { svg } from "../dom.js";
import { digits } from "../numbers.js";

const RADIUS = 80;

export function gauge(value, minimum, maximum) {
  const share = Math.min(Math.max((value - minimum) / (maximum - minimum), 0), 1);
  return svg(
    "svg",
    { class: "gauge", viewBox: "-100 -92 200 112", role: "img", "aria-label": `${digits(value)} on a scale from ${digits(minimum)} to ${digits(maximum)}` },
    svg("path", { class: "track", d: arc(1) }),
    share > 0 && svg("path", { class: "filled", d: arc(share) }),
    svg("circle", { class: "knob", cx: at(share)[0], cy: at(share)[1], r: 9 }),
    svg("text", { x: -RADIUS, y: 18 }, digits(minimum)),
    svg("text", { x: 0, y: 0 }, digits((minimum + maximum) / 2)),
    svg("text", { x: RADIUS, y: 18 }, digits(maximum)),
  );
}

// Where a share of the half circle ends, from the left.
function at(share) {
  const angle = Math.PI * (1 - share);
  return [RADIUS * Math.cos(angle), -RADIUS * Math.sin(angle)].map((number) => Number(number.toFixed(2)));
}

const arc = (share) => `M ${-RADIUS} 0 A ${RADIUS} ${RADIUS} 0 0 1 ${at(share).join(" ")}`;
