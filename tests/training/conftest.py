"""A small task and architecture of the tests' own, trained and exported once: nothing here needs the zoo."""

import pytest

from tests.training import toys
from training.encode import learn
from training.export import export
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
def artifact(tmp_path_factory, trained, held):
    """store/toy/1, published."""
    return export(trained, held, toys.PROVENANCE, Version(tmp_path_factory.mktemp("store"), "toy", 1))
