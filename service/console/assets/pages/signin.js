// What stands in the fragment of the page that wanted a key goes along: the browser keeps it on its way back.

import { find } from "../dom.js";

find("#enter").action += location.hash;
