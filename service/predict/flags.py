"""The flags of one model: those of every model, one for each of its inputs, and help that says what it takes."""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from service.card import ImageInput
from service.handle import ModelHandle
from service.predict import described, options
from service.predict.complaints import BadCommand
from service.predict.options import COMMAND, Parser
from service.predict.values import Reading, readings
from service.wording import nearest

STDIN = "-"


def named(handle: ModelHandle) -> dict[str, str]:
    """The flag of every input: its name, or behind `input-` where another flag is called so."""
    return {name: f"--input-{name}" if f"--{name}" in general() else f"--{name}" for name in handle.signature.inputs}


def general() -> list[str]:
    """The flags that every model has."""
    parser = argparse.ArgumentParser(add_help=False)
    options.add(parser)
    return [flag for action in parser._actions for flag in action.option_strings if flag != "-h"]  # noqa: SLF001


def parser(handle: ModelHandle) -> argparse.ArgumentParser:
    """All flags of a model, with help that says what it takes."""
    flags = named(handle)
    outputs = ", ".join(getattr(handle.card.output(name), "title", "") or name for name in handle.signature.outputs)
    found = Parser(
        prog=f"{COMMAND} {handle.model}",
        usage=f"{COMMAND} {handle.model} {usage(handle)} [more]",
        description=f"{handle.card.title or handle.model}, version {handle.version}. Answers with: {outputs}.",
        epilog=f"For example: {described.example(handle, flags)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    inputs = found.add_argument_group("inputs", "A - reads one from standard input.")
    for name, spec in handle.signature.inputs.items():
        meaning = handle.card.inputs.get(name)
        text = described.described(spec, meaning).replace("%", "%%")
        inputs.add_argument(flags[name], dest=f"input {name}", metavar=described.metavar(spec, meaning), help=text)
    options.add(found)
    return found


def usage(handle: ModelHandle) -> str:
    """The inputs' flags, each with what stands for its value."""
    known, told = handle.signature.inputs, handle.card.inputs
    return " ".join(f"{flag} {described.metavar(known[name], told.get(name))}" for name, flag in named(handle).items())


def read(handle: ModelHandle, rest: list[str], given: argparse.Namespace) -> argparse.Namespace:
    """Everything that was said of a model; BadCommand of a flag that it does not have."""
    known = parser(handle)
    found, strange = known.parse_known_args(rest, given)
    if strange:
        if not strange[0].startswith("--"):
            raise BadCommand(f"{strange[0]!r} stands alone: a value follows its flag; {usage(handle)}")
        flag = strange[0].partition("=")[0]
        flags = [name.removeprefix("--") for name in [*named(handle).values(), *general()]]
        hint = nearest(flag.removeprefix("--"), flags, "flags").replace("did you mean '", "did you mean '--")
        raise BadCommand(f"{handle.model} has no flag {flag!r}{hint}")
    return found


def row(handle: ModelHandle, asked: argparse.Namespace) -> dict[str, Any]:
    """The inputs that were given, as JSON values, files not opened yet; BadCommand."""
    ways = readings(handle)
    texts = {name: vars(asked)[f"input {name}"] for name in ways if vars(asked)[f"input {name}"] is not None}
    if list(texts.values()).count(STDIN) > 1:
        raise BadCommand("only one input can come from standard input")
    return {name: value(ways[name], text) for name, text in texts.items()}


def value(reading: Reading, text: str) -> Any:
    """The value of one flag; BadCommand of what is no text."""
    try:
        text.encode()
        if text != STDIN:
            return reading.parse(text)
        data = sys.stdin.buffer.read()
        return data if isinstance(reading.meaning, ImageInput) else reading.parse(data.decode().rstrip("\r\n"))
    except UnicodeError:
        raise BadCommand(f"{reading.spec.name}: expected text in UTF-8") from None


def needed(handle: ModelHandle) -> str:
    """What to say to a model that was asked nothing."""
    flags: Mapping[str, str] = named(handle)
    width = max(map(len, flags.values()))
    lines = [
        f"  {flags[name]:<{width}}  {described.described(spec, handle.card.inputs.get(name))}"
        for name, spec in handle.signature.inputs.items()
    ]
    told = f"{handle.model} needs, as --file rows.csv or as flags:"
    return "\n".join([told, *lines, f"For example: {described.example(handle, flags)}"])
