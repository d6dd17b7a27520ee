// An output that nobody described: its numbers, its strings, or whatever it is, as JSON.

import { isNumbers } from "../arrays.js";
import { drawn } from "./numbers.js";
import { text } from "./text.js";

export const draw = (_, value) => (isNumbers(value) ? drawn(value, null) : text(value));
