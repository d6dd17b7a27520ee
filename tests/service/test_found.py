"""What fuzzing once found, and a few right bodies of each parser: `make fuzz` tries some hundred thousand of each."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

FOUND = Path(__file__).parents[1] / "fuzz" / "found"
FILES = sorted(file for file in FOUND.iterdir() if file.suffix == "")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_went_wrong_once_does_not_again(file):
    [name] = [name for name in TARGETS if file.name.startswith(f"{name}-")]
    TARGETS[name](file.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_reads_right_bodies_and_survives_their_halves(name):
    """Not every seed is right for every parser; of each target one is, or it would try nothing."""
    target, read = TARGETS[name], 0
    for seed in target.seeds():
        for body in (seed, seed[: len(seed) // 2]):
            target(body)
        try:
            target.read(seed)
        except Exception:  # a refusal: `target` lets nothing else pass
            continue
        read += 1
    assert read
