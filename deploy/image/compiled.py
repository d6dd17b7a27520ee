"""compiled.py PACKAGE…: compile whatever importing all modules of these packages imports, once, into the image.

With a read-only root every start would compile it again. The bytecode never looks at its source's time, which a copy of
the image may change. Modules that want what is not installed here are passed over, and `service.wsgi`, which serves.
"""

import importlib
import pkgutil
import py_compile
import sys
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

SERVES = ("__main__", "wsgi")

sys.path.insert(0, ".")
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, f"{name}.") if Path(name).is_dir() else ():
        if module.name.rpartition(".")[2] not in SERVES:
            with suppress(ImportError):
                importlib.import_module(module.name)
files = {Path(file) for module in [*sys.modules.values()] if (file := getattr(module, "__file__", None))}
for file in files | {Path(name) / f"{serves}.py" for name in sys.argv[1:] for serves in SERVES}:
    if file.suffix == ".py" and file.is_file() and not Path(cache_from_source(str(file))).exists():
        py_compile.compile(str(file), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
