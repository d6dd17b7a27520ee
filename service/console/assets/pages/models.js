// The page of all models: it shows what changes, and finds a model by its words.

import { cardOf, look, often } from "../cards.js";
import { all, find } from "../dom.js";

const SECONDS = 5;
const field = find("#filter");
let seen = find("#models")?.innerHTML;

function filter() {
  if (!field) return;
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const cards = all("#models > li");
  for (const card of cards) {
    const text = card.textContent.toLowerCase();
    card.hidden = !words.every((word) => text.includes(word));
  }
  const left = cards.filter((card) => !card.hidden).length;
  find("#found").textContent = words.length ? `${left} of ${cards.length} models` : "";
}

// Put the server's cards in the place of ours; what had the focus has it again.
async function refresh() {
  const page = await look();
  const [fresh, shown] = [page && find("#models", page), find("#models")];
  if (!page || Boolean(fresh) !== Boolean(shown)) {
    if (page) location.reload();
    return;
  }
  if (!shown || fresh.innerHTML === seen) return;
  const card = document.activeElement.closest("#models [data-model]");
  const focused = card && all("a", card).indexOf(document.activeElement);
  seen = fresh.innerHTML;
  shown.replaceWith(fresh);
  filter();
  if (card) {
    const links = all("a", cardOf(card.dataset.model, fresh) ?? fresh);
    links[Math.min(focused, links.length - 1)].focus({ preventScroll: true });
  }
}

if (field) {
  find(".filter").hidden = false;
  field.addEventListener("input", filter);
  filter();
}
often(refresh, SECONDS);
