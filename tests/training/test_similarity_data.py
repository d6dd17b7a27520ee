"""Generated pairs: scored by the documented rule, told in known words, reproducible, and nothing leaks."""

from collections import Counter
from dataclasses import fields, replace
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.similarity import (
    DENIAL,
    KINDS,
    SHARES,
    TASK,
    WEIGHTS,
    agreement,
    deeds,
    generate,
    pairs,
    similarity,
    word_overlap,
)
from training.generators.scenes import DEEDS, FAMILY, LISTS, LIVING, SUBJECTS, SYNONYMS, Scene, draw, plural, tell
from training.words import split

SPLITS = ("train", "validation", "test")
COUNT = 1_500
DOG = Scene("a", "dog", "chasing", "old", "cat", "in the park", happens=True)

VERBS = {form: does for does in DEEDS for verb in SYNONYMS[does] for form in verb.split("/")}
LIVES = {form: who for who in LIVING for noun in SYNONYMS[who] for form in (noun, plural(noun))}

seeds = st.integers(0, 2**32 - 1)
scenes = seeds.map(lambda seed: draw(Random(seed)))


@pytest.fixture(scope="module")
def made():
    return generate(COUNT, 0)


@pytest.fixture(scope="module")
def told():
    """Pairs of the training split, with their scenes."""
    return list(pairs(Random(1), COUNT, deeds(0)["train"]))


def apart(left, right):
    """In which parts two scenes differ."""
    return [field.name for field in fields(Scene) if getattr(left, field.name) != getattr(right, field.name)]


def test_equal_seeds_give_equal_rows_and_other_seeds_other_rows(made):
    assert generate(COUNT, 0) == made
    assert generate(COUNT, 1).train != made.train


def test_splits_hold_the_rows_asked_for(made):
    sizes = {name: len(getattr(made, name)["left"]) for name in SPLITS}

    assert sizes == {name: round(COUNT * share) for name, share in SHARES.items()}
    assert sum(sizes.values()) == COUNT


def deed_of(sentence):
    """Who does what in a told sentence, read from its words alone."""
    words = split(sentence)
    at = next(place for place, word in enumerate(words) if word in VERBS)
    told = words[at:] if "being" in words else words[:at]
    return next(LIVES[word] for word in told if word in LIVES), VERBS[words[at]]


@pytest.mark.parametrize("name", SPLITS)
def test_every_sentence_tells_a_deed_of_its_own_split(made, name):
    rows = getattr(made, name)

    assert {deed_of(text) for side in ("left", "right") for text in rows[side]} <= deeds(0)[name]


def test_no_deed_belongs_to_two_splits_and_every_one_to_some():
    parts = deeds(0).values()

    assert sum(map(len, parts)) == len(frozenset().union(*parts))
    assert frozenset().union(*parts) == {(who, does) for does in DEEDS for who in SUBJECTS[does]}


@pytest.mark.parametrize("name", SPLITS)
def test_a_pair_shows_only_deeds_of_its_split(name):
    allowed = deeds(3)[name]

    for made in pairs(Random(2), 200, allowed):
        assert {(scene.who, scene.does) for scene in made.scenes} <= allowed


def test_every_word_of_the_test_rows_is_known_from_training(made):
    words = {name: {word for side in ("left", "right") for text in getattr(made, name)[side] for word in split(text)}
             for name in SPLITS}  # fmt: skip

    assert len(words["test"] - words["train"]) <= 2


def test_scores_span_the_range_they_promise(made):
    scores = [score for name in SPLITS for score in getattr(made, name)["similarity"]]

    assert min(scores) >= TASK.outputs["similarity"].minimum
    assert max(scores) == TASK.outputs["similarity"].maximum == 1.0
    assert min(scores) < 0.1
    assert len({round(score, 3) for score in scores}) > 15


def test_sentences_have_5_to_30_words(made):
    lengths = {len(split(text)) for name in SPLITS for side in ("left", "right") for text in getattr(made, name)[side]}

    assert min(lengths) >= 5
    assert max(lengths) <= 30


def test_a_row_is_scored_by_its_scenes(told):
    rows = generate(COUNT, 0).train
    again = list(pairs(Random("train 0"), len(rows["left"]), deeds(0)["train"]))

    assert rows["left"] == [pair.left for pair in again]
    assert rows["similarity"] == [similarity(*pair.scenes) for pair in again]


def test_weights_sum_to_1_and_name_the_parts_of_a_scene():
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert {*WEIGHTS, "happens"} == {field.name for field in fields(Scene)}


@given(scenes)
@settings(max_examples=50)
def test_a_scene_is_wholly_like_itself_however_it_is_told(scene):
    assert similarity(scene, scene) == 1.0


@given(scenes, scenes)
@settings(max_examples=100)
def test_scores_are_the_same_both_ways_and_in_range(left, right):
    assert similarity(left, right) == similarity(right, left)
    assert 0 <= similarity(left, right) <= 1


