// Viridis, from a few of its colours: equal steps look equal, and its lightness rises, so that it reads without colour.

const STOPS = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

// [red, green, blue] of a share from 0 to 1.
export function colour(share) {
  const place = Math.min(Math.max(share || 0, 0), 1) * (STOPS.length - 1);
  const at = Math.min(Math.floor(place), STOPS.length - 2);
  return STOPS[at].map((level, channel) => Math.round(level + (place - at) * (STOPS[at + 1][channel] - level)));
}

export const gradient = () => `linear-gradient(to right, ${STOPS.map((stop) => `rgb(${stop.join(" ")})`).join(", ")})`;
