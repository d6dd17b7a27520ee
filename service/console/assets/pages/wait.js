// The page of a model that does not answer yet: it opens once the model does.

import { cardOf, look, often } from "../cards.js";
import { find } from "../dom.js";

const SECONDS = 2;
const shown = find("[data-model]");
const version = Number(new URLSearchParams(location.search).get("version"));
const ready = version ? `[data-version="${version}"][data-ready]` : "[data-ready]";

async function ask() {
  const page = await look();
  if (!page) return;
  const card = cardOf(shown.dataset.model, page);
  if (!card || find(ready, card)) location.reload(); // a model that is gone has another page
  else shown.replaceChildren(find(".states", card));
}

often(ask, SECONDS);
