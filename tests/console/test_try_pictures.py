"""Pictures in the form of Try it: drawn, chosen, dropped or pasted, cropped, and sent as the service takes them."""

import base64
import io
import math

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from service.images import MOST_PIXELS
from tests.console.browser import Tab, asked
from tests.console.kinds import SIDE

EVERY = "/console/models/every"

HAND_OVER = """(place, [kind, png]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(png), (one) => one.charCodeAt(0))], "x.png", { type: "image/png" }));
  const key = kind === "drop" ? "dataTransfer" : "clipboardData";
  const Kind = kind === "drop" ? DragEvent : ClipboardEvent;
  const one = new Kind(kind, { [key]: data, bubbles: true, cancelable: true });
  place.dispatchEvent(one);
}"""
"""Drops a PNG on a place of the page, or pastes it there."""


def pixels(picture: str):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))).convert("L")).astype(int)


def file(name: str, mime: str, data: bytes):
    return {"name": name, "mimeType": mime, "buffer": data}


def picture(width: int, height: int, form: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.new("L", (width, height), 255).save(made, form)
    return made.getvalue()


def test_a_drawing_is_scaled_and_centred(tab: Tab):
    page = tab.open(EVERY)
    pad = page.get_by_role("img", name="Drawing pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 10, box["y"] + 60, steps=5)
    page.mouse.up()
    row, answer = asked(page)
    drawn = pixels(row["picture"])
    assert drawn.shape == (SIDE, SIDE)
    inked = np.argwhere(drawn > 127)
    assert np.abs(inked.mean(axis=0) - (SIDE - 1) / 2).max() < 1
    assert np.ptp(inked[:, 0]) in range(17, 21)
    assert np.ptp(inked[:, 1]) in range(1, 4), "as thick as in a large drawing"
    assert answer["light"]["value"] == pytest.approx(drawn.mean() / 255, abs=1e-4)


def test_a_finger_draws_and_the_pad_is_cleared(tab: Tab):
    page = tab.open(EVERY)
    pad = page.get_by_role("img", name="Drawing pad")
    touch = {"pointerId": 1, "pointerType": "touch", "clientX": 100, "clientY": 100, "bubbles": True}
    pad.evaluate("pad => { pad.setPointerCapture = () => {}; }")  # which wants a real pointer
    for kind in ("pointerdown", "pointermove", "pointerup"):
        pad.dispatch_event(kind, touch)
    expect(page.get_by_text("28 × 28 pixels.")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("No picture yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Choose a picture")).to_be_focused()
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_text("choose a picture, draw one or take the example")).to_be_visible()


def test_a_picture_of_another_shape_is_refused_in_place_and_cropped(tab: Tab):
    tab.expect_error("422")
    page = tab.open(EVERY)
    page.get_by_label("A picture for Picture").set_input_files(file("wide.png", "image/png", picture(90, 45)))
    expect(page.get_by_text("90 × 45 pixels: not the shape of 28 × 28")).to_be_visible()
    asked(page)
    expect(page.get_by_text("or of that aspect ratio, got 90 × 45")).to_be_visible()
    expect(page.get_by_role("button", name="Choose a picture")).to_be_focused()
    page.get_by_role("button", name="Crop to fit").click()
    expect(page.get_by_role("button", name="Choose a picture")).to_be_focused()
    row, answer = asked(page)
    assert pixels(row["picture"]).shape == (SIDE, SIDE)
    assert answer["light"]["value"] == 1


def test_a_picture_is_dropped_or_pasted(tab: Tab):
    page = tab.open(EVERY)
    place = page.get_by_role("group", name="Picture")
    for kind, size in (("drop", 30), ("paste", 40)):
        given = base64.b64encode(picture(size, size)).decode()
        place.evaluate(HAND_OVER, [kind, given])
        expect(page.get_by_text(f"{size} × {size} pixels.")).to_be_visible()
        assert asked(page)[0]["picture"] == given


def test_one_above_the_limit_is_sent_smaller_and_heic_is_no_picture(tab: Tab):
    tab.expect_error("422")
    page = tab.open(EVERY)
    given, side = page.get_by_label("A picture for Picture"), math.isqrt(MOST_PIXELS) + 1
    given.set_input_files(file("large.png", "image/png", picture(side, side)))
    expect(page.get_by_text(f"{side} × {side}, sent as {4 * SIDE} × {4 * SIDE} pixels.")).to_be_visible()
    row, answer = asked(page)
    assert pixels(row["picture"]).shape == (4 * SIDE, 4 * SIDE)
    assert answer["light"]["value"] == 1
    given.set_input_files(file("x.HEIC", "image/heic", b"\0\0\0\x18ftypheic"))
    expect(page.get_by_text("This browser reads no HEIC. Save the picture as a JPEG")).to_be_visible()
    asked(page)
    expect(page.get_by_text("expected a PNG or JPEG picture, got 12 other bytes", exact=False)).to_be_visible()


def test_another_format_is_sent_as_a_png(tab: Tab):
    page = tab.open(EVERY)
    page.get_by_label("A picture for Picture").set_input_files(file("x.webp", "image/webp", picture(56, 56, "WEBP")))
    expect(page.get_by_text("56 × 56 pixels.")).to_be_visible()
    assert asked(page)[1]["light"]["value"] == 1
