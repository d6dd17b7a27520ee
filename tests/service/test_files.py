"""Files are replaced whole, or not at all."""

import os
import stat
from pathlib import Path

import pytest

from service.files import replacing


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """One that only its owner and his group may use."""
    path = tmp_path / "file"
    path.write_bytes(b"as it was")
    path.chmod(0o640)
    return path


def test_what_stood_there_is_read_until_the_new_is_whole(file: Path):
    with replacing(file) as new:
        new.write(b"as it is")
        new.flush()
        assert file.read_bytes() == b"as it was"
    assert file.read_bytes() == b"as it is"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_what_fails_changes_nothing_and_leaves_nothing(file: Path, error: type[BaseException]):
    def fails() -> None:
        with replacing(file) as new:
            new.write(b"as it")
            raise error

    with pytest.raises(error):
        fails()
    assert file.read_bytes() == b"as it was"
    assert list(file.parent.iterdir()) == [file]


def test_two_at_once_do_not_mix(file: Path):
    with replacing(file) as slow:
        slow.write(b"slow")
        with replacing(file) as quick:
            quick.write(b"quick")
        assert file.read_bytes() == b"quick"
    assert file.read_bytes() == b"slow"


def test_who_may_use_it_may_use_it_still(file: Path):
    if os.geteuid() == 0:
        os.chown(file, 7, 8)
    owner = file.stat().st_uid, file.stat().st_gid
    with replacing(file, mode=0o600):
        pass
    after = file.stat()
    assert (stat.S_IMODE(after.st_mode), after.st_uid, after.st_gid) == (0o640, *owner)


def test_a_new_one_has_the_mode_it_is_given(tmp_path: Path):
    (usual := tmp_path / "usual").touch()
    with replacing(tmp_path / "open"), replacing(tmp_path / "secret", mode=0o600):
        pass
    assert (tmp_path / "open").stat().st_mode == usual.stat().st_mode
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
