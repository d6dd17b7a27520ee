// Tables as text: RFC 4180, with commas, semicolons or tabs between the cells.

const DELIMITERS = [",", "\t", ";"];

// The records of a text, lists of cells; empty lines are none. An Error names the line of a quote that stays open.
export function parse(text, delimiter = guess(text)) {
  const records = [];
  let record = [];
  let cell = "";
  let at = text.startsWith("\uFEFF") ? 1 : 0;

  function end() {
    record.push(cell);
    cell = "";
  }
  function close() {
    end();
    if (record.length > 1 || record[0]) records.push(record);
    record = [];
  }
  while (at < text.length) {
    const sign = text[at];
    if (sign === '"' && !cell) [cell, at] = quoted(text, at);
    else if (sign === delimiter) end();
    else if (sign === "\n") close();
    else if (sign !== "\r" || text[at + 1] !== "\n") cell += sign;
    at += 1;
  }
  close();
  return records;
}

// What stands between the quote at `from` and the one that closes it, and where that is.
function quoted(text, from) {
  let cell = "";
  let begin = from + 1;
  for (;;) {
    const close = text.indexOf('"', begin);
    if (close < 0) throw new Error(`Line ${text.slice(0, from).split("\n").length}: a quote (") is opened and never closed.`);
    cell += text.slice(begin, close);
    if (text[close + 1] !== '"') return [cell, close];
    cell += '"';
    begin = close + 2;
  }
}

// The delimiter that the first line has most of.
function guess(text) {
  const first = text.replace(/^\uFEFF/, "").replace(/"[^"]*"/g, "").split("\n", 1)[0];
  const found = DELIMITERS.map((delimiter) => first.split(delimiter).length);
  return DELIMITERS[found.indexOf(Math.max(...found))];
}

// Records as a text that spreadsheets and `parse` read.
export const format = (records) => records.map((record) => `${record.map(cell).join(",")}\r\n`).join("");

const cell = (value) => (/[",\r\n;\t]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
