"""Generated questions and articles: an independent reader resolves each pair, and no wording leaks."""

import re
from collections import Counter
from dataclasses import fields
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.help_desk import ANSWERED, SHARES, TASK, generate
from training.generators.faq import ANY, ESCALATE, FRAMES, OUTSIDE, TOPICS, Frames
from training.words import split

SPLITS = ("train", "validation", "test")
COUNT = 2_000
HOLES = {
    "part": "|".join(part for topic in TOPICS.values() for part in topic.parts),
    "fault": "|".join([*ANY, *(fault for topic in TOPICS.values() for fault in topic.faults)]),
    "step": "|".join(step for topic in TOPICS.values() for step in topic.steps),
}
HOLES |= {"spared": HOLES["part"], "other": HOLES["step"]}
QUESTIONS = {name: frames.plain + frames.sparing for name, frames in FRAMES.items()}


@pytest.fixture(scope="module")
def made():
    return generate(COUNT, 0)


def rows(table):
    return list(zip(table["question"], table["article"], table["resolution"], strict=True))


@cache
def pattern(frame):
    """A regular expression that takes the frame apart; a hole holds what may stand in it and nothing else."""
    return re.compile(re.sub(r"\\\{(\w+)\\\}", lambda hole: f"(?P<{hole[1]}>{HOLES[hole[1]]})", re.escape(frame)))


def owner(phrase):
    """The topic that a part belongs to."""
    return next(name for name, topic in TOPICS.items() if phrase in topic.parts)


def read(question, frames):
    """Every topic a question can be about when it is read by these frames."""
    found = (pattern(frame).fullmatch(question) for frame in frames)
    return {owner(match["part"]) for match in found if match}


def advised(article):
    """The topics whose steps an article gives."""
    return {name for name, topic in TOPICS.items() if any(step in article for step in topic.steps)}


def test_equal_seeds_give_equal_rows_and_other_seeds_other_rows(made):
    assert generate(COUNT, 0) == made
    assert generate(COUNT, 1).train != made.train


def test_splits_hold_the_rows_asked_for_in_columns_of_the_task(made):
    for name in SPLITS:
        table = getattr(made, name)
        assert list(table) == [*TASK.inputs, *TASK.outputs]
        assert {len(column) for column in table.values()} == {round(COUNT * SHARES[name])}


@given(st.integers(0, 2**32 - 1), st.sampled_from(SPLITS))
@settings(deadline=None, max_examples=20)
def test_a_row_is_resolved_where_the_article_is_on_what_is_asked_and_escalated_elsewhere(seed, name):
    for question, article, resolution in rows(getattr(generate(60, seed), name)):
        topics, told = read(question, QUESTIONS[name]), advised(article)
        assert len(told) == 1
        assert len(topics) <= 1
        assert resolution == (told.pop() if topics == told else ESCALATE), question


@pytest.mark.parametrize("name", SPLITS)
def test_no_question_is_worded_as_in_another_split(made, name):
    others = [frame for other in SPLITS if other != name for frame in QUESTIONS[other]]
    for question in getattr(made, name)["question"]:
        outside = question.startswith(FRAMES[name].would)
        assert outside or read(question, QUESTIONS[name])
        assert not read(question, others)


@pytest.mark.parametrize("kind", [field.name for field in fields(Frames)])
def test_no_frame_stands_in_two_splits_or_twice_in_one(kind):
    frames = [frame for split_frames in FRAMES.values() for frame in getattr(split_frames, kind)]

    assert len(set(frames)) == len(frames)


@pytest.mark.parametrize("name", SPLITS)
def test_no_article_holds_a_sentence_of_another_splits_frames(made, name):
    others = [
        pattern(frame)
        for other in SPLITS if other != name
        for kind in ("opening", "advice", "aside") for frame in getattr(FRAMES[other], kind)
    ]  # fmt: skip
    for article in getattr(made, name)["article"][:50]:
        assert not [frame.pattern for frame in others if re.search(rf"(?:^|[.?] ){frame.pattern}", article)], article


def test_no_part_or_step_belongs_to_two_topics():
    counts = Counter(phrase for topic in TOPICS.values() for phrase in topic.parts + topic.steps)

    assert set(counts.values()) == {1}


def test_every_resolution_occurs_in_every_split_and_escalate_about_as_often_as_it_should(made):
    for name in SPLITS:
        counts = Counter(getattr(made, name)["resolution"])
        assert set(counts) == {*TOPICS, ESCALATE}
        assert abs(counts[ESCALATE] / counts.total() - (1 - ANSWERED)) < 0.08


def test_neither_side_alone_settles_the_matter(made):
    """Each topic's articles and each kind of question stand in answered rows and in escalated ones."""
    found = {(side, topic, resolution == ESCALATE)
             for question, article, resolution in rows(made.train)
             for side, topics in (("asked", read(question, QUESTIONS["train"])), ("told", advised(article)))
             for topic in topics}  # fmt: skip

    assert found == {(side, topic, no) for side in ("asked", "told") for topic in TOPICS for no in (True, False)}


def test_some_questions_are_outside_all_topics(made):
    questions = [question for question in made.test["question"] if not read(question, QUESTIONS["test"])]

    assert len(questions) > len(OUTSIDE)
    assert all(question.startswith(FRAMES["test"].would) for question in questions)


def test_almost_every_word_of_the_test_rows_is_known_from_training(made):
    known = {word for side in TASK.inputs for text in made.train[side] for word in split(text)}
    told = [word for side in TASK.inputs for text in made.test[side] for word in split(text)]

    assert sum(word not in known for word in told) < 0.1 * len(told)


def test_the_example_has_its_right_article():
    assert read(TASK.example["question"], QUESTIONS["train"]) == advised(TASK.example["article"]) == {"charge"}
    assert TASK.outputs["resolution"].otherwise == ESCALATE
