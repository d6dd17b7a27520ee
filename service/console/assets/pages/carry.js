// For a page without a form: what the fragment says goes on to the model's other pages.

import { carry } from "../state.js";

carry();
