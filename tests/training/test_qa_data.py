"""Generated stories: an independent reader replays each one and must come to the same answer; nothing leaks."""

import re
from collections import Counter, defaultdict
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.qa import KINDS, TASK, WEIGHTS, generate, rows
from training.generators.stories import OBJECTS, PEOPLE, PLACES

SPLITS = ("train", "validation", "test")
COUNT = 1_500

MOVED = re.compile(
    r"(?:(?:went|moved|travelled|journeyed|ran|went back) to|walked into|entered|is now in|left the (?P<old>\w+) for)"
    r" the (?P<place>\w+)"
)
TOOK = re.compile(r"(?:took|picked up|grabbed|got) the (?P<thing>\w+)")
DROPPED = re.compile(r"(?:dropped|put down|discarded) the (?P<thing>\w+)|left the (?P<left>\w+) there")
GAVE = re.compile(r"(?:gave|handed|passed) the (?P<thing>\w+) to (?P<other>\w+)")
ASIDE = re.compile(r"was (?:tired|hungry)|laughed|looked around|sat down|yawned")
OPENER = re.compile(r"^(?:Then|Later|After that|Afterwards) ")


class Replay:
    """Reads a story of the generator's wordings; an event that could not happen is an AssertionError."""

    def __init__(self, text):
        self.trails = defaultdict(list)
        self.holder, self.lies = {}, {}
        self.sentences = [sentence.strip() for sentence in text.split(".") if sentence.strip()]
        for sentence in self.sentences:
            actor, doing = OPENER.sub("", sentence).split(" ", 1)
            self.read(actor, doing)

    def read(self, actor, doing):
        here = self.person(actor)
        if found := MOVED.fullmatch(doing):
            assert found["old"] in (None, here)
            assert found["place"] != here
            self.trails[actor].append(found["place"])
        elif found := TOOK.fullmatch(doing):
            thing = found["thing"]
            assert self.holder.get(thing) is None
            assert thing not in self.lies or self.lies.pop(thing) == here
            self.holder[thing] = actor
        elif found := DROPPED.fullmatch(doing):
            thing = found["thing"] or found["left"]
            assert self.holder[thing] == actor
            self.holder[thing], self.lies[thing] = None, here
        elif found := GAVE.fullmatch(doing):
            assert self.holder[found["thing"]] == actor
            assert here is not None
            assert self.person(found["other"]) == here
            self.holder[found["thing"]] = found["other"]
        else:
            assert ASIDE.fullmatch(doing), doing

    def person(self, name):
        return self.trails[name][-1] if self.trails.get(name) else None

    def thing(self, name):
        holder = self.holder.get(name)
        return self.person(holder) if holder else self.lies.get(name)

    def where(self, name):
        return (self.person(name) if name[0].isupper() else self.thing(name)) or "unknown"

    def who(self, thing):
        return self.holder[thing] or "nobody"

    def what(self, person):
        held = [thing for thing, holder in self.holder.items() if holder == person]
        assert len(held) <= 1
        return held[0] if held else "nothing"

    def beside(self, person, place, step):
        """The place before (-1) or after (+1) the only visit to another."""
        trail = self.trails[person]
        assert trail.count(place) == 1
        at = trail.index(place) + step
        assert at >= 0
        return trail[at]

    def check(self, name, place):
        return "yes" if self.where(name) == place else "no"

    def has(self, person, thing):
        return "yes" if self.who(thing) == person else "no"


QUESTIONS = {
    r"Where is (?:the )?(\w+)(?: now)?\?": Replay.where,
    r"Where can I find (?:the )?(\w+)\?": Replay.where,
    r"Who (?:has|is carrying|is holding) the (\w+)\?": Replay.who,
    r"What (?:does|is) (\w+) (?:have|carrying|holding)\?": Replay.what,
    r"Where was (\w+) before (?:going to )?the (\w+)\?": lambda story, who, place: story.beside(who, place, -1),
    r"Where (?:was|did) (\w+) (?:go )?after the (\w+)\?": lambda story, who, place: story.beside(who, place, 1),
    r"Is (?:the )?(\w+) (?:now )?in the (\w+)\?": Replay.check,
    r"(?:Does|Is) (\w+) (?:have|carrying) the (\w+)\?": Replay.has,
}


def answer(text, question):
    found = [(ask, match) for form, ask in QUESTIONS.items() if (match := re.fullmatch(form, question))]
    assert len(found) == 1, question
    ask, match = found[0]
    return ask(Replay(text), *match.groups()).lower()


@pytest.fixture(scope="module")
def told():
    return {split: rows(Random(11), COUNT, split) for split in SPLITS}


