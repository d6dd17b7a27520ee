"""Versions are published whole, once, under the right number."""

import pytest

from training.mistakes import Mistake
from training.versions import Version, number, published, publishing, refuse_unwritable


@pytest.mark.parametrize(
    ("there", "wanted", "newest", "expected"),
    [
        pytest.param([], None, 2, 2, id="the newest architecture's number"),
        pytest.param([1], None, 2, 2, id="that, beside an older one"),
        pytest.param([2], None, 2, 3, id="the next one when it is taken"),
        pytest.param([2, 9], None, 2, 10, id="above all that are there, so that it is served"),
        pytest.param([2], 1, 2, 1, id="the one that was asked for"),
    ],
)
def test_the_version_is(tmp_path, there, wanted, newest, expected):
    for taken in there:
        (tmp_path / "toy" / str(taken)).mkdir(parents=True)

    assert number(tmp_path, "toy", wanted, newest) == expected


def test_a_published_version_cannot_be_asked_for(tmp_path):
    (tmp_path / "toy/4").mkdir(parents=True)
    with pytest.raises(Mistake, match="toy/4 is published already; the next free version is 5"):
        number(tmp_path, "toy", 4, 1)


def test_drafts_and_other_folders_are_no_versions(tmp_path):
    for name in (".tmp-1", "notes", "3"):
        (tmp_path / "toy" / name).mkdir(parents=True)

    assert published(tmp_path, "toy") == [3]


def test_nothing_is_visible_before_the_end(tmp_path):
    with publishing(Version(tmp_path, "toy", 1)) as folder:
        (folder / "file").write_text("x")
        assert published(tmp_path, "toy") == []

    assert (tmp_path / "toy/1/file").read_text() == "x"
    assert [path.name for path in (tmp_path / "toy").iterdir()] == ["1"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failing_export_leaves_nothing(tmp_path, error):
    def fail():
        with publishing(Version(tmp_path, "toy", 1)) as folder:
            (folder / "file").write_text("x")
            raise error

    with pytest.raises(error):
        fail()

    assert list(tmp_path.rglob("*")) == []


def test_a_version_that_appears_meanwhile_is_not_overwritten(tmp_path):
    def publish_beside_another():
        with publishing(Version(tmp_path, "toy", 1)):
            (tmp_path / "toy/1").mkdir()
            (tmp_path / "toy/1/file").write_text("theirs")

    with pytest.raises(Mistake, match="published meanwhile"):
        publish_beside_another()

    assert [path.name for path in (tmp_path / "toy").rglob("*")] == ["1", "file"]


def test_a_store_below_a_file_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    refuse_unwritable(tmp_path / "new/store")
    with pytest.raises(Mistake, match="file is not a folder"):
        refuse_unwritable(tmp_path / "file/store")


def test_a_store_that_is_a_file_is_a_mistake_to_tell(tmp_path):
    (tmp_path / "store").write_text("")
    with pytest.raises(Mistake, match="cannot write to"), publishing(Version(tmp_path / "store", "toy", 1)):
        pass
