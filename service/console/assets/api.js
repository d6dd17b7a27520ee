// The native dialect, as any client speaks it: docs/protocols.md.

import { root } from "./root.js";
import { signedIn, signedOut } from "./signed_out.js";

export class Problem extends Error {
  // What the service refused: problem+json, with `faults`, [{pointer, detail}], where inputs are wrong; `retry` is when to
  // ask again, in seconds.
  constructor(status, body, retry = null) {
    super(body?.detail || body?.title || `The service answered with status ${status}.`);
    this.status = status;
    this.faults = body?.faults || [];
    this.retry = retry;
  }
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(root + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "The service cannot be reached. Is it still running?" });
  }
  if (response.status === 401) throw new Problem(401, { detail: signedOut() });
  signedIn();
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  throw new Problem(response.status, body, response.headers.get("Retry-After"));
}

// A proxy may answer with a page of its own, or with JSON.
const strange = () => new Problem(0, { detail: "What came back is no answer of this service. Is there a proxy that wants something?" });

const json = (response) =>
  response.json().catch((error) => {
    throw error.name === "AbortError" ? error : strange();
  });

const post = (path, value, { signal, headers } = {}) =>
  ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(value),
    signal,
  });

// The answers to one row, an object, or to several, a list; and what they took, in milliseconds. Rows that are `made` up
// here do not count for drift.
export async function predict(name, rows, { version, top, signal, made } = {}) {
  const query = new URLSearchParams();
  if (version) query.set("version", version);
  if (top) query.set("top", top);
  const began = performance.now();
  const response = await post(`/predict/${encodeURIComponent(name)}?${query}`, rows, { signal, headers: made && { "X-Drift": "off" } });
  if (!response.headers.has("X-Model-Version")) throw strange();
  const answer = await json(response);
  const timing = { total: performance.now() - began, ...timings(response.headers.get("Server-Timing") || "") };
  return { answer, timing };
}

// `queue;dur=0.012, batch;desc="rows=1", infer;dur=0.345` as {queue: 0.012, rows: 1, infer: 0.345}.
function timings(header) {
  const number = (pattern) => Number((header.match(pattern) || [])[1]);
  return { queue: number(/queue;dur=([\d.]+)/), rows: number(/rows=(\d+)/), infer: number(/infer;dur=([\d.]+)/) };
}

// How the model reads texts, by input: how many words, and which of them it knows.
export const tokens = async (name, texts, { version, signal }) =>
  json(await post(`/models/${encodeURIComponent(name)}/tokens?${new URLSearchParams({ version })}`, texts, { signal }));

export const get = async (path, signal) => json(await ask(path, { signal }));