def visits(text):
    return {(person, place) for person, trail in Replay(text).trails.items() for place in trail}


@pytest.mark.parametrize(
    ("text", "question", "expected"),
    [
        ("Mary took the milk. Then Mary went to the park. Mary ran to the office.", "Where is the milk?", "office"),
        ("Mary entered the park. Mary got the key. Mary left the key there.", "Who has the key?", "nobody"),
        ("Mary got the key. Mary is now in the park.", "What is Mary carrying?", "key"),
        ("Mary took the milk.", "Where is the milk now?", "unknown"),
        ("Mary went to the park. Mary left the park for the school.", "Where was Mary before the school?", "park"),
        ("Mary went to the park. Mary left the park for the school.", "Where did Mary go after the park?", "school"),
        (
            "Bill ran to the park. Mary got the key. Mary went to the park. Mary gave the key to Bill.",
            "Does Bill have the key?",
            "yes",
        ),
        ("Bill ran to the park. Bill went to the office. Bill yawned.", "Is Bill in the park?", "no"),
    ],
)
def test_the_reader_of_these_tests_understands_a_story(text, question, expected):
    assert answer(text, question) == expected


@given(st.integers(0, 2**32), st.sampled_from(SPLITS))
@settings(deadline=None, max_examples=50)
def test_every_answer_follows_from_its_story(seed, split):
    for row in rows(Random(seed), 20, split):
        assert answer(row.text, row.question) == row.answer, row


def test_stories_have_1_to_12_sentences(told):
    for found in told.values():
        assert {len(Replay(row.text).sentences) for row in found} == set(range(1, 13))


def test_no_story_stands_in_two_splits(told):
    stories = {split: {row.text for row in found} for split, found in told.items()}

    assert not stories["train"] & stories["validation"]
    assert not stories["train"] & stories["test"]
    assert not stories["validation"] & stories["test"]


def test_every_held_out_story_sends_somebody_where_no_other_split_does(told):
    pairs = {split: set().union(*(visits(row.text) for row in found)) for split, found in told.items()}
    for split in ("validation", "test"):
        others = set().union(*(pairs[other] for other in SPLITS if other != split))
        own = pairs[split] - others
        assert len({person for person, _ in own}) == len(PEOPLE)
        assert all(visits(row.text) & own for row in told[split])


def test_no_training_question_names_a_place_held_out_for_its_person(told):
    """Else "no" could be learnt for the very places that only tests send people to."""
    trained = set().union(*(visits(row.text) for row in told["train"]))
    held_out = {(person, place) for person in PEOPLE for place in PLACES} - trained
    words = [set(re.findall(r"\w+", row.question)) for row in told["train"]]

    assert len(held_out) == 2 * len(PEOPLE)
    assert not [(person, place) for asked in words for person, place in held_out if {person, place} <= asked]


def test_no_row_stands_twice_in_a_split(told):
    for found in told.values():
        assert len({(row.text, row.question) for row in found}) == COUNT


def test_every_kind_of_question_is_asked_in_every_split(told):
    assert set(KINDS) == set(WEIGHTS)
    for found in told.values():
        kinds = Counter(row.kind for row in found)
        assert set(kinds) == set(KINDS)
        assert min(kinds.values()) >= COUNT // 20


def test_every_answer_is_one_word_in_lower_case_and_occurs_in_every_split(told):
    names = {name.lower() for name in (*PEOPLE, *PLACES, *OBJECTS)}
    for found in told.values():
        assert {row.answer for row in found} == names | {"yes", "no", "unknown", "nobody", "nothing"}


def test_yes_is_as_often_right_as_no(told):
    answers = Counter(row.answer for found in told.values() for row in found)

    assert 0.85 < answers["yes"] / answers["no"] < 1.15


def test_equal_seeds_give_equal_rows_and_another_seed_others():
    first = generate(200, 3)

    assert generate(200, 3) == first
    assert not set(generate(200, 4).train["text"]) <= set(first.train["text"])


def test_the_rows_asked_for_are_shared_out_over_the_splits_in_columns_of_the_task():
    splits = generate(500, 1)
    columns = [*TASK.inputs, *TASK.outputs]

    for split, count in {"train": 450, "validation": 20, "test": 30}.items():
        table = getattr(splits, split)
        assert list(table) == columns
        assert {len(column) for column in table.values()} == {count}


def test_the_example_needs_two_facts_and_has_one_answer():
    """Who has the thing, or had it last, and where that person went."""
    assert any(f"the {thing}" in TASK.example["question"] for thing in OBJECTS)
    assert answer(**TASK.example) in PLACES
