// The samples, from the history and as they come. One who cannot have events, or no more, asks now and then.

import { get } from "../api.js";
import { root } from "../root.js";

const ASK = 5000; // milliseconds between two questions, where there are no events
const EVENTS_AGAIN = 6; // questions until events are tried again
const LOST = 4000; // milliseconds until a stream that has ended is one that was lost: most begin again at once
const SILENT = 20_000; // milliseconds without a sample, or an answer: of a dead connection nobody tells

const PATH = "/console/live";

// Calls take(samples) with what is new, and tell("live" | "lost") with how things stand.
export function follow(take, tell) {
  let last = { at: 0, server: "" };
  let source = null;
  let timer = 0;
  let asked = 0;
  let turn = 0; // what an earlier one is answered comes too late

  // Another server than this one tells all it knows.
  const seen = () => new URLSearchParams({ after: `${last.at}@${last.server}` });

  function taken(samples) {
    const later = samples.filter(({ at, server }) => at > last.at || server !== last.server);
    if (later.length) last = later.at(-1);
    take(later);
    wait(SILENT, lost);
    tell("live");
  }

  function wait(milliseconds, call) {
    clearTimeout(timer);
    timer = setTimeout(call, milliseconds);
  }

  function stop() {
    clearTimeout(timer);
    source?.close();
    source = null;
    turn += 1;
  }

  function lost() {
    tell("lost");
    begin();
  }

  // Ask for what was missed, then listen, or ask again later.
  async function begin() {
    stop();
    const own = turn;
    try {
      const samples = await get(`${PATH}/samples?${seen()}`, AbortSignal.timeout(SILENT));
      if (own !== turn) return;
      taken(samples);
      if (asked % EVENTS_AGAIN === 0) listen();
      else wait(ASK, begin);
      asked += 1;
    } catch {
      if (own !== turn) return;
      tell("lost");
      asked = 0;
      wait(ASK, begin);
    }
  }

  // A browser that finds no server tries again each second, and says so each time: what counts is the first.
  function listen() {
    let broken = false;
    source = new EventSource(`${root}${PATH}/events?${seen()}`);
    source.onopen = () => {
      broken = false;
      asked = 0;
      taken([]);
    };
    source.onmessage = (event) => taken(JSON.parse(event.data));
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) wait(ASK, begin);
      else if (!broken) wait(LOST, lost);
      broken = true;
    };
  }

  // Who does not look costs nothing.
  function look() {
    asked = 0;
    if (document.hidden) stop();
    else begin();
  }

  document.addEventListener("visibilitychange", look);
  look();
}
