// The request that was just sent, ready to paste: for a shell, for Python, for JavaScript.

import { h } from "../dom.js";
import { root } from "../root.js";
import { copier } from "./copy.js";
import { bash, javascript, python } from "./languages.js";
import { tabs } from "./tabs.js";

const LANGUAGES = [
  ["curl", bash, "For bash or zsh; on Windows, for Git Bash or WSL."],
  ["Python", python, "Any Python 3: it needs nothing but what comes with it."],
  ["JavaScript", javascript, "For Node 18 or later as a module (request.mjs); where no key is needed, for the console of a browser, too."],
];
const LONG = 2000; // characters of code that are shown whole
const CUT = 200; // of one value, where the code is longer

let chosen = "curl";

// `row` as it was sent to the model; with `keys`, the server asks for one, which is in the environment.
export function draw(model, row, { version, keys = false } = {}) {
  const url = address(model.name, version);
  const panels = LANGUAGES.map(([title, language, hint]) => {
    const whole = language(url, row, keys);
    const short = whole.length > LONG;
    const shown = short ? language(url, row, keys, cut) : whole;
    return [
      title,
      [
        h("pre", { tabindex: 0, "aria-label": `${title} code` }, h("code", {}, shown)),
        copier(whole),
        h("p", { class: "hint" }, short && "Long values are cut here; what is copied is whole. ", hint, keys && " Your API key is read from the environment, where it is called KEY."),
      ],
    ];
  });
  return tabs("The same request as code", panels, chosen, (title) => {
    chosen = title;
  });
}

function address(name, version) {
  const path = new URL(`${root}/predict/${encodeURIComponent(name).replaceAll("'", "%27")}`, location).href;
  return version ? `${path}?version=${version}` : path;
}

const cut = (literal) => (literal.length > CUT ? `${literal.slice(0, CUT)}…${literal.slice(-20)}` : literal);
