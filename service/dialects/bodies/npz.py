"""NumPy's .npz: a zip of arrays by name, in as `numpy.savez` writes it, and out.

Nothing in it is trusted: neither the sizes in its directory, nor the shape in a header; pickles are refused.
"""

import io
import math
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib import format as npy

from service import tensors
from service.errors import BodyTooLarge, MalformedBody, ServiceError
from service.tensors import Array

SUFFIX = ".npy"
ENTRY = b"PK\x01\x02"
"""How a member's entry in the directory of a zip begins."""
MOST_MEMBERS = 1_000
MOST_HEADER = 1_000
"""Characters of a header: of numbers and strings, it has about a hundred."""
KINDS = "biufUS"
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What numpy.savez and savez_compressed use; Python's readers of the others know no limit."""
READERS: Mapping[tuple[int, int], Any] = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def loads(body: bytes, limit: int) -> dict[str, Array]:
    """The arrays by name; MalformedBody, or BodyTooLarge if they have more than `limit` bytes."""
    if not body:
        raise MalformedBody("the body is empty; send an .npz file")
    if body.count(ENTRY) > MOST_MEMBERS:
        raise MalformedBody(f"the body is an .npz file of more than {MOST_MEMBERS} arrays")
    try:
        return unzipped(body, limit)
    except ServiceError:
        raise
    except Exception as error:  # zipfile, zlib and numpy each raise their own
        raise MalformedBody(f"the body is no .npz file: {error or type(error).__name__}") from None


def unzipped(body: bytes, limit: int) -> dict[str, Array]:
    """Every member's array; none is inflated beyond the size its entry declares."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > limit:
            raise BodyTooLarge(f"the .npz file inflates to more than {limit} bytes; send fewer rows at a time")
        strange = [member for member in members if member.compress_type not in PACKINGS]
        if strange:
            raise MalformedBody("the .npz file is packed in another way than stored or deflated")
        return {member.filename.removesuffix(SUFFIX): array(archive.read(member)) for member in members}


def array(data: bytes) -> Array:
    """A member's array, over its bytes where they lie; ValueError, or what numpy raises of a wrong header."""
    stream = io.BytesIO(data)
    shape, is_fortran, dtype = READERS[npy.read_magic(stream)](stream, max_header_size=MOST_HEADER)
    if dtype.kind not in KINDS or dtype.itemsize == 0:
        raise ValueError(f"arrays of {dtype} are not read; send numbers, booleans or strings")
    if math.prod(shape) * dtype.itemsize != len(data) - stream.tell() or min(shape, default=0) < 0:
        raise ValueError(f"{len(data) - stream.tell()} bytes are no {dtype} of shape {shape}")
    found: Array = np.ndarray(shape, dtype, data, stream.tell(), order="F" if is_fortran else "C")
    return np.require(found, dtype.newbyteorder("="), ["C", "A"])


def dumps(arrays: Mapping[str, Array]) -> bytes:
    """The file, uncompressed; strings in NumPy's own of one width."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, values in arrays.items():
            plain = np.array(tensors.strings(values)) if values.dtype.kind == "O" else tensors.widened(values)
            with archive.open(zipfile.ZipInfo(name + SUFFIX), "w", force_zip64=True) as file:
                npy.write_array(file, plain, allow_pickle=False)
    return buffer.getvalue()
