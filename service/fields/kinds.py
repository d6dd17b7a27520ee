"""Which field an input gets: by its kind on the card, or, without one, by the signature alone."""

from collections.abc import Callable, Mapping

from service.card import CategoryInput, ImageInput, Input, NumbersInput, TextInput, TokensInput
from service.fields.category import Category, Listed
from service.fields.image import Image
from service.fields.numbers import Numbers
from service.fields.single import Single
from service.fields.tensor import Tensor
from service.fields.tokens import Tokens
from service.signature import Signature, TensorSpec
from service.text import Tokenizer


def build(
    signature: Signature, inputs: Mapping[str, Input], tokenizer: Callable[[TokensInput], Tokenizer]
) -> dict[str, Tensor]:
    """The fields of a model's inputs, in its order; those the card does not name are plain tensors.

    The card's inputs fit the signature; `tokenizer` finds one's own.
    """
    return {name: field(spec, inputs.get(name), tokenizer) for name, spec in signature.inputs.items()}


def field(spec: TensorSpec, meaning: Input | None, tokenizer: Callable[[TokensInput], Tokenizer]) -> Tensor:
    """The field of one input."""
    found: Tensor
    match meaning:
        case TokensInput():
            return Tokens(spec, meaning, tokenizer(meaning))
        case ImageInput():
            return Image(spec, meaning)
        case NumbersInput():
            found = Numbers(spec, meaning)
        case CategoryInput():
            found = (Listed if spec.dims else Category)(spec, meaning)
        case TextInput() | None:
            found = Tensor(spec)
    return Single(found) if found.spec.dims == (1,) else found
