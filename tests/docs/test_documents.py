"""Documents under test: what they list is what the code has."""

import inspect
import json
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from loadtest import zoo
from service import errors
from service.settings import PREFIX, Settings
from training.data import TASKS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "docs/settings.md").read_text()
ZOO = (ROOT / "docs" / "zoo.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_readme_is_under_200_lines() -> None:
    assert len(README.splitlines()) < 200


def test_the_readme_names_the_python_version_the_project_requires() -> None:
    assert f"Python {PROJECT['requires-python'].removeprefix('>=')}" in README


def test_the_settings_table_is_the_settings() -> None:
    rows = re.findall(r"^\| `(MANIFOLD_\w+)` \| `?(.*?)`? \| (.*?) \|$", SETTINGS, re.MULTILINE)
    expected = [
        (PREFIX + spec.name.upper(), str(spec.default), choices(spec.metadata["help"], spec.metadata["choices"]))
        for spec in fields(Settings)
    ]
    assert expected == rows


def choices(text: str, allowed: tuple[str, ...]) -> str:
    return f"{text} {', '.join(f'`{choice}`' for choice in allowed)}." if allowed else text


def test_every_error_is_documented_with_its_status() -> None:
    document = (ROOT / "docs" / "errors.md").read_text()
    rows = set(re.findall(r"^\| `([\w-]+)` \| (\d+) \|", document, re.MULTILINE))
    classes = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.ServiceError)]
    expected = {(kind.slug, str(kind.status)) for kind in classes}
    assert expected <= rows


def test_every_make_target_the_readme_names_exists() -> None:
    named = set(re.findall(r"make (\w+)", README))
    assert named
    assert named <= set(re.findall(r"^(\w+):", MAKEFILE, re.MULTILINE))


def test_make_zoo_trains_every_model() -> None:
    named = re.search(r"^ZOO := ((?:.*\\\n)*.*)", MAKEFILE, re.MULTILINE)
    assert named is not None
    assert set(named[1].replace("\\", " ").split()) == set(TASKS)


def test_the_changelog_begins_with_the_project_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    first = re.search(r"^## \[?([\w.]+)", changelog, re.MULTILINE)
    assert first is not None
    assert first[1] == PROJECT["version"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_json_in_documents_is_json(document: Path) -> None:
    for block in re.findall(r"```json\n(.*?)```", document.read_text(), re.DOTALL):
        json.loads(block)


def test_the_readme_asks_the_three_models_their_own_examples() -> None:
    bodies = [json.loads(body) for body in re.findall(r"-d '(\{.*?\})'", README)]
    for name in ("similarity", "qa", "profile"):
        assert dict(TASKS[name].example) in bodies


def test_the_zoo_asks_every_model_its_own_example() -> None:
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", ZOO, re.MULTILINE | re.DOTALL))
    rows = re.findall(r"^\| \[(\w+)\]\(#\w+\)", ZOO, re.MULTILINE)

    assert set(sections) == set(rows) == set(TASKS)
    for name, task in TASKS.items():
        asked = "".join(
            zoo.asked({"model": name, "inputs": {key: {"example": value} for key, value in task.example.items()}})
        )
        assert asked in sections[name], name
