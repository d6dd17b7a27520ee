"""An invented product's help desk: what is asked about the Pellow lamp, and the articles that answer it.

Nothing here is real. Each topic, named after its resolution, has parts that are asked about, faults they have and steps
that help; every topic's parts can also have the vague faults of `ANY`, so that the part alone tells the topic. Phrases
are put into frames:

    question   frame   "The {spared} is fine, but the {part} {fault}. What now?"      one frame in two spares a part of
               phrases  spared: payment (refund)  part: battery  fault: runs down        another topic that is well
    article    opening, advice with two steps each, and half the time an aside about another topic's part

Phrases stand in all splits, frames in one each: `FRAMES` names them by split.
"""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Topic:
    """What can be wrong with which parts, and what to do then."""

    parts: tuple[str, ...]
    faults: tuple[str, ...]
    steps: tuple[str, ...]


TOPICS = {
    "address": Topic(
        ("parcel", "delivery", "shipment"),
        ("has not arrived", "went to the old street", "is at the wrong house"),
        ("check the street and the postcode", "tell the carrier your new address", "follow it with the tracking code"),
    ),
    "cancel": Topic(
        ("subscription", "monthly plan", "membership"),
        ("renewed by itself", "is not needed any more", "ought to end this month"),
        ("choose end plan in your account", "confirm it before the next month", "keep the notice of the end date"),
    ),
    "charge": Topic(
        ("battery", "charger", "charging dock"),
        ("runs down within an hour", "is empty by the evening", "never gets full"),
        ("leave the lamp on its dock overnight", "clean the metal contacts", "use the cable that came with it"),
    ),
    "pair": Topic(
        ("wireless link", "bluetooth connection", "phone signal"),
        ("breaks off", "cannot be found", "drops out all the time"),
        ("hold the button until the light blinks blue", "bring phone and lamp together", "forget the old device"),
    ),
    "password": Topic(
        ("password", "login", "account access"),
        ("is refused", "is forgotten", "is locked after three tries"),
        ("ask for a reset link by email", "choose a new secret of ten letters", "wait a quarter of an hour"),
    ),
    "refund": Topic(
        ("payment", "invoice", "purchase"),
        ("was taken twice", "is higher than the price", "was a mistake"),
        ("send us the receipt", "expect the money within ten days", "name the card that was billed"),
    ),
    "repair": Topic(
        ("shade", "switch", "hinge"),
        ("is cracked", "came loose", "arrived broken"),
        ("order the spare piece for free", "tighten the small screw", "send a photo of the damage"),
    ),
    "update": Topic(
        ("app", "software", "firmware"),
        ("crashes at the start", "shows an error", "is out of date"),
        ("install the latest version", "restart the program", "free some memory"),
    ),
}
ANY = ("no longer works", "makes trouble", "is not as it should be")
ESCALATE = "escalate"

OUTSIDE = (
    "{Would} sell the lamp in {place}?", "{Would} make it in {colour} as well?", "{Would} paint mine {colour}?",
    "{Would} sponsor our club in {place}?", "{Would} let me visit the works in {place}?",
    "{Would} hire somebody from {place}?",
)  # fmt: skip
"""Questions that no article answers; `Would` opens them in words of the split."""
PLACES, COLOURS = ("Ardovia", "Brellin", "Corvay", "Dunmarsh"), ("green", "orange", "violet", "silver")


@dataclass(frozen=True)
class Frames:
    """How one split words its questions, with and without a part that is well, and its articles."""

    plain: tuple[str, ...]
    sparing: tuple[str, ...]
    would: tuple[str, ...]
    opening: tuple[str, ...]
    advice: tuple[str, ...]
    aside: tuple[str, ...]


