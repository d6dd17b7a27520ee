"""Pictures, from what clients send to what models take."""

import io
import struct
import subprocess
import sys
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from service.images import MOST_PIXELS, decode
from service.nested import Misfit

ROOT = Path(__file__).parents[2]

COLOURS = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
ORIENTATION = 0x0112
"""The EXIF tag."""

STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: upright.swapaxes(0, 1)[::-1],
    7: lambda upright: upright.swapaxes(0, 1)[::-1, ::-1],
    8: lambda upright: upright.swapaxes(0, 1)[:, ::-1],
}
"""How an upright picture is stored, by EXIF orientation (JEITA CP-3451, 4.6.4): 6 has its right side in row 0, say."""

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 12))
PIXELS = (SIZES | SIZES.map(lambda size: (*size, 3))).flatmap(lambda shape: arrays.arrays(np.uint8, shape))


def encoded(pixels: np.ndarray | Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(file, kind, **options)
    return file.getvalue()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    return tags


def refusal(data: bytes, dims: tuple[int, ...] = COLOURS.shape) -> str:
    with pytest.raises(Misfit) as caught:
        decode(data, dims)
    assert caught.value.path == ()
    return str(caught.value)


def picture_or_misfit(data: bytes, dims: tuple[int, ...]) -> None:
    with suppress(Misfit):
        decoded = decode(data, dims)
        assert decoded.shape == dims
        assert decoded.dtype == np.uint8


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def claiming(width: int, height: int) -> bytes:
    """A tiny PNG that says it is so large."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


class TestPixels:
    @given(pixels=PIXELS)
    def test_a_png_gives_back_its_pixels(self, pixels):
        decoded = decode(encoded(pixels), pixels.shape)
        assert decoded.dtype == np.uint8
        assert np.array_equal(decoded, pixels)

    @pytest.mark.parametrize("level", [0, 100, 255])
    @pytest.mark.parametrize("dims", [(4, 6), (4, 6, 3)], ids=["grey", "colour"])
    def test_a_jpeg_of_one_tone_is_of_that_tone(self, level, dims):
        decoded = decode(encoded(np.full(dims, level, np.uint8), "JPEG"), dims)
        assert np.abs(decoded.astype(int) - level).max() <= 1

    def test_grey_in_colour_is_three_times_the_same(self):
        grey = COLOURS[..., 0]
        assert np.array_equal(decode(encoded(grey), (4, 6, 3)), np.dstack([grey] * 3))

    def test_colour_in_grey_is_its_luma(self):
        red, green, blue = np.moveaxis(COLOURS.astype(float), 2, 0)
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        assert np.abs(decode(encoded(COLOURS), (4, 6)) - luma).max() <= 1

    def test_a_palette_is_looked_up(self):
        palette = Image.fromarray(COLOURS).quantize(8)
        assert palette.mode == "P"
        assert np.array_equal(decode(encoded(palette), COLOURS.shape), np.asarray(palette.convert("RGB")))

    def test_black_and_white_is_0_and_255(self):
        bits = COLOURS[..., 0] > 128
        assert np.array_equal(decode(encoded(Image.fromarray(bits)), (4, 6)), bits * np.uint8(255))

    def test_of_sixteen_bits_the_upper_eight_count(self):
        deep = np.arange(24, dtype=np.uint16).reshape(4, 6) * 2800
        assert np.array_equal(decode(encoded(Image.fromarray(deep)), (4, 6)), deep >> 8)

    def test_cmyk_becomes_red_green_and_blue(self):
        blank = Image.new("CMYK", (6, 4))
        assert np.array_equal(decode(encoded(blank, "JPEG"), COLOURS.shape), np.full((4, 6, 3), 255))


class TestTransparency:
    @pytest.mark.parametrize(("alpha", "share"), [(0, 0.0), (255, 1.0), (51, 0.2)])
    def test_white_shows_through(self, alpha, share):
        layer = np.dstack([COLOURS, np.full((4, 6), alpha, np.uint8)])
        expected = share * COLOURS.astype(float) + (1 - share) * 255
        assert np.abs(decode(encoded(layer), COLOURS.shape) - expected).max() <= 1

    @pytest.mark.parametrize("kind", [np.uint8, np.uint16, bool], ids=["grey", "deep grey", "black and white"])
    def test_a_transparent_grey_is_white(self, kind):
        grey = np.array([[0, 1]], kind) if kind is bool else np.array([[7, 1000 if kind is np.uint16 else 9]], kind)
        decoded = decode(encoded(Image.fromarray(grey), transparency=int(grey[0, 0])), (1, 2))
        assert decoded[0, 0] == 255
        assert decoded[0, 1] == {np.uint8: 9, np.uint16: 3, bool: 255}[kind]

    @pytest.mark.parametrize("transparency", [0, b"\x00\xff\xff\xff"], ids=["one", "each its own"])
    def test_a_transparent_colour_of_a_palette_is_white(self, transparency):
        palette = Image.fromarray(COLOURS).quantize(4)
        decoded = decode(encoded(palette, transparency=transparency), COLOURS.shape)
        assert (decoded[np.asarray(palette) == 0] == 255).all()


class TestOrientation:
    @pytest.mark.parametrize("orientation", STORED)
    def test_a_picture_is_turned_upright(self, orientation):
        stored = np.ascontiguousarray(STORED[orientation](COLOURS))
        assert np.array_equal(decode(encoded(stored, exif=exif(orientation)), COLOURS.shape), COLOURS)

    def test_a_jpegs_too(self):
        stored = np.rot90(np.repeat([[0], [255]], 8, axis=0).repeat(16, axis=1).astype(np.uint8))
        decoded = decode(encoded(stored, "JPEG", exif=exif(6)), (16, 16))
        assert decoded[:8].max() < 10
        assert decoded[8:].min() > 245

    def test_what_is_no_orientation_is_none(self):
        assert np.array_equal(decode(encoded(COLOURS, exif=exif(9)), COLOURS.shape), COLOURS)

    def test_exif_that_cannot_be_read_does_not_matter_and_warns_nobody(self):
        one_entry = struct.pack("<4sIHHHIII", b"II*\0", 8, 1, 0x010F, 2, 1000, 26, 0)  # the maker: 1000 letters, beyond
        broken = encoded(COLOURS, "JPEG", exif=b"Exif\0\0" + one_entry)
        code = "import sys; from service.images import decode; decode(sys.stdin.buffer.read(), (4, 6, 3))"
        done = subprocess.run([sys.executable, "-c", code], input=broken, cwd=ROOT, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")


class TestSizes:
    @given(pixels=PIXELS, times=st.integers(2, 4))
    def test_a_larger_picture_of_the_same_content_is_shrunk(self, pixels, times):
        larger = pixels.repeat(times, axis=0).repeat(times, axis=1)
        tones = np.full_like(larger, pixels.flat[0])
        assert decode(encoded(larger), pixels.shape).shape == pixels.shape
        assert np.array_equal(decode(encoded(tones), pixels.shape), np.full_like(pixels, pixels.flat[0]))

    def test_shrinking_averages(self):
        chess = np.indices((40, 40)).sum(axis=0).astype(np.uint8) % 2 * 255
        assert np.abs(decode(encoded(chess), (4, 4)).astype(int) - 127).max() <= 5

    def test_a_smaller_one_is_enlarged(self):
        step = np.array([[0, 255], [0, 255]], np.uint8)
        enlarged = decode(encoded(step), (8, 8))
        assert (np.diff(enlarged.astype(int), axis=1) >= 0).all()
        assert set(enlarged[:, 0]) == {0}
        assert set(enlarged[:, -1]) == {255}

    @pytest.mark.parametrize(("width", "height"), [(100, 100), (103, 100), (100, 103), (28, 29), (27, 28)])
    def test_a_pixel_more_or_less_in_the_result_is_no_other_aspect_ratio(self, width, height):
        assert decode(encoded(np.zeros((height, width), np.uint8)), (28, 28)).shape == (28, 28)

    @pytest.mark.parametrize(("width", "height"), [(105, 100), (100, 105), (56, 28), (2, 1), (1, 1000)])
    def test_another_aspect_ratio_is_refused_with_both_sizes(self, width, height):
        assert refusal(encoded(np.zeros((height, width), np.uint8)), (28, 28)) == (
            f"expected a picture of 28 × 28, or of that aspect ratio, got {width} × {height}; crop it first"
        )

    def test_height_comes_before_width_in_arrays_but_not_in_messages(self):
        assert "of 6 × 4, or" in refusal(encoded(np.zeros((6, 4), np.uint8)), (4, 6))


class TestWhatIsRefused:
    @given(data=st.binary(max_size=80), start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1"]))
    def test_any_bytes_are_a_picture_or_a_misfit(self, data, start):
        picture_or_misfit(start + data, (4, 6))

    @given(data=st.data(), kind=st.sampled_from(["PNG", "JPEG"]), dims=st.sampled_from([(4, 6), (4, 6, 3)]))
    def test_any_damage_leaves_a_picture_or_a_misfit(self, data, kind, dims):
        whole = encoded(COLOURS, kind, exif=exif(3))
        at = data.draw(st.integers(0, len(whole) - 1))
        damaged = whole[:at] + data.draw(st.binary(max_size=8)) + whole[at + data.draw(st.integers(0, 8)) :]
        picture_or_misfit(damaged, dims)

    @pytest.mark.parametrize("kind", ["PNG", "JPEG"])
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
    def test_a_picture_cut_short(self, kind, share):
        whole = encoded(np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8), kind)
        assert "damaged or cut short" in refusal(whole[: int(share * len(whole))], (40, 60, 3))

    def test_nothing(self):
        assert refusal(b"") == "expected a PNG or JPEG picture, got no bytes"

    @pytest.mark.parametrize("kind", ["GIF", "BMP", "WEBP", "TIFF", "PPM"])
    def test_other_formats(self, kind):
        assert refusal(encoded(COLOURS, kind)).startswith("expected a PNG or JPEG picture, got ")

    def test_an_animation(self):
        frames = [Image.fromarray(COLOURS), Image.fromarray(255 - COLOURS)]
        film = encoded(frames[0], save_all=True, append_images=frames[1:])
        assert refusal(film) == "expected a still picture, got an animated one"

    @pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (2**31 - 1, 2**31 - 1), (MOST_PIXELS + 1, 1)])
    def test_a_bomb_is_refused_by_its_header(self, width, height):
        assert refusal(claiming(width, height), (28, 28)) == (
            f"expected a picture of at most 16 megapixels, got {width} × {height}; make it smaller first"
        )

    def test_as_many_pixels_as_are_allowed_are_looked_at(self):
        assert "damaged or cut short" in refusal(claiming(MOST_PIXELS // 1000, 1000), (28, 28))

    def test_a_picture_of_no_size(self):
        assert "damaged" in refusal(claiming(0, 5))


def test_a_service_without_pictures_does_not_load_pillow(toy_folder: Path):
    code = f"""
import sys
from pathlib import Path
from service import app, loading
from service.settings import Settings
from service.versions.store import Version
loading.load(Version("toy", 3, Path({str(toy_folder)!r})), Settings(engine="onnx"), lambda _: lambda step: None)
sys.exit("PIL" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
