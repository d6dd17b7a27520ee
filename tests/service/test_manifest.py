"""What a version's folder must hold before anything of it is loaded."""

import base64
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import loading
from service.__main__ import main
from service.card import UnreadableCard, read
from service.serve import welcome
from service.settings import Settings
from service.versions import manifest
from service.versions.manifest import NAME, SIGNATURE, Untrusted
from service.versions.store import Version
from tests.service.fakes import Hand

FILES = {
    "saved_model.pb": b"model",
    "variables/variables.index": b"",
    "assets.extra/card.json": b"{}",
    "assets.extra/manifest.json": b"of another",
}


def publish(root: Path, number: int = 2, name: str = "qa") -> Path:
    """A version's folder in a store."""
    folder = root / name / str(number)
    for path, content in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def check(folder: Path, *trusted: bytes) -> None:
    manifest.check(folder, folder.parent.parent, trusted)


def refused(folder: Path, *trusted: bytes) -> str:
    """Why a folder may not be loaded."""
    with pytest.raises(Untrusted) as caught:
        check(folder, *trusted)
    assert str(folder.parent.parent) not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return publish(tmp_path / "store")


@pytest.fixture
def signing(tmp_path: Path) -> tuple[str, bytes]:
    """The file of a private key, and the public one."""
    private = tmp_path / "private.key"
    assert main(["sign", "--new-key", str(private)]) == 0
    return str(private), manifest.key(tmp_path / "private.key.pub", "public")


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte": (lambda folder: (folder / "saved_model.pb").write_bytes(b"modem"), "saved_model.pb has other bytes"),
    "cut": (lambda folder: (folder / "saved_model.pb").write_bytes(b"mod"), "saved_model.pb has 3 bytes"),
    "gone": (lambda folder: (folder / "variables/variables.index").unlink(), "variables/variables.index is missing"),
    "more": (lambda folder: (folder / "variables/more").touch(), "variables/more is not listed"),
    "hidden": (lambda folder: (folder / ".hidden").touch(), ".hidden is not listed"),
    "named otherwise": (lambda folder: (folder / "variables").rename(folder / "weights"), "is missing"),
    "swapped": (
        lambda folder: (folder / "saved_model.pb").write_bytes((folder / "assets.extra/card.json").read_bytes()),
        "saved_model.pb has 2 bytes",
    ),
}


class TestDescribed:
    def test_what_is_as_described_may_be_loaded(self, folder: Path):
        check(folder)
        manifest.write(folder, "qa", 2)
        check(folder)
        assert set(json.loads((folder / NAME).read_text())["files"]) == set(FILES)

    @pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
    def test_what_is_not_is_refused_and_says_where(self, folder: Path, change, words):
        manifest.write(folder, "qa", 2)
        change(folder)
        assert words in refused(folder)

    def test_a_copy_is_as_good(self, folder: Path):
        manifest.write(folder, "qa", 2)
        check(Path(shutil.copytree(folder, folder.with_name("3"))))

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", "[" * 100_000, '{"files": []}', '{"files": {"saved_model.pb": 1}}', "\xff"]
    )
    def test_what_is_no_manifest_is_refused(self, folder: Path, text):
        (folder / NAME).write_text(text)
        refused(folder)

    @given(data=st.data())
    def test_no_entry_can_be_bent(self, tmp_path_factory, data):
        folder = publish(tmp_path_factory.mktemp("store"))
        document = json.loads(manifest.write(folder, "qa", 2))
        entry = document["files"][data.draw(st.sampled_from(sorted(FILES)))]
        field = data.draw(st.sampled_from(["size", "sha256"]))
        before = entry[field]
        entry[field] = data.draw(
            st.none() | st.booleans() | st.floats() | st.text() | st.integers() | st.lists(st.just(before))
        )
        (folder / NAME).write_text(json.dumps(document))
        if type(entry[field]) is type(before) and entry[field] == before:
            check(folder)
        else:
            refused(folder)


class TestWithin:
    """Links, which may lead anywhere in the store, and nowhere else."""

    LINKED = ("saved_model.pb", "variables", "assets.extra/card.json")

    @pytest.mark.parametrize("name", LINKED)
    def test_a_link_within_the_store_is_followed(self, folder: Path, name):
        other = publish(folder.parent.parent, 1)
        place = folder / name
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        place.symlink_to(other / name)
        check(folder)
        manifest.write(folder, "qa", 2)
        check(folder)

    @pytest.mark.parametrize("name", LINKED)
    def test_a_link_out_of_it_is_refused(self, folder: Path, name, tmp_path: Path):
        place = folder / name
        moved = shutil.move(place, tmp_path / "outside")
        place.symlink_to(moved)
        assert "leads out of the store" in refused(folder)
        place.unlink()
        place.symlink_to(os.path.relpath(moved, place.parent))
        assert "leads out of the store" in refused(folder)

    def test_so_is_a_version_or_a_model_that_lies_elsewhere(self, folder: Path, tmp_path: Path):
        outside = publish(tmp_path / "elsewhere")
        (folder.parent / "7").symlink_to(outside)
        assert "7 leads out of the store" in refused(folder.parent / "7")
        (folder.parent.parent / "similar").symlink_to(outside.parent)
        assert "leads out of the store" in refused(folder.parent.parent / "similar" / "2")
        (folder.parent / "8").symlink_to(folder)
        check(folder.parent / "8")

    def test_a_store_that_is_a_link_itself_is_a_store(self, folder: Path, tmp_path: Path):
        (tmp_path / "link").symlink_to(folder.parent.parent)
        check(tmp_path / "link" / "qa" / "2")

    def test_a_neighbour_whose_name_begins_alike_is_outside(self, folder: Path, tmp_path: Path):
        secret = tmp_path / "store-secret"
        secret.write_text("x")
        (folder / "saved_model.pb").unlink()
        (folder / "saved_model.pb").symlink_to(secret)
        assert "leads out of the store" in refused(folder)

    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (lambda path: path.symlink_to("."), "circle"),
            (lambda path: path.symlink_to(path.name), "circle"),
            (lambda path: path.symlink_to("nowhere"), "no file"),
            (os.mkfifo, "no file"),
        ],
    )
    def test_what_is_neither_file_nor_folder_is_refused(self, folder: Path, make, words):
        make(folder / "odd")
        assert words in refused(folder)

    def test_a_version_that_has_gone_is_told(self, folder: Path):
        assert refused(folder.with_name("7")) == "7 is no longer there"

    def test_folders_without_end_come_to_an_end(self, folder: Path):
        inner = folder
        for _ in range(11):
            (inner / "a").mkdir()
            (inner / "b").symlink_to("a")
            inner /= "a"
        assert "more than" in refused(folder)


