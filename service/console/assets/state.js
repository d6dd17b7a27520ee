// What a page shows stands in the fragment of its URL, which is never sent to the server: copy the URL, hand it on.
//     #row.text=Mary+went+to+the+garden.&row.question=Where+is+Mary?&row.age=3
// A value is JSON, or the text itself where that is no JSON.

import { all, find } from "./dom.js";

const MOST = 200_000; // characters: browsers cut, or refuse, URLs of some millions
const ROW = "row.";

// What the fragment says, as an object; what cannot be read is left out.
export function load() {
  const entries = [];
  const row = [];
  for (const pair of location.hash.slice(1).split("&").filter(Boolean)) {
    const [key, value] = unpacked(pair);
    if (key === undefined) continue;
    if (key.startsWith(ROW)) row.push([key.slice(ROW.length), value]);
    else entries.push([key, value]);
  }
  if (row.length) entries.push(["row", Object.fromEntries(row)]);
  return Object.fromEntries(entries);
}

// Change some of it: in the URL, and in the links to the model's other pages; `lasting` as a step that Back undoes.
// False if the row is too large for a URL.
export function save(patch, { lasting = false } = {}) {
  const state = { ...load(), ...patch };
  put(written(state), lasting);
  carry();
  return !state.row || fits(state.row);
}

function put(fragment, lasting) {
  if (fragment === location.hash) return;
  const url = location.pathname + location.search + fragment;
  if (lasting) history.pushState(null, "", url);
  else history.replaceState(null, "", url);
}

// The links to the model's other pages get what the URL says, and `patch`, which it does not say yet.
export function carry(patch = {}) {
  const fragment = written({ ...load(), ...patch });
  for (const link of all("a[data-carry]")) link.hash = fragment;
}

// The fragment, "#…" or ""; a row too large for a URL is left out.
function written(state) {
  const { row = {}, ...rest } = state;
  const pairs = Object.entries(rest).map(([key, value]) => packed(key, value));
  if (fits(row)) pairs.unshift(...values(row));
  return pairs.length ? `#${pairs.join("&")}` : "";
}

const values = (row) => Object.entries(row).map(([name, value]) => packed(ROW + name, value));
const huge = (value) => typeof value === "string" && value.length > MOST; // which takes long to encode
const fits = (row) => !Object.values(row).some(huge) && values(row).join("&").length <= MOST;

const packed = (key, value) => `${plain(key)}=${plain(textual(value))}`;

function unpacked(pair) {
  try {
    const at = pair.indexOf("=");
    if (at < 1) return [];
    const [key, value] = [pair.slice(0, at), pair.slice(at + 1)].map((part) => decodeURIComponent(part.replaceAll("+", " ")));
    return [key, meant(value)];
  } catch {
    return [];
  }
}

function meant(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const textual = (value) => (typeof value === "string" && meant(value) === value ? value : JSON.stringify(value));

// Percent-encoded, but for what people can read and no program minds in a fragment.
const plain = (text) =>
  encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replace(/%(2C|3A|2F|3F|3B|40|5B|5D)/g, decodeURIComponent);

// The link that skips to the content moves the focus, and leaves the fragment alone.
find(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  find("#main").focus();
});
