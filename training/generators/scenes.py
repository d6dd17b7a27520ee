"""Small scenes (who does what to whom or what, and where) and the many sentences that tell the same one.

    Scene("two", "man", "washing", "red", "car", "in the street", happens=True)
        Two men are washing a red car in the street.
        On the road a crimson automobile is being cleaned by a pair of gentlemen.

Every list below holds families, a family concepts, and a concept its synonyms: "man|guy" is the concept `man`.
"""

from dataclasses import dataclass
from random import Random

Families = tuple[tuple[str, ...], ...]

PERSONS: Families = (
    ("man|guy|gentleman", "woman|lady"),
    ("boy|lad", "girl|lass", "child|kid|youngster", "baby|infant"),
    ("doctor|physician", "nurse|carer"),
    ("chef|cook", "waiter|server"),
    ("teacher|instructor", "student|pupil"),
    ("painter|artist", "musician|instrumentalist", "singer|vocalist"),
    ("policeman|officer|cop", "guard|watchman"),
    ("farmer|grower", "fisherman|angler"),
)
ANIMALS: Families = (("dog|hound", "cat|kitten", "rabbit|bunny"), ("horse|stallion", "pony|foal", "donkey|mule"))
THINGS: Families = (
    ("car|automobile", "bicycle|bike", "lorry|truck", "boat|ship"),
    ("couch|sofa", "table|desk", "chair|stool", "carpet|rug"),
    ("box|crate", "bag|sack", "suitcase|trunk"),
    ("ball|sphere", "kite|glider", "doll|puppet"),
    ("coat|jacket", "hat|cap", "shoe|boot"),
    ("stone|rock", "log|branch"),
)
HANDLING: Families = (
    (
        "washing/washed|cleaning/cleaned|scrubbing/scrubbed",
        "painting/painted|colouring/coloured",
    ),
    ("repairing/repaired|fixing/fixed|mending/mended", "breaking/broken|smashing/smashed"),
    (
        "carrying/carried|hauling/hauled",
        "lifting/lifted|raising/raised",
        "throwing/thrown|tossing/tossed",
    ),
    ("pushing/pushed|shoving/shoved", "pulling/pulled|dragging/dragged|tugging/tugged"),
    ("buying/bought|purchasing/purchased", "selling/sold|vending/vended"),
    ("hiding/hidden|concealing/concealed", "finding/found|discovering/discovered"),
    (
        "drawing/drawn|sketching/sketched",
        "photographing/photographed|picturing/pictured",
    ),
)
MEETING: Families = (
    ("chasing/chased|pursuing/pursued", "following/followed|trailing/trailed"),
    ("watching/watched|observing/observed", "hearing/heard|overhearing/overheard"),
    ("helping/helped|assisting/assisted", "leading/led|guiding/guided"),
    ("greeting/greeted|welcoming/welcomed", "hugging/hugged|embracing/embraced"),
)
COLOURS: Families = (
    ("red|crimson|scarlet",), ("blue|azure",), ("green|emerald",), ("yellow|golden",), ("white|ivory",),
    ("black|ebony",),
)  # fmt: skip
MOODS: Families = (
    ("old|elderly", "young|youthful"), ("happy|cheerful", "sad|unhappy"), ("tired|sleepy", "lively|energetic"),
    ("tall|lanky",),
)  # fmt: skip
PLACES: Families = (
    ("in the street|on the road", "at the market|at the bazaar", "on the square|on the plaza"),
    ("in the park|on the lawn", "in the garden|in the yard", "on the field|on the meadow"),
    ("on the beach|by the sea", "by the river|near the stream", "in the forest|in the woods"),
    ("in the kitchen|near the stove", "in the garage|in the workshop", "in the hall|in the lobby"),
)
COUNTS: Families = (("a|one|a single",), ("two|a pair of|a couple of",), ("three|a trio of",), ("four|a quartet of",))

LISTS = (PERSONS, ANIMALS, THINGS, HANDLING, MEETING, COLOURS, MOODS, PLACES, COUNTS)

