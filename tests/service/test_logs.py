"""Whatever is logged makes one line, which is JSON where that is wanted; and who reads it slowly delays nobody."""

import json
import logging
import os
import subprocess
import sys
from datetime import datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import logs
from service.logs import Fields
from service.telemetry.beside import Beside
from service.telemetry.record import CURRENT, Record
from tests.service.server import ROOT, patiently

ANYTHING = st.text(st.characters(exclude_categories=())) | st.text(
    st.sampled_from('a\r\n\0\x1b\x85\u2028\u2029\ud800\udfff"\\{}%é')
)
"""Half characters, ends of lines of every kind, what terminals heed."""


def line_of(message: object, *arguments: object, **more: object) -> logging.LogRecord:
    return logging.LogRecord("manifold.x", logging.INFO, "", 1, message, arguments, more.get("exc_info"))  # type: ignore[arg-type]


def read(text: str) -> dict[str, object]:
    """The one object of one line, by a strict parser."""
    assert len(text.splitlines()) == 1
    assert text.isascii()
    assert text.isprintable()
    return orjson.loads(text)


@given(message=ANYTHING, argument=ANYTHING, request_id=ANYTHING)
def test_whatever_is_logged_is_one_line_of_json(message, argument, request_id):
    record = Record(request_id)
    record.trace_id = request_id
    token = CURRENT.set(record)
    try:
        for one in (line_of(message), line_of(message, argument), line_of(Fields(message=message, path=argument))):
            line = read(logs.JSON.format(one))
            assert {"time", "level", "logger", "pid", "message", "request_id"} <= line.keys()
    finally:
        CURRENT.reset(token)


def test_a_line_has_its_time_in_utc_and_no_request_outside_of_one():
    one = line_of("%s is served", "qa/1")
    one.created = 1_700_000_000.5
    line = read(logs.JSON.format(one))
    assert line == {
        "time": "2023-11-14T22:13:20.500000+00:00",
        "level": "info",
        "logger": "manifold.x",
        "pid": os.getpid(),
        "message": "qa/1 is served",
    }
    assert datetime.fromisoformat(str(line["time"])).timestamp() == one.created


def test_an_exception_stands_in_its_line():
    try:
        raise ValueError("two\nlines")
    except ValueError:
        line = read(logs.JSON.format(line_of("failed", exc_info=sys.exc_info())))
    assert "ValueError: two\nlines" in str(line["exception"])


def test_in_text_fields_are_json_behind_the_head():
    text = logs.TEXT.format(line_of(Fields(message="GET / 200", status=200)))
    assert json.loads(text[text.index("{") :]) == {"message": "GET / 200", "status": 200}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise RuntimeError('a\\nb')", "uncaught"),
        ("threading.Thread(target=lambda: 1 / 0).start()", "a thread has failed"),
        ("warnings.warn('old\\nold')", "old"),
        ("logging.getLogger('x').error('%s')", "%s"),
        ("logging.getLogger('x').error('%d', 'no number')", "'%d' ('no number',)"),
    ],
)
def test_what_python_itself_says_is_json_too(code, said):
    begin = "import logging, threading, warnings; from service import logs; logs.begin('info', 'json')"
    done = subprocess.run(
        [sys.executable, "-c", f"{begin}\n{code}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    line = read(done.stderr.removesuffix("\n"))
    assert said in str(line["message"])


def piped(most: int = 10) -> tuple[Beside, int, list[int]]:
    reads, writes = os.pipe()
    dropped: list[int] = []
    beside = Beside(writes, dropped.append, most)
    beside.setFormatter(logging.Formatter("%(message)s"))
    return beside, reads, dropped


def test_lines_are_written_in_order_and_all_before_the_end():
    beside, reads, dropped = piped(1000)
    for number in range(1000):
        beside.handle(line_of(f"{number:03}"))
    beside.end()
    assert os.read(reads, 100_000).decode().split() == [f"{number:03}" for number in range(1000)]
    assert dropped == []


def test_what_nobody_reads_is_dropped_and_counted_and_nobody_waits():
    """A pipe takes 64 KiB, the handler ten lines more; all else is counted, before anybody reads."""
    beside, reads, dropped = piped()
    for _ in range(1000):
        beside.handle(line_of("x" * 999))
    written = 1000 - sum(dropped)
    assert 10 <= written <= 64 + 10 + 10
    os.set_blocking(reads, False)
    got = b""
    for _ in patiently():
        try:
            got += os.read(reads, 100_000)
        except BlockingIOError:
            if len(got) == 1000 * written:
                break
    assert set(got.split()) == {b"x" * 999}
    beside.end()


def test_a_reader_that_is_gone_is_counted():
    beside, reads, dropped = piped()
    os.close(reads)
    beside.handle(line_of("lost"))
    beside.end()
    assert dropped == [1]
