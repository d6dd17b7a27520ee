"""`python -m service rollback` and `policy`: a model's policy shown and changed in serving.json.

Servers of the store follow as soon as they look again. Of a server nothing is asked: it need not run.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from service import settings
from service.access.audit import Audit, user
from service.errors import Fault, ServiceError, placed
from service.settings import Settings
from service.versions import policies
from service.versions.policy import Policy, Versions
from service.versions.told import Told
from service.versions.wishes import Wishes

NONE = "none"


class BadCommand(ServiceError):
    """What was asked on the command line cannot be done; the message says why."""


def add(commands: Any) -> None:
    """The two commands and their options."""
    rollback = commands.add_parser("rollback", help="serve the version before the newest, until told otherwise")
    rollback.add_argument("--to", metavar="VERSION", help="this version instead of the one before")
    policy = commands.add_parser("policy", help="show what is wanted of a model, or change it")
    policy.add_argument("--versions", help="so many of the newest, all, a list such as 3,5, none, or default")
    policy.add_argument("--label", action="append", metavar="NAME=VERSION", help="NAME= takes it away; any number")
    policy.add_argument("--canary", metavar="VERSION=PERCENT", help="that gets so many percent, or none")
    policy.add_argument("--shadow", metavar="VERSION", help="that is only compared, or none")
    policy.add_argument("--nan", choices=("pass", "refuse"), help="what becomes of answers that are no number")
    for command in (rollback, policy):
        command.add_argument("model")
        command.add_argument("--store", help="Or MANIFOLD_STORE.")
        command.add_argument("--policy", dest="file", help="The policy file. Or MANIFOLD_POLICY.")


def main(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Run one of the two; its exit status."""
    chosen = settings.read(environment, {"store": given.store, "policy": given.file})
    if not chosen.policy_source:
        return operate(given, chosen, Wishes.of(chosen), str(chosen.policy_file))
    from service.storage.outline import outline

    with outline(Wishes.of(chosen), given.model) as wishes:
        return operate(given, chosen, wishes, f"{chosen.policy_source}/{policies.FILE}")


def operate(given: argparse.Namespace, chosen: Settings, wishes: Wishes, file: str) -> int:
    """Show or change the policy of a model, which lies in a file that is called so."""
    stored = [version.number for version in wishes.stored(given.model)]
    if not stored:
        raise BadCommand(f"the store {chosen.store} has no version of {given.model}")
    before = policies.read(wishes.file).get(given.model, Policy())
    note = []
    if given.command == "rollback":
        newest = answering(before, stored, wishes.default)
        after = rolled_back(before, stored, newest, given.to)
        if given.to is None:
            note = [stepped(newest, stored)]
    else:
        after = changed(before, given)
    if after != before:
        wishes.write(given.model, lambda _: after)
        done = {"model": given.model, "policy": policies.document(after)}
        Audit(chosen.audit).record(user(), "local", given.command, "done", **done)
    print("\n".join([*told(given.model, before, after, wishes, file), *note]))
    return 0


def answering(policy: Policy, stored: list[int], default: Versions) -> int:
    """The version that requests get which name none, if no server has refused it."""
    chosen = policy.choose(stored, default, lambda _: True)
    return next((number for number in chosen if number not in policy.aside), max(chosen or stored))


def stepped(newest: int, stored: list[int]) -> str:
    """What a step back from the newest means, where it may have been refused."""
    back, further = [*(number for number in stored if number < newest), None][:2]
    instead = f"; if so, go on to {further} with --to {further}" if further else ""
    return f"from {newest} to {back}: where {newest} was refused (GET /models tells), {back} answered already{instead}"


def rolled_back(policy: Policy, stored: list[int], newest: int, to: str | None) -> Policy:
    """The policy that pins the version before the newest, and older ones that have a label; BadCommand."""
    before = max((number for number in stored if number < newest), default=0)
    target = before if to is None else {str(number): number for number in stored}.get(to, 0)
    if target not in stored:
        there = ", ".join(map(str, stored))
        raise BadCommand(f"there is no version {to or f'before {newest}'} in the store; there is {there}")
    labelled = {number for number in policy.labels.values() if number < target and number in stored}
    return replace(policy, versions=tuple(sorted({target} | labelled, reverse=True)), canary=None, shadow=None)


def changed(policy: Policy, given: argparse.Namespace) -> Policy:
    """The policy with what was given on the command line; BadCommand lists every fault."""
    document = policies.document(policy)
    if given.versions is not None:
        document["versions"] = listed(given.versions)
        if given.versions == "default":
            del document["versions"]
    for label in given.label or ():
        name, equals, version = label.partition("=")
        document["labels"] = {**document.get("labels", {}), name: number(version)}
        if equals and not version:
            del document["labels"][name]
    if given.canary is not None:
        version, _, percent = given.canary.partition("=")
        canary = {"version": number(version), "percent": number(percent)}
        document["canary"] = None if given.canary == NONE else canary
    if given.shadow is not None:
        document["shadow"] = None if given.shadow == NONE else number(given.shadow)
    if given.nan is not None:
        document["nan"] = given.nan
    faults: list[Fault] = []
    built = policies.build(document, "", faults)
    if faults:
        raise BadCommand("\n".join(placed(fault.pointer.lstrip("/"), fault.detail) for fault in faults))
    return built


def listed(text: str) -> Any:
    """Versions as the file has them: a number alone is so many of the newest.

    >>> listed("2"), listed("3,"), listed("3,5"), listed("none"), listed("all")
    (2, [3], [3, 5], [], 'all')
    """
    if text == NONE:
        return []
    return [number(one) for one in text.split(",") if one] if "," in text else number(text)


def number(text: str) -> Any:
    """A number, or the text where it is none, for the policy's own checks to refuse.

    >>> number("5"), number("2.5"), number("x")
    (5, 2.5, 'x')
    """
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def told(model: str, before: Policy, after: Policy, wishes: Wishes, file: str) -> list[str]:
    """What stands now, what of it servers try to serve, and how to undo it."""
    stored = wishes.stored(model)
    served = wishes.choose(after, stored, Told(), lambda _: True)
    numbers, there = ", ".join(map(str, served)) or "nothing", ", ".join(str(one.number) for one in stored)
    lines = [f"{model}: {json.dumps(policies.document(after))}", f"wanted: {numbers}; in the store: {there}"]
    missing = sorted({*after.labels.values(), *after.aside} - set(served))
    if missing:
        lines.append(f"not wanted or not there, though label, canary or shadow name it: {', '.join(map(str, missing))}")
    if after != before:
        lines += [f"written to {file}", f"undo: python -m service policy {model} {options(before, after)}"]
    return lines


def options(before: Policy, after: Policy) -> str:
    """The options that lead back from one policy to the one before."""
    parts = []
    if before.versions != after.versions:
        parts.append(f"--versions {spelt(before.versions)}")
    parts += [
        f"--label {name}={before.labels.get(name, '')}"
        for name in {**after.labels, **before.labels}
        if before.labels.get(name) != after.labels.get(name)
    ]
    if before.canary != after.canary:
        parts.append(f"--canary {f'{before.canary.version}={before.canary.percent}' if before.canary else NONE}")
    if before.shadow != after.shadow:
        parts.append(f"--shadow {before.shadow or NONE}")
    if before.nan != after.nan:
        parts.append(f"--nan {before.nan}")
    return " ".join(parts)


def spelt(versions: Versions | None) -> str:
    """As `listed` reads it."""
    if versions is None:
        return "default"
    if isinstance(versions, tuple):
        return ",".join(map(str, versions)) + "," * (len(versions) == 1) or NONE
    return str(versions)
