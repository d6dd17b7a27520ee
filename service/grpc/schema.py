"""Compiles the .proto files of this folder: proto3, with messages, enums, oneofs, maps and unary services, no options.

The grammar is protobuf.dev/reference/protobuf/proto3-spec. KeyError or TypeError of a file that goes beyond it.
"""

import re
from collections.abc import Iterator
from itertools import takewhile

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    ServiceDescriptorProto,
)
from google.protobuf.descriptor_pb2 import FileDescriptorProto as File

Tokens = Iterator[str]

COMMENT = re.compile(r"//.*")
TOKEN = re.compile(r'"[^"]*"|[\w.]+|[^\s\w]')
SCALARS = {
    name: getattr(FieldDescriptorProto, f"TYPE_{name.upper()}")
    for name in ("bool", "bytes", "double", "float", "int32", "int64", "string", "uint32", "uint64")
}


def compiled(name: str, text: str) -> File:
    """The descriptor of a file's text. Types beyond the scalars are left for the pool to find."""
    file = File(name=name, syntax="proto3")
    tokens = iter(TOKEN.findall(COMMENT.sub("", text)))
    for word in tokens:
        match word:
            case "syntax":
                statement(tokens)
            case "package":
                file.package = statement(tokens)[0]
            case "import":
                file.dependency.append(statement(tokens)[0].strip('"'))
            case "message":
                message(tokens, file.message_type.add())
            case "enum":
                enum(tokens, file.enum_type.add())
            case "service":
                service(tokens, file.service.add())
            case _:
                raise KeyError(word)
    return file


def statement(tokens: Tokens) -> list[str]:
    """The rest of a statement, without its semicolon."""
    return list(takewhile(lambda word: word != ";", tokens))


def opened(tokens: Tokens) -> str:
    """The name of what an opening brace begins."""
    [name] = takewhile(lambda word: word != "{", tokens)
    return name


def message(tokens: Tokens, found: DescriptorProto) -> None:
    found.name = opened(tokens)
    members(tokens, found)


def members(tokens: Tokens, found: DescriptorProto, oneof: int | None = None) -> None:
    """What stands between the braces of a message, or of one of its oneofs."""
    for word in tokens:
        match word:
            case "}":
                return
            case "message":
                message(tokens, found.nested_type.add())
            case "enum":
                enum(tokens, found.enum_type.add())
            case "oneof":
                found.oneof_decl.add(name=opened(tokens))
                members(tokens, found, len(found.oneof_decl) - 1)
            case "map":
                mapping(statement(tokens), found)
            case "repeated":
                field(statement(tokens), found).label = FieldDescriptorProto.LABEL_REPEATED
            case _:
                added = field([word, *statement(tokens)], found)
                if oneof is not None:
                    added.oneof_index = oneof


def field(words: list[str], found: DescriptorProto) -> FieldDescriptorProto:
    """`type name = number`."""
    kind, name, _, number = words
    added = found.field.add(name=name, number=int(number), label=FieldDescriptorProto.LABEL_OPTIONAL)
    if kind in SCALARS:
        added.type = SCALARS[kind]
    else:
        added.type_name = kind
    return added


def mapping(words: list[str], found: DescriptorProto) -> None:
    """`<key, value> name = number`: on the wire, repeated entries of two fields."""
    _, key, _, value, _, name, _, number = words
    entry = found.nested_type.add(name=name.title().replace("_", "") + "Entry")
    entry.options.map_entry = True
    field([key, "key", "=", "1"], entry)
    field([value, "value", "=", "2"], entry)
    field([entry.name, name, "=", number], found).label = FieldDescriptorProto.LABEL_REPEATED


def enum(tokens: Tokens, found: EnumDescriptorProto) -> None:
    found.name = opened(tokens)
    for word in takewhile(lambda word: word != "}", tokens):
        _, number = statement(tokens)
        found.value.add(name=word, number=int(number))


def service(tokens: Tokens, found: ServiceDescriptorProto) -> None:
    """`rpc name (request) returns (response)`, each."""
    found.name = opened(tokens)
    for _ in takewhile(lambda word: word != "}", tokens):
        name, _, request, _, _, _, response, _ = statement(tokens)
        found.method.add(name=name, input_type=request, output_type=response)
