"""Versions on disk, and which to serve."""

from pathlib import Path

import pytest

from service.versions import store
from service.versions.store import NothingToServe, Version


def publish(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / "saved_model.pb").touch()
    return root


def served(root: Path, models: tuple[str, ...] = (), newest: int = 1) -> list[tuple[str, int]]:
    return [(version.model, version.number) for version in store.to_serve(root, list(models), newest)]


def test_the_newest_version_of_every_model_is_served(tmp_path: Path):
    root = publish(tmp_path, "qa/1", "qa/2", "qa/10", "profile/3")
    assert served(root) == [("profile", 3), ("qa", 10)]


@pytest.mark.parametrize(("newest", "numbers"), [(1, [10]), (2, [10, 2]), (9, [10, 2, 1]), (0, [10, 2, 1])])
def test_as_many_of_the_newest_are_served_as_asked(tmp_path: Path, newest, numbers):
    root = publish(tmp_path, "qa/1", "qa/2", "qa/10")
    assert [number for _, number in served(root, newest=newest)] == numbers


def test_only_the_models_named_are_served_in_their_order(tmp_path: Path):
    root = publish(tmp_path, "a/1", "b/1", "c/1")
    assert served(root, ("c", "a")) == [("c", 1), ("a", 1)]


@pytest.mark.parametrize("folder", [".tmp-x7", "01", "0", "-1", "1.5", "new", "١", "1a", "9" * 19])
def test_folders_that_are_no_version_are_not_seen(tmp_path: Path, folder):
    assert served(publish(tmp_path, "qa/1", f"qa/{folder}"), newest=0) == [("qa", 1)]


def test_a_folder_without_a_model_is_no_version(tmp_path: Path):
    publish(tmp_path, "qa/1")
    (tmp_path / "qa" / "2").mkdir()
    (tmp_path / "qa" / "3").touch()
    assert served(tmp_path) == [("qa", 1)]


def test_files_and_hidden_folders_in_the_store_are_no_models(tmp_path: Path):
    publish(tmp_path, "qa/1", ".git/1", "a b/1")
    (tmp_path / "README").touch()
    (tmp_path / "empty").mkdir()
    assert served(tmp_path) == [("qa", 1)]


def test_a_version_knows_its_folder(tmp_path: Path):
    publish(tmp_path, "qa/2")
    assert store.to_serve(tmp_path, [], 1) == [Version("qa", 2, tmp_path / "qa" / "2")]


def test_without_a_store_the_message_says_what_to_do(tmp_path: Path):
    with pytest.raises(NothingToServe, match="none does not exist; train a model first: python -m training"):
        store.to_serve(tmp_path / "none", [], 1)


def test_an_empty_store_says_what_to_do(tmp_path: Path):
    with pytest.raises(NothingToServe, match="holds no model; train one first"):
        store.to_serve(tmp_path, [], 1)


def test_every_model_that_is_missing_is_named(tmp_path: Path):
    publish(tmp_path, "qa/1")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToServe, match="has no version of nobody, empty"):
        store.to_serve(tmp_path, ["nobody", "qa", "empty"], 1)
