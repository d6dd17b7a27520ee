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
    lines = text.strip().splitlines()
    return FOLDERS.sub("", lines[0][:LONGEST]) if lines else "no message"