class TestSigned:
    def test_only_what_a_trusted_key_signed_may_be_loaded(self, folder: Path, signing, tmp_path: Path):
        private, public = signing
        assert "there is no manifest.json" in refused(folder, public)
        assert main(["sign", str(folder)]) == 0
        assert "not signed" in refused(folder, public)
        assert main(["sign", str(folder), "--key", private]) == 0
        check(folder, public)
        check(folder, bytes(32), public)
        check(folder)
        assert main(["sign", "--new-key", str(tmp_path / "other")]) == 0
        assert "not signed" in refused(folder, manifest.key(tmp_path / "other.pub", "public"))

    @pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
    def test_a_change_is_refused_whether_it_is_described_or_not(self, folder: Path, signing, change, words):
        private, public = signing
        main(["sign", str(folder), "--key", private])
        signature = (folder / SIGNATURE).read_bytes()
        change(folder)
        assert words in refused(folder, public)
        manifest.write(folder, "qa", 2)
        (folder / SIGNATURE).write_bytes(signature)
        assert "not signed" in refused(folder, public)

    @pytest.mark.parametrize("signature", [b"", b"?", b"AAAA", base64.b64encode(bytes(64)), b"\xff"])
    def test_what_is_no_signature_is_none(self, folder: Path, signing, signature):
        private, public = signing
        main(["sign", str(folder), "--key", private])
        (folder / SIGNATURE).write_bytes(signature)
        assert "not signed" in refused(folder, public)

    @pytest.mark.parametrize("place", ["qa/3", "other/2"])
    def test_a_signed_version_is_that_version_alone(self, folder: Path, signing, place):
        private, public = signing
        main(["sign", str(folder), "--key", private])
        moved = Path(shutil.copytree(folder, folder.parent.parent / place))
        assert refused(moved, public) == "manifest.json is that of qa/2"

    def test_nothing_of_a_version_is_read_before(self, toy_folder: Path, tmp_path: Path, signing):
        private, _ = signing
        folder = Path(shutil.copytree(toy_folder, tmp_path / "store" / "toy" / "3"))
        settings = Settings(engine="onnx", trust=f"{private}.pub")
        main(["sign", str(folder), "--key", private])
        loading.load(Version("toy", 3, folder), settings, lambda _: Hand())
        (folder / "assets.extra" / "card.json").write_text("no card")
        with pytest.raises(Untrusted):
            loading.load(Version("toy", 3, folder), settings, lambda _: Hand())

    @pytest.mark.parametrize("card", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
    def test_nor_before_it_is_known_to_lie_in_the_store(self, toy_folder: Path, tmp_path: Path, card):
        folder = Path(shutil.copytree(toy_folder, tmp_path / "store" / "toy" / "3"))
        (folder / "assets.extra" / "card.json").unlink()
        card(folder / "assets.extra" / "card.json")
        with pytest.raises(Untrusted):
            loading.weight(Version("toy", 3, folder), Settings(engine="onnx"))
        with pytest.raises(UnreadableCard, match="it is no file"):
            read(folder)
        assert "toy" not in welcome(Settings(), [Version("toy", 3, folder)])


class TestCommand:
    def test_neither_key_is_taken_for_the_other(self, folder: Path, signing, capsys):
        private, _ = signing
        assert main(["sign", str(folder), "--key", f"{private}.pub"]) == 2
        assert "expected a private key, 64 bytes in base64: it is a public one" in capsys.readouterr().err
        with pytest.raises(Untrusted, match="expected a public key, 32 bytes in base64: it is a private one"):
            manifest.public_keys([private])
        with pytest.raises(Untrusted, match=r"none\.pub: No such file or directory$"):
            manifest.public_keys(["none.pub"])

    def test_a_pair_of_keys_is_new_and_private(self, tmp_path: Path, capsys):
        private = tmp_path / "key"
        assert main(["sign", "--new-key", str(private)]) == 0
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
        before = private.read_bytes()
        assert main(["sign", "--new-key", str(private)]) == 2
        assert "File exists" in capsys.readouterr().err
        assert private.read_bytes() == before

    @pytest.mark.parametrize("given", [[], ["."], ["{folder}", "--key", "{folder}/saved_model.pb"]])
    def test_a_mistake_is_told_and_changes_nothing(self, folder: Path, given, capsys):
        assert main(["sign", *(one.format(folder=folder) for one in given)]) == 2
        assert capsys.readouterr().err
        assert not (folder / NAME).exists()
