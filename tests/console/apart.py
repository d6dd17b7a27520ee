"""A store with a model whose versions say different things: toy in versions 1, 2 and 3."""

from pathlib import Path

from tests.service import artifacts


def versions(store: Path) -> None:
    """Version 2 turns the moods of version 1 round and scores twice as much; version 3 is another model altogether."""
    artifacts.toy(store)
    weights = artifacts.toy_weights()
    weights |= {"mood": -weights["mood"], "score": 2 * weights["score"]}
    twin = artifacts.toy_model(weights)
    golden = artifacts.twin_answers(twin, artifacts.toy_rows())
    folder = artifacts.write(store / "toy" / "2", twin, golden, artifacts.toy_card("toy", 2))
    (folder / "assets").mkdir()
    (folder / "assets" / "text.vocabulary.txt").write_text("\n".join((*artifacts.VOCABULARY, "")), encoding="utf-8")
    artifacts.shop(store, "toy", version=3)
