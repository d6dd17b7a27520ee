"""The samples of the last hour, a line each, in files of five minutes that all processes of a server read.

One process writes them (keeper.py). Older files are removed as a new one begins: no more than an hour is kept.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from service.live import samples
from service.live.samples import Rates, Sample

PART = 300
"""Seconds whose samples share a file."""
KEPT = 12
"""Files of which all samples are kept, beside the one that is written."""
RECENT = 60
"""Seconds of which the models' cards tell."""
RECENT_PARTS = 2
"""Files in which all samples of so many seconds stand."""


class History:
    """Of a server, which every sample names; in a folder, which need not be there yet: then there are no samples."""

    def __init__(self, folder: Path, server: str = "") -> None:
        self.folder = folder
        self.server = server
        self.last = folder / "last.json"  # what the totals were then; written after the sample
        self._told: tuple[int, Rates] = (-1, {})

    def append(self, sample: Sample) -> None:
        """Keep one, later than all before."""
        line = json.dumps({"at": sample["at"], "server": self.server, **sample}, separators=(",", ":")) + "\n"
        part = sample["at"] // PART
        file = self.folder / f"{part}.jsonl"
        if not file.exists():
            for number in self._parts():
                if number < part - KEPT:
                    self._file(number).unlink(missing_ok=True)
        with file.open("a", encoding="utf-8") as opened:
            whole = opened.tell()
            try:
                opened.write(line)
                opened.flush()
            except OSError:  # the disk is full: half a line would spoil the next
                opened.truncate(whole)
                raise

    def after(self, at: int = 0) -> Iterator[list[str]]:
        """The lines of all samples later than this, file by file, oldest first."""
        for number in self._parts():
            if number >= at // PART:
                lines = [line for line in self._lines(number) if at_of(line) > at]
                if lines:
                    yield lines

    def mark(self) -> int:
        """Another number once there is a sample more."""
        try:
            return self.last.stat().st_mtime_ns
        except OSError:
            return 0

    def rates(self) -> Rates:
        """What the last minute was like, by model (samples.py); reckoned once, whoever asks before the next sample."""
        mark = self.mark()
        if mark != self._told[0]:
            lines = [line for number in self._parts()[-RECENT_PARTS:] for line in self._lines(number)]
            since = at_of(lines[-1]) - RECENT if lines else 0
            self._told = mark, samples.rates(json.loads(line) for line in lines if at_of(line) > since)
        return self._told[1]

    def _parts(self) -> list[int]:
        """The numbers of the files that are there."""
        if not self.folder.is_dir():
            return []
        return sorted(int(file.stem) for file in self.folder.glob("*.jsonl"))

    def _file(self, number: int) -> Path:
        return self.folder / f"{number}.jsonl"

    def _lines(self, number: int) -> list[str]:
        """Those of one file that are written to their end."""
        try:
            return self._file(number).read_text(encoding="utf-8").split("\n")[:-1]
        except FileNotFoundError:  # an hour is over
            return []


NEVER = History(Path(os.devnull) / "live")
"""Without samples."""


def at_of(line: str) -> int:
    """When the sample of a line was taken: no line needs to be read for that.

    >>> at_of('{"at":1767225600,"server":"pod-7:8000","seconds":5.0,"models":{}}')
    1767225600
    """
    return int(line[6 : line.index(",")])
