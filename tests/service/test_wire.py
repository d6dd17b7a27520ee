"""Arrays between processes: what comes is what was sent."""

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from service.device import wire
from service.signature import Signature
from tests.service.fakes import specs

DTYPES = st.sampled_from(["float32", "float64", "float16", "int8", "int64", "uint8", "bool", "complex64"])
SHAPES = arrays_of.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)
NUMBERS = arrays_of.arrays(DTYPES.map(np.dtype), SHAPES)
STRINGS = st.lists(st.text() | st.binary(), max_size=5).map(lambda texts: np.array([*texts, None], object)[:-1])


def crossed(message: dict[str, Any], tensors: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What arrives on the other side of a socket."""
    here, there = socket.socketpair()
    with here, there, ThreadPoolExecutor(1) as pool:
        sent = pool.submit(wire.send, here, message, tensors)
        received = wire.receive(there)
        sent.result()
        return received


@given(tensors=st.dictionaries(st.text(max_size=3), NUMBERS | STRINGS, max_size=3))
def test_every_array_arrives_as_it_was(tensors):
    message, arrived = crossed({"say": "run", "more": [1, None]}, tensors)
    assert message == {"say": "run", "more": [1, None]}
    assert list(arrived) == list(tensors)
    for name, array in tensors.items():
        if array.dtype.kind == "O":
            assert arrived[name].tolist() == [one.encode() if isinstance(one, str) else one for one in array.tolist()]
        else:
            assert (arrived[name].dtype, arrived[name].shape) == (array.dtype, array.shape)
            assert arrived[name].tobytes() == array.tobytes()
            assert arrived[name].flags.writeable or not array.size


def test_large_ones_and_ones_that_do_not_lie_in_order_arrive():
    large = np.arange(600_000, dtype=np.float32).reshape(2, 300_000)
    _, arrived = crossed({}, {"large": large.T, "odd": np.arange(3, dtype=np.int8), "then": np.ones(2)})
    np.testing.assert_array_equal(arrived["large"], large.T)
    assert arrived["odd"].tolist() == [0, 1, 2]
    assert arrived["then"].tolist() == [1, 1]
    assert arrived["then"].flags.aligned


@pytest.mark.parametrize(
    "sent", [b"", b"\0\0", wire.LENGTHS.pack(9, 0) + b"{", wire.LENGTHS.pack(14, 9) + b'{"tensors":[]}1']
)
def test_a_side_that_goes_is_noticed(sent):
    here, there = socket.socketpair()
    with there:
        with here:
            here.sendall(sent)
        with pytest.raises(EOFError):
            wire.receive(there)


def test_a_signature_arrives_as_it_was():
    signature = Signature(
        specs(text=("int32", (None, None)), name=("O", (None,))), specs(y=(wire.dtype_of("bfloat16"), (None, 3)))
    )
    message, _ = crossed(wire.described(signature), {})
    assert wire.signature_of(message) == signature
