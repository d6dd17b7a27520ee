// Live: the last hour of the server, in charts and numbers, as it comes.

import { all, find, h } from "../dom.js";
import { Bars } from "../live/bars.js";
import { follow } from "../live/feed.js";
import { Lines } from "../live/lines.js";
import { sideBySide } from "../live/models.js";
import { points, quantile, short, together } from "../live/numbers.js";
import * as state from "../state.js";

const KEPT = 3600; // seconds of samples
const NOW = 3; // samples that are now
const LEAST = 1000; // milliseconds between two pictures
const STEPS = { 300: 1, 900: 1, 3600: 20 }; // seconds of a point, by those that are shown
const STATES = { live: "Live", lost: "Connection lost. Trying again …" };

const known = JSON.parse(find("#live").textContent);
const chosen = { model: "", range: "300", ...state.load().live };
const within = (share) => (point) => {
  const seconds = quantile(share, known.seconds, point.took);
  return seconds === null ? null : 1000 * seconds;
};
const each = (count) => (point) => point.seconds ? count(point) / point.seconds : null;
const asked = each(({ ok, errors, refused }) => ok + errors + refused);
const rows = each((point) => point.rows);
const errors = each((point) => point.errors);
const refused = each((point) => point.refused);

const charts = [
  new Lines("throughput", [
    { name: "Requests", style: "one", value: asked },
    { name: "Rows", style: "two", value: rows },
  ], { area: true }),
  new Lines("took", [
    { name: "Half within", style: "one", value: within(0.5) },
    { name: "95 %", style: "two", value: within(0.95) },
    { name: "99 %", style: "three", value: within(0.99) },
  ]),
  new Lines("failed", [
    { name: "Errors", style: "three", value: errors },
    { name: "Refused", style: "two", value: refused },
  ]),
  new Lines("waiting", [{ name: "Rows", style: "one", value: (point) => point.waiting }], { whole: true, area: true }),
];
const batches = new Bars("batches", known.rows);

const showModels = sideBySide(known.models, (model) => choose({ model }));

let samples = [];
let paused = false;
let drawn = -LEAST;
let timer = 0;

function draw() {
  drawn = performance.now();
  if (!samples.length) return;
  const to = samples.at(-1).at;
  const from = to - Number(chosen.range);
  const shown = samples.filter(({ at }) => at > from);
  const data = { points: points(shown, chosen.model, STEPS[chosen.range]), from, to };
  for (const chart of charts) chart.show(data);
  batches.show(together(shown, chosen.model));
  const now = samples.slice(-NOW);
  tell({ ...together(now, chosen.model), waiting: together(now.slice(-1), chosen.model).waiting });
  showModels((model) => brief(together(now, model)), chosen.model, shown.flatMap((sample) => Object.keys(sample.models)));
}

const rate = (value) => [value === null ? "–" : short(value), "/s"];
const time = (value) => (value === null ? ["–", ""] : value < 1000 ? [short(value), "ms"] : [short(value / 1000), "s"]);

// A model's numbers in its row.
function brief(now) {
  const took = [0.5, 0.95].map((share) => time(within(share)(now)).join(" "));
  return [rate(asked(now))[0], ...took, rate(errors(now))[0]];
}

// The large numbers.
function tell(now) {
  const values = {
    requests: rate(asked(now)),
    rows: rate(rows(now)),
    p50: time(within(0.5)(now)),
    p95: time(within(0.95)(now)),
    p99: time(within(0.99)(now)),
    errors: rate(errors(now)),
    refused: rate(refused(now)),
    waiting: [short(now.waiting), ""],
  };
  for (const [name, [value, unit]] of Object.entries(values)) {
    const place = find(`[data-now="${name}"]`);
    place.replaceChildren(value, h("small", {}, ` ${unit}`));
    place.toggleAttribute("data-bad", (name === "errors" || name === "refused") && now[name] > 0);
  }
}

// Draw soon: once for all that comes meanwhile, and never for somebody who does not look.
function soon() {
  if (timer || paused || document.hidden) return;
  timer = setTimeout(() => {
    timer = 0;
    if (!paused) draw();
  }, Math.max(0, drawn + LEAST - performance.now()));
}

function take(later) {
  if (later.length) {
    const { at: to, server } = later.at(-1);
    samples = [...samples, ...later].filter((sample) => sample.server === server && sample.at > to - KEPT);
    whose(server);
  }
  soon();
}

// Behind a balancer another server may answer from now on, with all that is its own.
function whose(server) {
  const place = find("#server");
  if (place.textContent !== server) place.textContent = server; // it is read aloud
}

let how = "";

function say(now) {
  how = now || how;
  const place = find("#state");
  const text = paused && how === "live" ? "Paused" : STATES[how];
  place.dataset.state = paused && how === "live" ? "paused" : how;
  if (place.textContent !== text) place.textContent = text; // it is read aloud
}

function choose(patch) {
  Object.assign(chosen, patch);
  which.value = chosen.model;
  state.save({ live: chosen });
  draw();
}

const which = find("#which");
if (![...which.options].some(({ value }) => value === chosen.model)) chosen.model = "";
if (!(chosen.range in STEPS)) chosen.range = "300";
which.value = chosen.model;
which.addEventListener("change", () => choose({ model: which.value }));
for (const input of all('[name="range"]')) {
  input.checked = input.value === chosen.range;
  input.addEventListener("change", () => choose({ range: input.value }));
}

const pause = find("#pause");
pause.addEventListener("click", () => {
  paused = !paused;
  pause.textContent = paused ? "Go on" : "Pause";
  say();
  if (!paused) draw();
});

tell(together([], ""));
follow(take, say);