@pytest.mark.parametrize(
    ("change", "loss"),
    [
        pytest.param({"count": "two"}, 0.10, id="another number"),
        pytest.param({"who": "rabbit"}, 0.125, id="a relative does it"),
        pytest.param({"who": "horse"}, 0.25, id="somebody else does it"),
        pytest.param({"does": "following"}, 0.125, id="a related deed"),
        pytest.param({"does": "helping"}, 0.25, id="another deed"),
        pytest.param({"quality": "young"}, 0.05, id="a related quality"),
        pytest.param({"quality": "happy"}, 0.10, id="another quality"),
        pytest.param({"quality": ""}, 0.05, id="a quality unsaid"),
        pytest.param({"what": "rabbit"}, 0.10, id="a related object"),
        pytest.param({"what": "nurse"}, 0.20, id="another object"),
        pytest.param({"where": "in the kitchen"}, 0.10, id="another place"),
        pytest.param({"happens": False}, 0.5, id="a denial"),
    ],
)
def test_each_change_costs_what_the_rule_says(change, loss):
    assert similarity(DOG, replace(DOG, **change)) == pytest.approx(1 - loss)


def test_swapped_roles_cost_what_the_docstring_says():
    assert similarity(DOG, replace(DOG, who="cat", what="dog")) == pytest.approx(0.775)


def test_two_denials_agree():
    denied = replace(DOG, happens=False)

    assert similarity(denied, denied) == 1.0
    assert similarity(DOG, denied) == DENIAL


@pytest.mark.parametrize(("left", "right"), list(product(["man", ""], repeat=2)))
def test_unsaid_parts_agree_by_half_with_said_ones_and_wholly_with_each_other(left, right):
    assert agreement(left, right) == (1.0 if left == right else 0.5)


def test_kinds_come_as_often_as_promised_and_change_as_much_as_they_say(told):
    counts = Counter(pair.kind for pair in told)

    for kind, share in KINDS.items():
        assert counts[kind] / len(told) == pytest.approx(share, abs=0.05)
    for pair in told:
        changed = apart(*pair.scenes)
        if pair.kind == "paraphrase":
            assert changed == []
        if pair.kind == "near miss":
            assert len(changed) == 1 or changed == ["who", "what"]
        if pair.kind == "related":
            assert 1 <= len(changed) <= 4


def test_near_misses_change_every_part_and_swap_roles(told):
    changes = Counter(tuple(apart(*pair.scenes)) for pair in told if pair.kind == "near miss")

    assert {("who", "what"), *((field.name,) for field in fields(Scene))} <= set(changes)


def test_paraphrases_are_mostly_worded_anew(told):
    alike = [pair.left == pair.right for pair in told if pair.kind == "paraphrase"]

    assert sum(alike) / len(alike) < 0.05


def test_every_concept_belongs_to_one_family_and_every_synonym_to_one_concept():
    assert len(FAMILY) == sum(len(family) for families in LISTS for family in families)
    owners = Counter(synonym for synonyms in SYNONYMS.values() for synonym in synonyms)

    assert [synonym for synonym, count in owners.items() if count > 1] == []


@given(seeds)
@settings(max_examples=100)
def test_only_possible_scenes_are_drawn_and_told_as_sentences(seed):
    rng = Random(seed)
    scene = draw(rng)
    sentence = tell(scene, rng)

    assert scene.possible
    assert scene.does in DEEDS
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "  " not in sentence
    assert "{" not in sentence
    assert (" not " in sentence or "n't " in sentence) != scene.happens


@pytest.mark.parametrize(("scene", "possible"), [
    (DOG, True),
    (replace(DOG, what="dog"), False),
    (replace(DOG, who="car"), False),
    (replace(DOG, what="car"), False),
    (replace(DOG, quality="red"), False),
    (replace(DOG, quality=""), True),
], ids=str)  # fmt: skip
def test_what_cannot_be_is_impossible(scene, possible):
    assert scene.possible is possible


def test_plurals():
    assert [plural(noun) for noun in ("man", "child", "baby", "donkey")] == ["men", "children", "babies", "donkeys"]


def test_the_baseline_is_the_share_of_words_in_common():
    rows = {"left": ["A dog sat.", "a b", "One", ""], "right": ["a DOG ran", "a b", "other", ""]}

    assert word_overlap(rows) == [2 / 4, 1.0, 0.0, 1.0]


def test_word_overlap_leaves_much_to_learn(made):
    """If it did not, the rows would not need a model."""
    from numpy import corrcoef

    assert 0.2 < corrcoef(word_overlap(made.test), made.test["similarity"])[0, 1] < 0.6


def test_the_example_speaks_the_generators_words(made):
    known = {word for side in ("left", "right") for text in made.train[side] for word in split(text)}

    assert {word for text in TASK.example.values() for word in split(text)} <= known
    assert set(TASK.example) == set(TASK.inputs)


def test_there_are_a_quick_and_a_full_preset():
    assert set(TASK.presets) == {"quick", "full"}
    assert TASK.presets["quick"].rows < TASK.presets["full"].rows
