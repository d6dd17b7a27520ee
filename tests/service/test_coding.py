"""Codings of request bodies: what was sent comes back, nothing grows past the limit, and nonsense is refused."""

import contextlib
import gzip
import zlib

import pytest
from backports import zstd
from hypothesis import example, given
from hypothesis import strategies as st

from service.dialects.bodies.coding import COMPRESSORS, INFLATERS, inflate
from service.errors import BodyTooLarge, MalformedBody, UnsupportedCoding


def raw(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


PACKERS = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress}
every_coding = pytest.mark.parametrize("coding", PACKERS)


def test_every_coding_is_tried_here():
    assert set(PACKERS) == set(INFLATERS) == set(COMPRESSORS)


@every_coding
@given(body=st.binary(min_size=1, max_size=2_000))
def test_a_body_comes_back_as_it_was_sent(coding, body):
    assert inflate(PACKERS[coding](body), coding, len(body)) == body


@every_coding
@given(body=st.binary(min_size=1, max_size=2_000))
def test_what_answers_are_compressed_to_is_read_as_well(coding, body):
    assert inflate(COMPRESSORS[coding](body), coding, len(body)) == body


@pytest.mark.parametrize("codings", ["x-gzip", "GZIP", "application/gzip", "gzip;level=9", " gzip , identity"])
def test_gzip_is_whatever_contains_its_name(codings):
    assert inflate(gzip.compress(b"{}"), codings, 2) == b"{}"


@given(body=st.binary(min_size=1, max_size=2_000))
@example(b"x" * 100)
def test_deflate_is_read_with_and_without_its_header(body):
    assert inflate(raw(body), "deflate", len(body)) == body


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_several_frames_are_one_body(coding):
    assert inflate(PACKERS[coding](b"one ") + PACKERS[coding](b"two"), coding.upper(), 7) == b"one two"


def test_codings_are_undone_from_the_last():
    body = zstd.compress(gzip.compress(b"{}"))

    assert inflate(body, "gzip, zstd", 100) == b"{}"
    assert inflate(b"{}", "identity", 2) == inflate(b"{}", "", 2) == b"{}"


@every_coding
def test_a_bomb_is_refused_after_the_limit(coding):
    bomb = PACKERS[coding](bytes(50_000_000))
    assert len(bomb) < 100_000

    with pytest.raises(BodyTooLarge, match="more than 1000 bytes"):
        inflate(bomb, coding, 1_000)


def test_frames_together_are_held_to_the_limit():
    with pytest.raises(BodyTooLarge):
        inflate(gzip.compress(b"12345") * 3, "gzip", 14)


@every_coding
@given(body=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_inflated_or_refused(coding, body):
    with contextlib.suppress(MalformedBody, BodyTooLarge):
        assert len(inflate(body, coding, 1_000)) <= 1_000


@every_coding
@given(cut=st.integers(1, 30))
def test_a_body_that_breaks_off_is_refused(coding, cut):
    whole = PACKERS[coding](bytes(range(256)) * 2)

    with pytest.raises(MalformedBody):
        inflate(whole[: max(1, len(whole) - cut)], coding, 1_000)


@pytest.mark.parametrize("codings", ["br", "gzip, compress", "gzip, gzip, gzip", "x" * 1_000])
def test_other_codings_are_refused_by_name_and_with_those_that_are_read(codings):
    with pytest.raises(UnsupportedCoding, match="send gzip, deflate, zstd or none") as refusal:
        inflate(b"x", codings, 10)
    assert len(str(refusal.value)) < 200
