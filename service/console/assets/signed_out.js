// A key that counts no more: what to do, at the top of the page, and in words for where it was needed. In another tab
// somebody may sign in again.

import { find, h } from "./dom.js";

const TEXT = "You are no longer signed in.";

// This page again, which then asks for a key; its fragment stays.
function reload(event) {
  event.preventDefault();
  location.reload();
}

export const signedIn = () => find("#signed-out")?.remove();

export function signedOut() {
  if (!find("#signed-out")) {
    const again = h("a", { href: location.pathname + location.search, onclick: reload }, "Sign in again");
    find("main").prepend(h("p", { id: "signed-out", class: "notice", role: "alert" }, `${TEXT} `, again));
  }
  return TEXT;
}
