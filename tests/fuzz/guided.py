"""python -m tests.fuzz.guided TARGET CASES SEED FOLDER: atheris drives one target; FOLDER keeps cases and findings."""

import sys
from pathlib import Path

import atheris

SLOW_SECONDS = 10
MOST_MEGABYTES = 2_000
MOST_BYTES = 4_096

with atheris.instrument_imports(include=["service"], enable_loader_override=False):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    name, cases, seed, path = sys.argv[1:]
    target, folder = TARGETS[name], Path(path)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    for number, body in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(body)
    options = [
        f"-runs={cases}",
        f"-seed={seed}",
        f"-max_len={MOST_BYTES}",
        f"-timeout={SLOW_SECONDS}",
        f"-rss_limit_mb={MOST_MEGABYTES}",
        f"-artifact_prefix={folder}/found-",
        "-verbosity=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
