// What the server knows of the page's version: service/console/facts.py writes it.

import { find } from "./dom.js";

export const model = JSON.parse(find("#model").textContent);
