"""python -m service serve | predict MODEL … | check MODEL_DIR | rollback MODEL | policy MODEL | keys … | sign …
| pull | push …"""

import argparse
import os
import sys
from dataclasses import fields
from pathlib import Path

from service import settings
from service.access import command as keys
from service.errors import ServiceError
from service.predict import command as predict
from service.storage import command as storage
from service.versions import operate, sign

MORE = (predict, keys, sign, storage)
"""Commands in modules of their own, each with an `add`, which sets what `run`s."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command; its exit status. A mistake in what was asked is one message, and status 2."""
    given = parser().parse_args(arguments)
    try:
        if "run" in given:
            return int(given.run(given))
        if given.command == "check":
            from service import check

            return check.main(Path(given.model_dir))
        if given.command in ("rollback", "policy"):
            return operate.main(given, os.environ)
        from service import serve

        names = [spec.name for spec in fields(settings.Settings)]
        return serve.main({name: getattr(given, name) for name in names})
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """The command line: one flag per setting."""
    root = argparse.ArgumentParser(prog="python -m service", description="Serve Keras models, or check one.")
    commands = root.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve the models of a store")
    for spec in fields(settings.Settings):
        default = f" Default: {spec.default}." if spec.default != "" else ""
        flag = "--" + spec.name.replace("_", "-")
        text = f"{spec.metadata['help']}{default} Or {settings.PREFIX}{spec.name.upper()}."
        serve.add_argument(flag, metavar="|".join(spec.metadata["choices"]) or spec.name.upper(), help=text)
    check = commands.add_parser("check", help="load one version, verify and measure it, suggest limits")
    check.add_argument("model_dir", help="a version's folder, such as store/qa/2")
    operate.add(commands)
    for command in MORE:
        command.add(commands)
    return root


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.exit(main())
