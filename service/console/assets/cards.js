// The page of all models as the server has it now.

import { find, h } from "./dom.js";
import { root } from "./root.js";
import { signedIn, signedOut } from "./signed_out.js";

const PATIENCE = 10_000; // milliseconds

// Its document; null if it cannot be had now, which the page then says.
export async function look() {
  try {
    const response = await fetch(`${root}/`, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(PATIENCE) });
    const { ok, status } = response;
    const page = ok ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
    if (status === 401) signedOut();
    else signedIn();
    tell(ok || status === 401 ? "" : `answers with status ${status}`);
    return page;
  } catch {
    tell("does not answer");
    return null;
  }
}

// What is wrong with the server, and since when; "" once nothing is.
function tell(wrong) {
  const said = find("#wrong");
  if (said?.dataset.what === wrong) return;
  said?.remove();
  const text = `Since ${new Date().toTimeString().slice(0, 8)} the server ${wrong}. What you see is how it was before; this page goes on asking.`;
  if (wrong) find("main").prepend(h("p", { id: "wrong", "data-what": wrong, class: "notice", role: "status" }, text));
}

// The card of a model in such a document.
export const cardOf = (name, page) => find(`[data-model="${CSS.escape(name)}"]`, page);

// Call again and again while somebody looks, each time so many seconds after the last call has ended.
export function often(call, seconds) {
  setTimeout(async () => {
    if (!document.hidden) await call();
    often(call, seconds);
  }, 1000 * seconds);
}
