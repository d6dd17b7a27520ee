"""tf.Example to rows: the features that are a model's inputs, as tf.io.parse_example would take them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from service.dialects.oip.binary import text
from service.dialects.tfs import examples as tfs_examples
from service.dialects.tfs.errors import Malformed
from service.handle import ModelHandle
from service.tensors import Group


def read(handle: ModelHandle, given: Any) -> list[Group]:
    """The rows of an Input as the batcher takes them; Malformed, or InvalidInput with every fault.

    Features that are no inputs are left aside. Of an input on the card, a string is one value of a row.
    """
    examples = list(features(given))
    if not examples:
        raise Malformed("Input is empty.")
    handle.refuse_too_many(len(examples))
    return tfs_examples.groups(handle, [dict(listed(handle, example)) for example in examples], "/input/{row}/{name}")


def features(given: Any) -> Iterator[Mapping[str, Any]]:
    """The features of each example, over those of the context that all share."""
    match given.WhichOneof("kind"):
        case "example_list":
            for example in given.example_list.examples:
                yield example.features.feature
        case "example_list_with_context":
            shared = given.example_list_with_context.context.features.feature
            for example in given.example_list_with_context.examples:
                yield {**shared, **example.features.feature}


def listed(handle: ModelHandle, example: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[Any]]]:
    """The model's inputs among an example's features, each with its values."""
    for name in handle.signature.inputs:
        kind = example[name].WhichOneof("kind") if name in example else None
        if kind is not None:
            values = getattr(example[name], kind).value
            yield name, [text(value) for value in values] if kind == "bytes_list" else list(values)
