"""A finding: a few named figures that answer one question about a trained model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from training.task import Preset, Splits
from training.train import Trained


@dataclass(frozen=True)
class Finding:
    """`figures` by what they are of, all in one `unit`; drawn as bars in the report and written onto the card."""

    title: str
    figures: Mapping[str, float]
    unit: str | None = None

    def __str__(self) -> str:
        """A line for the terminal."""
        unit = f" ({self.unit})" if self.unit else ""
        figures = ", ".join(f"{name} {value:.3g}" for name, value in self.figures.items())
        return f"{self.title}{unit}: {figures}"


Study = Callable[[Trained, Splits, Preset, int], Sequence[Finding]]
"""From a trained model, its rows, its preset and its seed to what it shows; may train rivals to compare with."""