WORDINGS = (
    "{who} {is} {doing} {what} {where}",
    "{who} {where} {is} {doing} {what}",
    "{where} {who} {is} {doing} {what}",
    "there {is} {who} {doing} {what} {where}",
    "{what} {being} being {done} by {who} {where}",
    "{where} {what} {being} being {done} by {who}",
)


def name(concept: str) -> str:
    """What a concept is called: its first synonym."""
    return concept.split("|", maxsplit=1)[0].split("/", maxsplit=1)[0]


def names(*lists: Families) -> tuple[str, ...]:
    """The concepts of these lists."""
    return tuple(name(concept) for families in lists for family in families for concept in family)


SYNONYMS = {name(concept): concept.split("|") for families in LISTS for family in families for concept in family}
FAMILY = {name(concept): family for families in LISTS for family in families for concept in family}
LIVING, DEEDS, WHERE, HOW_MANY = names(PERSONS, ANIMALS), names(HANDLING, MEETING), names(PLACES), names(COUNTS)
SUBJECTS = {does: names(PERSONS) for does in names(HANDLING)} | dict.fromkeys(names(MEETING), LIVING)
OBJECTS = {does: names(THINGS) for does in names(HANDLING)} | dict.fromkeys(names(MEETING), LIVING)
QUALITIES = {what: names(COLOURS) for what in names(THINGS)} | {what: names(MOODS) for what in LIVING}


@dataclass(frozen=True)
class Scene:
    """What one sentence says, concept by concept. `quality` is that of `what`; it and `where` may be unsaid (empty)."""

    count: str
    who: str
    does: str
    quality: str
    what: str
    where: str
    happens: bool

    @property
    def possible(self) -> bool:
        """Whether it can be told: things are handled, the living are met, nobody meets their own kind."""
        fits = self.who in SUBJECTS[self.does] and self.what in OBJECTS[self.does] and self.who != self.what
        return fits and self.quality in (*QUALITIES[self.what], "")


def draw(rng: Random) -> Scene:
    """Any possible scene; a quality and a place are each unsaid in one of four, one in ten does not happen."""
    does = rng.choice(DEEDS)
    who = rng.choice(SUBJECTS[does])
    what = rng.choice([what for what in OBJECTS[does] if what != who])
    quality = rng.choice(QUALITIES[what]) if rng.random() < 0.75 else ""
    where = rng.choice(WHERE) if rng.random() < 0.75 else ""
    return Scene(rng.choice(HOW_MANY), who, does, quality, what, where, rng.random() < 0.9)


def tell(scene: Scene, rng: Random) -> str:
    """One of the sentences that say just this."""
    doing, done = rng.choice(SYNONYMS[scene.does]).split("/")
    count, who = rng.choice(SYNONYMS[scene.count]), rng.choice(SYNONYMS[scene.who])
    quality = rng.choice(SYNONYMS[scene.quality]) if scene.quality else ""
    words = rng.choice(WORDINGS).format(
        who=_article(f"{count} {who if scene.count == 'a' else plural(who)}"),
        what=_article(f"a {quality} {rng.choice(SYNONYMS[scene.what])}"),
        where=rng.choice(SYNONYMS[scene.where]) if scene.where else "",
        doing=doing,
        done=done,
        **{
            "is": _verb("is" if scene.count == "a" else "are", scene.happens, rng),
            "being": _verb("is", scene.happens, rng),
        },
    )
    sentence = " ".join(words.split())
    return sentence[0].upper() + sentence[1:] + "."


def plural(noun: str) -> str:
    """More than one of it.

    >>> [plural(noun) for noun in ("policeman", "child", "lady", "boy", "lass")]
    ['policemen', 'children', 'ladies', 'boys', 'lasses']
    """
    if noun.endswith("man"):
        return noun[:-3] + "men"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + {"child": "ren"}.get(noun, "es" if noun.endswith("s") else "s")


def _article(phrase: str) -> str:
    first, noun = phrase.split(maxsplit=1)
    return f"an {noun}" if first == "a" and noun[0] in "aeiou" else f"{first} {noun}"


def _verb(verb: str, happens: bool, rng: Random) -> str:
    return verb if happens else rng.choice((f"{verb} not", f"{verb}n't"))
