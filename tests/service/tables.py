"""How a table of rows is read, and its answers are named: cases for all who do, the command and the console.

tables.json has `cells`, each with the value that an input makes of it; `tables`, each with the rows that toy sees in
it; `names` of outputs beside inputs; and the `columns` of toy's answers. "refused" is what nobody reads.
"""

import json

from tests.service.server import ROOT

CASES = json.loads((ROOT / "tests/service/tables.json").read_text(encoding="utf-8"))
REFUSED = "refused"
