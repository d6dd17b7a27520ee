"""ConfigMaps and Secrets change in a running pod: the service follows them as the kubelet brings them."""

import json
from pathlib import Path

from service.access.keyring import LOOK, Keyring
from service.access.keys import Scope, fresh
from service.versions.policy import Policy
from service.versions.wishes import Wishes
from tests.service.keys import entry


class Volume:
    """A ConfigMap or Secret as it is mounted: every file a link into a folder, and that replaced by one rename."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir()
        self.file = folder / name
        self.file.symlink_to(Path("..data") / name)
        self._versions = 0

    def put(self, document: object) -> None:
        self._versions += 1
        data = self.file.parent / f"..2026_{self._versions}"
        data.mkdir()
        (data / self.file.name).write_text(json.dumps(document))
        link = self.file.parent / "..data_tmp"
        link.symlink_to(data.name)
        link.rename(self.file.parent / "..data")


def test_a_changed_policy_is_followed(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "policy", "serving.json")
    wishes = Wishes(tmp_path, file=volume.file)
    found = []
    for versions in (1, 2):
        volume.put({"qa": {"versions": versions}})
        found.append(wishes.policy("qa", Policy()).versions)
    assert found == [1, 2]


def test_a_changed_file_of_keys_is_followed(tmp_path: Path) -> None:
    now, secret = 0.0, fresh()
    volume = Volume(tmp_path / "keys", "keys.json")
    volume.put([])
    keyring = Keyring(volume.file, lambda: now)
    assert keyring.find(secret) is None
    volume.put([entry(secret, "shop", Scope.READ)])
    now += LOOK
    found = keyring.find(secret)
    assert found is not None
    assert found.name == "shop"
