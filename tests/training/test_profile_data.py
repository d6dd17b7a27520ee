"""Generated posts: reproducible, one person a row, of the promised lengths, and labelled by the documented rules."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.profile import FEWEST_WORDS, LENGTH, MOST_WORDS, SHARES, TASK, generate
from training.generators import people
from training.generators.people import BRACKETS, GENDERS, NAMES, Person, draw, favourites, liking, post
from training.words import split

SPLITS = ("train", "validation", "test")
COUNT = 1_000
LONGEST = max(len(wording.split()) for wording in (*people.FOND, *people.ORDINARY)) + 2
"""Words of a sentence at most; "a stew" counts twice."""

seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def made():
    return generate(COUNT, 0)


@pytest.fixture(scope="module")
def crowd():
    rng = Random(5)
    return [draw(rng) for _ in range(5_000)]


def column(made, name):
    return [value for part in SPLITS for value in getattr(made, part)[name]]


def test_equal_seeds_give_equal_rows_and_other_seeds_other_rows(made):
    assert generate(COUNT, 0) == made
    assert generate(COUNT, 1).train != made.train


def test_splits_hold_the_people_asked_for(made):
    sizes = {name: len(getattr(made, name)["posts"]) for name in SPLITS}

    assert sizes == {name: round(COUNT * share) for name, share in SHARES.items()}
    assert sum(sizes.values()) == COUNT


def test_every_person_writes_one_row_and_stands_in_one_split(made):
    texts = column(made, "posts")

    assert len(set(texts)) == len(texts) == COUNT


def test_posts_are_as_long_as_promised_and_never_cut(made):
    lengths = [len(split(text)) for text in column(made, "posts")]

    assert min(lengths) >= FEWEST_WORDS
    assert max(lengths) < MOST_WORDS + LONGEST
    assert max(lengths) <= LENGTH == TASK.inputs["posts"].length
    assert max(lengths) - min(lengths) > 150


def test_every_label_appears_and_no_other(made):
    assert set(column(made, "income")) == set(BRACKETS)
    assert set(column(made, "gender")) == set(GENDERS)
    assert TASK.outputs["income"].labels == BRACKETS
    assert TASK.outputs["gender"].labels == GENDERS


def test_ages_are_adult_and_spread_out(made):
    ages = column(made, "age")

    assert all(people.YOUNGEST <= age <= people.OLDEST for age in ages)
    assert min(ages) < people.YOUNGEST + 5
    assert max(ages) > people.OLDEST - 5


def test_each_name_belongs_to_one_list():
    owners = Counter(name.lower() for names in NAMES.values() for name in names)

    assert set(owners.values()) == {1}


@pytest.mark.parametrize("kind", NAMES)
def test_lists_are_in_the_order_of_the_alphabet(kind):
    """Which settles what goes with which label."""
    assert list(NAMES[kind]) == sorted(NAMES[kind])


@pytest.mark.parametrize("kind", ["band", "expression"])
def test_the_young_like_the_first_names_and_the_old_the_last(kind):
    last = len(NAMES[kind]) - 1
    young, old = Person(people.YOUNGEST, 4, 0), Person(people.OLDEST, 4, 0)

    assert liking(young, kind, 0) == liking(old, kind, last) == pytest.approx(1)
    assert liking(young, kind, last) < 1e-3
    assert liking(old, kind, 0) < 1e-3


@pytest.mark.parametrize("kind", ["band", "expression"])
def test_liking_falls_off_as_a_bell_curve_of_so_many_years(kind):
    one_off = Person(people.YOUNGEST + round(people.YEARS), 4, 0)

    assert liking(one_off, kind, 0) == pytest.approx(2.718281828**-0.5, rel=1e-6)


@pytest.mark.parametrize("bracket", range(len(BRACKETS)))
def test_each_bracket_buys_most_from_the_maker_at_its_place(bracket):
    likings = [liking(Person(30, bracket, 0), "maker", place) for place in range(len(NAMES["maker"]))]

    assert likings.index(max(likings)) == bracket * (len(NAMES["maker"]) - 1) // (len(BRACKETS) - 1)


def test_hobbies_lean_by_the_odds_every_other_to_the_one_gender():
    likings = [[liking(Person(30, 4, gender), "hobby", place) for place in range(4)] for gender in (0, 1)]

    assert likings == [[people.ODDS, 1, people.ODDS, 1], [1, people.ODDS, 1, people.ODDS]]


def test_income_follows_age_and_gender_follows_nothing(crowd):
    from numpy import corrcoef

    ages, incomes, genders = zip(*((each.age, each.income, each.gender) for each in crowd), strict=True)

    assert 0.6 < corrcoef(ages, incomes)[0, 1] < 0.98
    assert abs(corrcoef(ages, genders)[0, 1]) < 0.05
    assert abs(corrcoef(incomes, genders)[0, 1]) < 0.05


@given(seeds)
@settings(max_examples=30)
def test_posts_name_the_favourites_of_their_writer_alone(seed):
    person = draw(Random(seed))
    liked = {name for names in favourites(person, Random(seed)).values() for name in names}
    invented = {name for names in NAMES.values() for name in names}
    words = {word.strip(".,!?") for word in post(person, 120, Random(seed)).split()}

    assert words & invented <= liked
    assert words & invented


def test_words_of_the_genders_overlap_and_now_and_then_mislead():
    rng = Random(3)
    hobbies = Counter(name for _ in range(2_000) for name in favourites(Person(30, 4, 0), rng)["hobby"])
    leaning = sum(hobbies[name] for name in NAMES["hobby"][::2]) / hobbies.total()

    # Regardless of it, one half of the favourites drawn so.
    expected = (1 - people.REGARDLESS) * people.ODDS / (people.ODDS + 1) + people.REGARDLESS / 2
    assert leaning == pytest.approx(expected, abs=0.02)
    assert set(hobbies) == set(NAMES["hobby"])


def test_the_data_say_that_they_are_synthetic():
    assert "synthetic" in TASK.data
    assert "not for real people" in TASK.description.lower()


def test_the_example_speaks_the_generators_words(made):
    known = {word for text in made.train["posts"] for word in split(text)}

    assert set(split(TASK.example["posts"])) <= known


def test_there_are_a_quick_and_a_full_preset():
    assert set(TASK.presets) == {"quick", "full"}
    assert TASK.presets["quick"].rows < TASK.presets["full"].rows
