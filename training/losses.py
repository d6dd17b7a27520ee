"""Which head the optimiser listens to: each head's share of the loss that is minimised."""

from collections.abc import Mapping

from models.architecture import Architecture
from training.train import Trained

FAR_APART = 10.0  # Above this ratio of the largest share to the smallest, the small head is hardly trained.

Shares = dict[str, dict[str, float | None]]


def shares(trained: Trained) -> Shares:
    """Per head: its weight, its share of the validation loss at the best epoch, and a weight that would level them.

    Keras logs each head's loss before weighting. A model with a single head has no log of its own for it, and one that
    was not trained has no losses.
    """
    if not trained.epochs:
        return {}
    heads = trained.architecture.heads
    logged = {
        name: trained.history.get(f"val_{name}_loss", trained.history["val_loss"])[trained.best] for name in heads
    }
    return level(trained.architecture, logged)


def level(architecture: Architecture, losses: Mapping[str, float]) -> Shares:
    """Shares that sum to one; `suggested_weight` is None unless the shares are more than FAR_APART apart."""
    weighted = {name: head.weight * losses[name] for name, head in architecture.heads.items()}
    total = sum(weighted.values())
    parts = {name: loss / total if total else 1 / len(weighted) for name, loss in weighted.items()}
    apart = max(parts.values()) > FAR_APART * min(parts.values()) > 0
    even = 1 / len(parts)
    return {
        name: {
            "weight": head.weight,
            "share": parts[name],
            "suggested_weight": float(f"{head.weight * even / parts[name]:.2g}") if apart else None,
        }
        for name, head in architecture.heads.items()
    }
