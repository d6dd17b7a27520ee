"""The chart's values: documented, every one; and what cannot be is refused before anything is applied."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from helm_python.errors import HelmValuesError

from tests.deploy.rendering import CHART, ROOT, Object, charted

DOCUMENT = (ROOT / "docs" / "kubernetes.md").read_text()
TABLE = DOCUMENT.partition("\n## Values\n")[2].partition("\n## ")[0]
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())


def leaves(values: Object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its path, as `helm --set` names it."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def test_the_table_of_values_is_the_values() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| (?:`(.*?)`)? \| \S.*\|$", TABLE, re.MULTILINE)
    expected = [(path, shown(value)) for path, value in leaves(DEFAULTS)]
    assert expected == rows


def test_every_path_in_the_document_is_there() -> None:
    paths = re.findall(r"(?<!\S)`?(deploy/[\w./-]*\w)", DOCUMENT)
    assert paths
    for path in set(paths) - {"deploy/kubernetes/mine", "deploy/kubernetes/mine/kustomization.yaml"}:
        assert (ROOT / path).exists(), path


def shown(value: Any) -> str:
    """A default as the table has it; of a list of selectors, what they select."""
    if isinstance(value, list) and value:
        labels = [label for path in value for label in path["namespaceSelector"]["matchLabels"].items()]
        return "; ".join("=".join(label) for label in labels)
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_every_value_is_in_the_schema() -> None:
    for path, _ in leaves(DEFAULTS):
        *folders, name = path.split(".")
        values: dict[str, Any] = {}
        place = values
        for folder in folders:
            place = place.setdefault(folder, {})
        place[f"{name}s" if not name.endswith("s") else name[:-1]] = 1
        with pytest.raises(HelmValuesError, match="additional properties"):
            charted(values)


@pytest.mark.parametrize(
    "values",
    [
        {"replicas": "two"},
        {"replicas": -1},
        {"resources": {"cpu": 1.5}},
        {"resources": {"cpu": "500m"}},
        {"resources": {"memory": "4G"}},
        {"settings": {"max_bach_rows": 8}},
        {"settings": {"port": 9000}},
        {"settings": {"client_ca": "/ca.pem"}},
        {"settings": {"watch": True}},
        {"env": [{"name": "MANIFOLD_STORE", "value": "/elsewhere"}]},
        {"store": {"url": "https://bucket/models"}},
        {"store": {"url": "s3://key:secret@bucket/models"}},
        {"store": {"url": "s3://bucket/models", "claim": "models"}},
        {"store": {"secret": "credentials"}},
        {"store": {"pullFirst": True}},
        {"policy": {"qa": {"version": 1}}},
        {"service": {"type": "ExternalName"}},
        {"autoscaling": {"queueMilliseconds": 0}},
        {"network": {"from": []}},
        {"drainSeconds": 0},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(values: Object) -> None:
    with pytest.raises(HelmValuesError):
        charted(values)
