// Many rows, asked a part at a time: fewer after a part that came to nothing, more after one that was answered.

import * as api from "../api.js";
import { parts } from "../pointers.js";
import { told } from "../problems.js";

const ROWS = 256;
const CHARACTERS = 1_000_000; // of JSON in one request, if it has several rows
const TRIES = 6; // while the service is busy
const PAUSE = 500; // milliseconds, longer each time, and as long as the service says
const MOST_PAUSE = 30_000;
const BUSY = [429, 503];
const HOPE = 3; // rows, one after another, on each of which alone the model failed: it is not the rows

// Every item of `rows` is {row, faults}. What comes back asks those without faults: each gets its `answer`, or further
// faults, and `onProgress` hears how many are done, and how long the service wants to be left alone. After a Problem, or
// an abort, call it again to go on. `top` is that of api.predict.
export function asker(model, rows, top) {
  const limit = Math.min(model.most_rows, ROWS);
  let most = limit;
  return async ({ signal, onProgress }) => {
    let open = rows.filter(isOpen);
    let failed = 0;
    const tell = (pause) => onProgress(rows.length - open.length, pause);
    for (tell(); open.length; tell()) {
      const part = lot(open, most);
      try {
        const { answer } = await patiently(model, part, { signal, top }, tell);
        part.forEach((one, at) => (one.answer = answer[at]));
        open = open.slice(part.length);
        most = Math.min(2 * most, limit);
        failed = 0;
      } catch (problem) {
        if (!blame(part, problem)) {
          most = Math.ceil(part.length / 2);
          if (isHopeless(problem, failed)) throw problem;
          if (part.length === 1) {
            part[0].faults.push({ detail: told(problem) });
            failed += 1;
          }
        }
        open = open.filter(isOpen);
      }
    }
  };
}

// Whether fewer rows would be no better: only of these two one row may be to blame, and nobody says which.
const isHopeless = ({ status }, failed) => (status === 500 ? failed === HOPE : status !== 413);

export const isOpen = ({ answer, faults }) => !answer && !faults.length;

// The first rows, as many as one request may have; one row at least.
function lot(rows, most) {
  const size = (at) => JSON.stringify(rows[at].row).length;
  let [end, sum] = [1, size(0)];
  while (end < Math.min(most, rows.length) && (sum += size(end)) <= CHARACTERS) end += 1;
  return rows.slice(0, end);
}

// Give each fault to the row its pointer names, "/3/text/0"; whether there was any.
function blame(part, { faults = [] }) {
  const placed = faults.map(({ pointer = "", detail }) => ({ path: parts(pointer), detail }));
  const known = placed.filter(({ path }) => part[path[0]]);
  for (const { path: [at, column, ...deeper], detail } of known) {
    part[at].faults.push({ column, detail: deeper.length ? `at ${deeper.map((place) => (isNaN(place) ? place : Number(place) + 1)).join(", ")}: ${detail}` : detail });
  }
  return known.length > 0;
}

async function patiently(model, part, { signal, top }, onPause) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await api.predict(model.name, part.map(({ row }) => row), { version: model.version, top, signal });
    } catch (problem) {
      if (!BUSY.includes(problem.status) || tries === TRIES) throw problem;
      const milliseconds = wait(problem, tries);
      onPause(milliseconds);
      await pause(milliseconds, signal);
    }
  }
}

// Milliseconds until the next try; a proxy may say a date, which counts for nothing.
export const wait = ({ retry }, tries) => Math.max(PAUSE * tries, Math.min(1000 * retry || 0, MOST_PAUSE));

const pause = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