FRAMES = {
    "train": Frames(
        (
            "My {part} {fault}.", "What can I do if the {part} {fault}?", "Help, the {part} {fault}!",
            "The {part} {fault}, please advise.", "Why is it that my {part} {fault}?", "Today the {part} {fault}.",
            "I am sorry to say that the {part} {fault}.", "Is there a cure when the {part} {fault}?",
        ),
        (
            "The {spared} is fine, but the {part} {fault}. What now?", "My {part} {fault}, the {spared} is all right.",
            "There is nothing wrong with the {spared}; it is the {part} that {fault}.",
            "The {part} {fault}, although the {spared} works well.",
            "I have no question on the {spared}, only that the {part} {fault}.",
            "Not the {spared} but the {part} {fault}.", "While the {spared} works, my {part} {fault}.",
            "I could mend the {spared} myself, yet the {part} {fault}.",
        ),
        ("Would you", "Could you", "Is it possible to", "Do you intend to"),
        ("About your {part}.", "When the {part} {fault}.", "Help with the {part}.", "The {part} of your Pellow lamp."),
        (
            "First {step}, then {other}.", "Please {step}. After that {other}.", "You should {step} and {other}.",
            "In most cases it helps to {step}; if not, {other}.",
        ),
        (
            "If it is the {spared} that {fault}, read another page.", "This page is not about the {spared}.",
            "For the {spared} there is a page of its own.",
        ),
    ),
    "validation": Frames(
        ("It seems that the {part} {fault}.", "How do I go on when my {part} {fault}?", "Again the {part} {fault}."),
        (
            "The {spared} works now, but my {part} {fault}.", "The {part} {fault}, while the {spared} is fine.",
            "Nothing is wrong with my {spared}, only the {part} {fault}.",
        ),
        ("Can you", "Are you going to"),
        ("What to do about the {part}.", "Your {part}."),
        ("Begin like this: {step}, and {other}.", "Try to {step}; it may help to {other} as well."),
        ("The {spared} has another page.", "Nothing here is on the {spared}."),
    ),
    "test": Frames(
        ("Please help, my {part} {fault}.", "What is to be done if my {part} {fault}?", "Now the {part} {fault} again.",
         "I think that the {part} {fault}."),
        (
            "All is well with the {spared}, yet the {part} {fault}.",
            "The {spared} works; it is my {part} that {fault}.",
            "It is not the {spared}, the {part} {fault}.", "The {part} {fault}, though my {spared} is all right.",
        ),
        ("Will you", "Is there a plan to"),
        ("All about the {part}.", "If your {part} {fault}.", "Advice on the {part}."),
        ("You can {step}, then {other}.", "It is best to {step}. Then {other}.", "Just {step}, or else {other}."),
        ("On the {spared} there is another page.", "Is it the {spared} that {fault}? That is not on this page."),
    ),
}  # fmt: skip


def asked(topic: str, spared: str | None, frames: Frames, rng: Random) -> str:
    """A question on a topic, perhaps with a word on one that is well."""
    if spared is None:
        return rng.choice(frames.plain).format(**_trouble(topic, rng))
    return rng.choice(frames.sparing).format(**_trouble(topic, rng), spared=rng.choice(TOPICS[spared].parts))


def outside(frames: Frames, rng: Random) -> str:
    """A question that no article answers."""
    words = {"Would": rng.choice(frames.would), "place": rng.choice(PLACES), "colour": rng.choice(COLOURS)}
    return rng.choice(OUTSIDE).format(**words)


def article(topic: str, frames: Frames, rng: Random) -> str:
    """A page on a topic: opening, advice twice, and half the time an aside about another topic."""
    sentences = [rng.choice(frames.opening).format(**_trouble(topic, rng))]
    for advice in rng.sample(frames.advice, 2):
        step, other = rng.sample(TOPICS[topic].steps, 2)
        sentences.append(advice.format(step=step, other=other))
    if rng.random() < 0.5:
        other = another(topic, rng)
        aside = rng.choice(frames.aside).format(spared=rng.choice(TOPICS[other].parts), fault=rng.choice(ANY))
        sentences.insert(rng.choice((1, 3)), aside)
    return " ".join(sentences)


def another(topic: str, rng: Random) -> str:
    """Any topic but this one."""
    return rng.choice([other for other in TOPICS if other != topic])


def _trouble(topic: str, rng: Random) -> dict[str, str]:
    return {"part": rng.choice(TOPICS[topic].parts), "fault": rng.choice(TOPICS[topic].faults + ANY)}
