"""The error tree: every reason has a status, a title and a name of its own, and a place in the drawing."""

import importlib
import inspect
import pkgutil

import pytest

import service
from service import errors
from service.errors import ServiceError

FOR_OPERATORS = {
    "Away",
    "BadCommand",
    "BadFile",
    "BadKeys",
    "BadPolicy",
    "BadSettings",
    "CannotListen",
    "CannotLoadThere",
    "CannotPush",
    "CannotServe",
    "CannotSign",
    "DiedLoading",
    "FleetAway",
    "HungLoading",
    "NoStorage",
    "NoSuchDevice",
    "NoSuchSignature",
    "NotPulled",
    "NothingToServe",
    "OtherModel",
    "TooLarge",
    "Unfit",
    "Unloadable",
    "UnreadableCard",
    "Untrusted",
    "WrongAnswers",
}
"""Raised while the service starts: read in a log or a terminal, never in a response."""


def modules() -> list[str]:
    found = pkgutil.walk_packages(service.__path__, "service.")
    return [module.name for module in found if module.name not in ("service.wsgi", "service.__main__")]


def all_errors() -> list[type[ServiceError]]:
    """Every subclass in the service, however deep."""
    for name in modules():
        importlib.import_module(name)
    found, waiting = [], [ServiceError]
    while waiting:
        subclasses = [one for one in waiting.pop().__subclasses__() if one.__module__.startswith("service.")]
        found += subclasses
        waiting += subclasses
    return found


FOR_CLIENTS = [one for one in all_errors() if one.__name__ not in FOR_OPERATORS | {"HttpError", "Unforeseen"}]


def test_the_lists_are_complete():
    assert {one.__name__ for one in all_errors()} >= FOR_OPERATORS
    assert {one.__name__ for one in FOR_CLIENTS} >= {"QueueFull", "InvalidInput", "Malformed"}


@pytest.mark.parametrize("error", FOR_CLIENTS, ids=lambda error: error.__name__)
class TestEveryErrorAClientMayGet:
    def test_has_a_status_a_title_and_a_slug_of_its_own(self, error):
        assert {"status", "title", "slug"} <= vars(error).keys()
        assert 400 <= error.status <= 504
        assert error.title[0].isupper()
        assert error.slug == error.slug.lower().replace(" ", "-")

    def test_shares_its_slug_with_no_other(self, error):
        assert [one for one in FOR_CLIENTS if one.slug == error.slug] == [error]

    def test_is_explained(self, error):
        assert inspect.getdoc(error)


@pytest.mark.parametrize("error", FOR_CLIENTS, ids=lambda error: error.__name__)
def test_where_trying_again_makes_sense_it_says_when(error):
    assert (error.retry_after is not None) is (error.status in (429, 503))


@pytest.mark.parametrize("error", [one for one in FOR_CLIENTS if one.__module__ == "service.errors"], ids=str)
def test_the_drawing_names_it(error):
    assert error.__name__ in errors.__doc__
