"""What others' errors say, made fit for a client: one line, without the folders of a machine."""

import re

FOLDERS = re.compile(r"(?<![\w./])/(?:[^\s/'\":,;()]+/)*")
"""The folders of an absolute path."""
LONGEST = 300


def line(text: str) -> str:
    """The first line of a text.

    >>> line("no /srv/qa/2/a.onnx, says /usr/lib/b.so\\nand a stack"), line("")
    ('no a.onnx, says b.so', 'no message')
    """
    lines = plain(text).strip().splitlines()
    return FOLDERS.sub("", lines[0][:LONGEST]) if lines else "no message"


def plain(text: str) -> str:
    """A text that can be encoded: names of files need not be any, and JSON may have half a character.

    >>> plain("caf\\udce9")
    'caf?'
    """
    return text.encode(errors="replace").decode()
