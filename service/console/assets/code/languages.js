// One request in three languages. `shorten` may cut the literal of a long value, for the eye only.

const MOST_ARGUMENT = 100_000; // characters; Linux takes 131,072 bytes as one argument

const same = (literal) => literal;

export function bash(url, row, keys, shorten = same) {
  const body = object(row, (value) => shorten(JSON.stringify(value)), "  ", "");
  const head = [`curl '${url}'`, `  -H 'Content-Type: application/json'`, ...(keys ? [`  -H "Authorization: Bearer $KEY"`] : [])];
  if (new Blob([body]).size > MOST_ARGUMENT) return [...head, `  --data-binary @- <<'ROW'\n${body}\nROW`].join(" \\\n");
  // Within JSON a quote only stands in strings, where it has another name that no shell minds.
  return [...head, `  -d '${body.replaceAll("'", "\\u0027")}'`].join(" \\\n");
}

export function python(url, row, keys, shorten = same) {
  const headers = [`"Content-Type": "application/json"`, ...(keys ? [`"Authorization": "Bearer " + os.environ["KEY"]`] : [])];
  return `import json
${keys ? "import os\n" : ""}import urllib.request

row = ${object(row, (value) => shorten(literal(value)), "    ", ",")}
request = urllib.request.Request(
    ${JSON.stringify(url)},
    data=json.dumps(row).encode(),
    headers={${headers.join(", ")}},
)
with urllib.request.urlopen(request) as response:
    print(json.load(response))
`;
}

export function javascript(url, row, keys, shorten = same) {
  const authorization = keys ? "\n    Authorization: `Bearer ${process.env.KEY}`," : "";
  return `const row = ${object(row, (value) => shorten(JSON.stringify(value)), "  ", ",")};
const response = await fetch(${JSON.stringify(url)}, {
  method: "POST",
  headers: {
    "Content-Type": "application/json",${authorization}
  },
  body: JSON.stringify(row),
});
console.log(JSON.stringify(await response.json()));
`;
}

// An input a line; `last` ends the last of them.
function object(row, write, indent, last) {
  const lines = Object.entries(row).map(([name, value]) => `${indent}${JSON.stringify(name)}: ${write(value)}`);
  return `{\n${lines.join(",\n")}${last}\n}`;
}

// A JSON value as Python writes it: strings and numbers alike, the rest by other names.
function literal(value) {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${literal(inner)}`).join(", ")}}`;
}
