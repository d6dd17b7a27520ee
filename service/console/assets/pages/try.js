// Try it: what the model says to one row, and to many.

import { top } from "../answer.js";
import { show } from "../answered.js";
import * as api from "../api.js";
import { asks } from "../asks.js";
import { find } from "../dom.js";
import { model } from "../model.js";
import { answers } from "../rows/answers.js";
import { asker } from "../rows/ask.js";
import * as rows from "../rows/rows.js";

const place = find("#answer");
const silent = [...place.childNodes];

async function predict(row, signal) {
  const reply = await api.predict(model.name, row, { version: model.version, top: top(model), signal });
  return (linked) => show(row, reply, linked);
}

asks(predict, () => place.replaceChildren(...silent));
rows.mount(find("#rows"), model, (listed) => asker(model, listed), answers(model));
