// A page whose form asks the service, one question at a time: what the URL says at once, then what the form says.

import { all, find } from "./dom.js";
import * as form from "./form.js";
import { late } from "./late.js";
import { model } from "./model.js";
import { outdated } from "./outdated.js";
import * as state from "./state.js";

// `answer(row, signal)` asks, and gives what shows the answer; that is told whether the URL has the row. `empty` is
// called where the URL has none.
export function asks(answer, empty = () => {}) {
  const busy = late(find("#row button.primary"));
  const fresh = outdated(find(".columns > section:last-child > h2"));
  let asking = new AbortController();

  async function ask({ lasting }) {
    asking.abort();
    const mine = (asking = new AbortController());
    form.refuse(null);
    busy(true);
    try {
      const row = form.read();
      const linked = state.save({ row }, { lasting });
      const show = await answer(row, mine.signal);
      if (mine !== asking) return;
      show(linked);
      fresh(true);
    } catch (problem) {
      if (mine === asking) form.refuse(problem);
    } finally {
      if (mine === asking) busy(false);
    }
  }

  // The row that the URL has, filled in and asked; without one, the example.
  function open() {
    const { row } = state.load();
    form.fill(model.example);
    if (row) {
      form.fill(row);
      ask({ lasting: false });
    } else {
      asking.abort();
      asking = new AbortController();
      busy(false);
      empty();
      fresh(false);
    }
    state.carry();
  }

  form.onSubmit(() => ask({ lasting: true }));
  form.onChange(() => {
    try {
      state.carry({ row: form.read() });
    } catch {
      state.carry();
    }
  });
  addEventListener("hashchange", open);
  open();
  for (const ready of all("#row .actions button")) ready.disabled = false; // earlier, a click would have been lost
}
