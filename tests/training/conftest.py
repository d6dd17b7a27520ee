"""A small task and architecture of the tests' own, trained and exported once: nothing here needs the zoo."""

import pytest

from tests.training import toys
from training.card import Provenance
from training.encode import learn
from training.evaluate import evaluate
from training.export import Held, export
from training.quiet import import_quietly
from training.versions import Version

import_quietly()


@pytest.fixture(scope="session")
def splits():
    return toys.TASK.generate(600, 3)


@pytest.fixture(scope="session")
def trained(splits):
    from training.train import fit

    encoder = learn(toys.TASK, splits.train)
    return fit(toys.ARCHITECTURE, encoder, splits, toys.TASK.presets["quick"], seed=1)


@pytest.fixture(scope="session")
def held(trained, splits):
    return toys.held(trained, splits)


@pytest.fixture(scope="session")
def provenance():
    return toys.PROVENANCE


@pytest.fixture(scope="session")
def artifact(tmp_path_factory, trained, held):
    """store/toy/1, published."""
    return export(trained, held, toys.PROVENANCE, Version(tmp_path_factory.mktemp("store"), "toy", 1))
