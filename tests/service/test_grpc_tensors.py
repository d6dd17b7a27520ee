"""TensorProto to array and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from service.grpc.messages import message
from service.grpc.tensors import FIELDS, NAMES, to_array, write
from service.nested import Misfit
from tests.service import calls
from tests.service.calls import shape, tensor

TensorProto = message("tensorflow.TensorProto")
NUMERIC = sorted(set(FIELDS) - {"object", "bfloat16"})
MOST = 10_000

SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, max_side=4)
STRINGS = st.one_of(st.text(), st.binary(), st.just(b"\xff"))


def read(proto, dtype: str, wanted, most_bytes: int = MOST):
    return to_array(proto, np.dtype(dtype), tuple(wanted), most_bytes)


def sized(sizes):
    """A shape of which any size may be open."""
    return st.tuples(*[st.sampled_from([None, size]) for size in sizes])


def same(left, right) -> bool:
    """To the last bit, NaN and signs of zero included."""
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()


def in_field(array) -> TensorProto:
    """A TensorProto whose elements stand in the field of their dtype."""
    name = FIELDS[array.dtype.name]
    flat = array.ravel().view(np.uint16) if name == "half_val" else array.ravel()
    return TensorProto(dtype=NAMES[array.dtype.name], tensor_shape=shape(*array.shape), **{name: flat.tolist()})


def misfit(proto, dtype: str, wanted, **more) -> str:
    with pytest.raises(Misfit) as raised:
        read(proto, dtype, wanted, **more)
    assert raised.value.path == ()
    return str(raised.value)


def test_every_dtype_that_rest_speaks_has_a_name_and_a_field():
    assert {calls.DTYPES[name] for name in NAMES.values() if name in calls.DTYPES} == set(NAMES) - {"bfloat16"}
    assert set(FIELDS) == set(NAMES)


@pytest.mark.parametrize("dtype", NUMERIC)
@given(data=st.data())
def test_numbers_of_any_shape_come_back_to_the_bit(dtype, data):
    array = data.draw(arrays.arrays(dtype, SHAPES))
    wanted = data.draw(sized(array.shape))
    proto = TensorProto()
    write(array, proto)
    assert proto.tensor_content == array.tobytes()
    assert same(read(TensorProto.FromString(proto.SerializeToString()), dtype, wanted), array)


@pytest.mark.parametrize("dtype", NUMERIC)
@given(data=st.data())
def test_numbers_in_the_field_of_their_dtype_are_read_to_the_bit(dtype, data):
    quiet = {"allow_nan": False} if dtype == "float32" else {}  # a NaN's payload may change on its way through a double
    array = data.draw(arrays.arrays(dtype, SHAPES, elements=quiet or None))
    proto = TensorProto.FromString(in_field(array).SerializeToString())
    assert same(read(proto, dtype, array.shape), array)


@given(arrays.arrays(object, SHAPES, elements=STRINGS))
def test_strings_of_any_shape_come_back_as_text_where_they_are_text(array):
    proto = TensorProto()
    write(array, proto)
    back = read(TensorProto.FromString(proto.SerializeToString()), "object", array.shape)
    assert back.shape == array.shape
    for given_, got in zip(array.ravel(), back.ravel(), strict=True):
        assert got == given_ or got.encode() == given_


@given(st.lists(st.binary(max_size=300), min_size=1))
def test_strings_in_tensor_content_are_read(strings):
    content = b"".join(varint(len(string)) for string in strings) + b"".join(strings)
    proto = TensorProto(dtype="DT_STRING", tensor_shape=shape(len(strings)), tensor_content=content)
    back = read(proto, "object", (None,))
    assert [got if isinstance(got, bytes) else got.encode() for got in back] == strings


def varint(number: int) -> bytes:
    """As protobuf writes it."""
    return TensorProto(version_number=number).SerializeToString()[1:] if number else b"\0"


@given(st.binary(min_size=1, max_size=60), st.integers(1, 5), st.sampled_from(["object", "float32", "bool"]))
def test_any_content_is_an_array_of_its_shape_or_a_misfit(content, rows, dtype):
    proto = TensorProto(dtype=NAMES[dtype], tensor_shape=shape(rows), tensor_content=content)
    try:
        array = read(proto, dtype, (None,))
    except Misfit:
        return
    assert array.shape == (rows,)
    assert array.dtype == dtype


@pytest.mark.parametrize("dtype", [*NUMERIC, "object"])
@given(sizes=st.lists(st.integers(1, 4), max_size=3))
def test_one_value_stands_for_all(dtype, sizes):
    one = np.array(["a"] if dtype == "object" else [1], dtype)
    proto = tensor("a", "DT_STRING") if dtype == "object" else in_field(one)
    proto.tensor_shape.CopyFrom(TensorProto(tensor_shape=shape(*sizes)).tensor_shape)
    array = read(proto, dtype, sizes)
    assert array.shape == tuple(sizes)
    assert set(array.ravel().tolist()) == set(one.tolist())


@pytest.mark.parametrize("given_", [0, 2, 3, 5])
def test_too_few_values_or_too_many_are_no_tensor(given_):
    proto = TensorProto(dtype="DT_FLOAT", tensor_shape=shape(2, 2), float_val=[1.5] * given_)
    assert misfit(proto, "float32", (None, 2)) == f"expected 4 or 1 in float_val for shape [2, 2], got {given_}"


def test_values_in_the_field_of_another_dtype_are_none():
    proto = TensorProto(dtype="DT_FLOAT", tensor_shape=shape(1), double_val=[1.5])
    assert misfit(proto, "float32", (None,)) == "expected 1 in float_val for shape [1], got 0"


@pytest.mark.parametrize(
    ("dtype", "value", "words"),
    [
        ("int8", 128, "expected int8 from -128 to 127, got 128"),
        ("int8", -129, "got -129"),
        ("uint8", 300, "expected uint8 from 0 to 255, got 300"),
        ("uint16", -1, "got -1"),
        ("int16", 2**31 - 1, "got 2147483647"),
        ("float16", 2**16, "got 65536"),
    ],
)
def test_integers_out_of_range_are_refused_and_not_wrapped(dtype, value, words):
    proto = TensorProto(dtype=NAMES[dtype], tensor_shape=shape(3), **{FIELDS[dtype]: [0, value, 1]})
    assert words in misfit(proto, dtype, (None,))


@pytest.mark.parametrize(
    ("sizes", "wanted", "words"),
    [
        ((2, 3), (None, 4), "expected shape [-1, 4], where -1 is any size, got [2, 3]"),
        ((2,), (None, 4), "got [2]"),
        ((), (None,), "expected shape [-1], where -1 is any size, got []"),
        ((-1, 4), (None, 4), "got [-1, 4]"),
        ((0, 4), (None, 4), "expected at least one row, and no axis of 0, got [0, 4]"),
        ((1,) * 100, (None, 4), "got 100 axes"),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(sizes, wanted, words):
    assert words in misfit(TensorProto(dtype="DT_FLOAT", tensor_shape=shape(*sizes)), "float32", wanted)


def test_a_shape_of_unknown_rank_is_refused():
    proto = TensorProto(dtype="DT_FLOAT", tensor_shape={"unknown_rank": True}, float_val=[1])
    assert "got an unknown rank" in misfit(proto, "float32", (None,))


@pytest.mark.parametrize(
    ("number", "words"), [(2, "DT_DOUBLE"), (0, "DT_INVALID"), (77, "dtype 77"), (101, "dtype 101")]
)
def test_another_dtype_is_refused_by_its_name(number, words):
    proto = TensorProto(dtype=number, tensor_shape=shape(1), tensor_content=bytes(8))
    assert misfit(proto, "float32", (None,)) == f"expected DT_FLOAT, got {words}"


@pytest.mark.parametrize("length", [7, 9])
def test_content_that_does_not_fill_the_shape_is_refused(length):
    proto = TensorProto(dtype="DT_FLOAT", tensor_shape=shape(2), tensor_content=bytes(length))
    assert misfit(proto, "float32", (None,)) == f"expected 8 bytes in tensor_content for shape [2], got {length}"


def test_a_byte_that_is_neither_true_nor_false_is_refused():
    proto = TensorProto(dtype="DT_BOOL", tensor_shape=shape(2), tensor_content=b"\1\2")
    assert misfit(proto, "bool", (None,)) == "expected bytes that are 0 or 1 in tensor_content"


@pytest.mark.parametrize("dtype", ["float32", "object"])
def test_one_value_cannot_be_made_more_than_a_request_may_be(dtype):
    proto = tensor(["a"], "DT_STRING") if dtype == "object" else in_field(np.zeros(1, dtype))
    proto.tensor_shape.dim[0].size = 2**62
    assert "more than 10000 bytes" in misfit(proto, dtype, (None,))


def test_brain_floats_go_both_ways():
    brain = np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    array = np.array([[1.5, -2.0]], brain)
    proto = TensorProto()
    write(array, proto)
    assert proto.dtype == TensorProto(dtype="DT_BFLOAT16").dtype
    assert same(to_array(proto, brain, (None, 2), MOST), array)
    assert same(to_array(in_field(array), brain, (None, 2), MOST), array)
