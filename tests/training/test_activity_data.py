"""Generated and recorded accelerations: reproducible, true to the physics they claim, one person in one split only."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.activity import EXERCISES, TASK, WINDOWS, generate, read
from training.formats.watch import NAMES, recordings
from training.generators.motion import ACTIVITIES, MASS, PACES, RATE, STEPS, draw, energy, met, window
from training.generators.parts import SHARES
from training.mistakes import DataMistake

SPLITS = ("train", "validation", "test")
COUNT = 1_400

seeds = st.integers(0, 2**32 - 1)
paces = st.floats(0, 1)
activities = st.sampled_from(ACTIVITIES)


@pytest.fixture(scope="module")
def made():
    return generate(COUNT, 0)


def felt(activity, pace=0.5, seed=0):
    rng = np.random.default_rng(seed)
    return window(draw(rng), activity, pace, rng)


def sizes(readings):
    """The length of each reading's vector, which no rotation of the sensor changes."""
    return np.linalg.norm(readings, axis=-1)


@given(seeds, activities, paces)
@settings(deadline=None)
def test_every_window_is_finite_and_within_what_a_sensor_of_16_g_can_read(seed, activity, pace):
    readings = felt(activity, pace, seed)

    assert readings.shape == (STEPS, 3)
    assert readings.dtype == np.float32
    assert sizes(readings).max() < 16


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_the_mean_force_is_the_weight_whatever_the_movement(activity):
    """Nobody flies away: over whole periods only gravity is left."""
    means = [np.linalg.norm(felt(activity, pace, seed).mean(axis=0)) for seed in range(20) for pace in (0.0, 1.0)]

    assert np.mean(means) == pytest.approx(1, abs=0.06)


@given(seeds)
@settings(deadline=None, max_examples=30)
def test_lying_and_sitting_are_still_and_running_is_not(seed):
    assert max(sizes(felt(activity, seed=seed)).std() for activity in ("lying", "sitting")) < 0.1
    assert sizes(felt("running", seed=seed)).std() > 0.4


@pytest.mark.parametrize("activity", ["running", "jumping"])
def test_runners_and_jumpers_fly_in_every_step(activity):
    """In free fall a sensor feels next to nothing."""
    for seed in range(10):
        assert sizes(felt(activity, 1.0, seed)).min() < 0.6


def test_the_body_is_upright_in_sitting_and_lies_in_lying():
    """More or less: some slouch, some lie propped up, and sensors are worn askew."""
    up = {activity: [felt(activity, seed=seed).mean(axis=0)[2] for seed in range(40)] for activity in ACTIVITIES}

    assert np.median(up["sitting"]) > 0.85
    assert np.median(np.abs(up["lying"])) < 0.5


@pytest.mark.parametrize(("activity", "slow", "fast"), [("walking", 1.55, 2.2), ("jumping", 1.5, 140 / 60)])
def test_the_rhythm_follows_the_pace(activity, slow, fast):
    def rhythm(pace):
        spectra = [np.abs(np.fft.rfft(sizes(felt(activity, pace, seed)) - 1, 1024)) for seed in range(20)]
        return np.fft.rfftfreq(1024, 1 / RATE)[np.argmax(np.mean(spectra, axis=0))]

    assert rhythm(0.0) == pytest.approx(slow, rel=0.15)
    assert rhythm(1.0) == pytest.approx(fast, rel=0.15)


@given(activities, paces, paces)
def test_a_faster_pace_never_costs_less(activity, one, other):
    slow, fast = sorted((one, other))

    assert met(activity, slow) <= met(activity, fast)


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_the_published_costs_are_met_at_the_published_paces(activity):
    low, high = PACES[activity][0][0], PACES[activity][-1][0]
    for pace, cost in PACES[activity]:
        assert met(activity, (pace - low) / (high - low or 1)) == pytest.approx(cost)


def test_a_met_is_a_kilocalorie_an_hour_for_each_kilogram():
    assert energy(1) * 60 == pytest.approx(MASS)
    assert energy(met("running", 0.5)) == pytest.approx(9.8 * 70 / 60)


def test_equal_seeds_give_equal_rows_and_other_seeds_other_rows(made):
    again, other = generate(COUNT, 0), generate(COUNT, 1)

    assert np.array_equal(again.train["acceleration"], made.train["acceleration"])
    assert again.test["energy"] == made.test["energy"]
    assert not np.array_equal(other.train["acceleration"], made.train["acceleration"])


def test_the_rows_asked_for_are_shared_out_over_the_splits_in_columns_of_the_task(made):
    for part in SPLITS:
        table = getattr(made, part)
        assert list(table) == [*TASK.inputs, *TASK.outputs]
        assert {len(column) for column in table.values()} == {round(COUNT * SHARES[part])}
        assert set(table["activity"]) == set(ACTIVITIES)


def test_no_window_stands_twice_within_or_across_splits(made):
    """Every split draws its people from a stream of chance of its own."""
    windows = [readings.tobytes() for part in SPLITS for readings in getattr(made, part)["acceleration"]]

    assert len(set(windows)) == len(windows) == COUNT


def test_a_person_wears_the_sensor_the_same_way_in_all_their_windows(made):
    """So that whoever is judged on wears it as nobody learnt from does."""
    sitting = [np.mean(x, axis=0) for x in made.train["acceleration"][1 :: len(ACTIVITIES)]]
    same = [np.linalg.norm(a - b) for a, b in zip(sitting[::2], sitting[1::2], strict=True)]
    others = [np.linalg.norm(a - b) for a, b in zip(sitting[1:-1:2], sitting[2::2], strict=True)]

    assert 2 * len(ACTIVITIES) == WINDOWS
    assert np.mean(same) < 0.8 * np.mean(others)


def test_the_example_is_a_window_of_plain_numbers():
    (readings,) = TASK.example.values()

    assert np.shape(readings) == TASK.inputs["acceleration"].dims
    assert all(type(value) is float for reading in readings for value in reading)


def recorded(people=5, length=STEPS + 70, **changes):
    """A file's dictionary: every person does every exercise once."""
    rng = np.random.default_rng(2)
    pairs = [(person, exercise) for person in range(people) for exercise in range(len(NAMES))]
    return {
        # The person's number is the third axis: so rows tell whose they are.
        "X": [np.column_stack([rng.normal(size=(length, 2)), np.full(length, person)]) for person, _ in pairs],
        "X_labels": ["ax", "ay", "az"],
        "y": np.array([exercise for _, exercise in pairs]),
        "y_labels": list(NAMES),
        "subject": np.array([person for person, _ in pairs]),
        **changes,
    }


def written(folder, content):
    np.save(folder / "watch.npy", content, allow_pickle=True)
    return folder / "watch.npy"


def test_recordings_are_cut_into_windows_that_overlap_by_half(tmp_path):
    splits = read(written(tmp_path, recorded()), 0)
    first, second = splits.test["acceleration"][:2]

    assert [len(getattr(splits, part)["activity"]) for part in SPLITS] == [3 * 7 * 2 * 4, 7 * 2, 7 * 2]
    assert first.shape == (STEPS, 3)
    assert first.dtype == np.float32
    assert np.array_equal(first[STEPS // 2 :], second[: STEPS // 2])


def test_training_windows_come_as_recorded_for_the_other_arm_and_both_askew(tmp_path):
    train = read(written(tmp_path, recorded()), 0).train
    plain, other, askew, both = np.split(np.stack(train["acceleration"]), 4)

    assert np.array_equal(other, plain * [-1, 1, 1])
    for one, turned in ((plain, askew), (other, both)):
        assert np.allclose(sizes(one), sizes(turned), atol=1e-4)
        assert not np.allclose(one, turned, atol=1e-2)
    assert all(
        np.array_equal(part, train["activity"][: len(plain)]) for part in np.split(np.array(train["activity"]), 4)
    )


@given(seeds)
@settings(deadline=None, max_examples=10)
def test_nobody_recorded_stands_in_two_splits(tmp_path_factory, seed):
    splits = read(written(tmp_path_factory.mktemp("watch"), recorded(people=7)), seed)
    # Training rows as recorded come first.
    own = {part: getattr(splits, part)["acceleration"] for part in SPLITS}
    own["train"] = own["train"][: len(own["train"]) // 4]
    people = {part: {int(x[0, 2]) for x in own[part]} for part in SPLITS}

    assert sum(map(len, people.values())) == len(set.union(*people.values())) == 7
    assert all(people.values())


def test_every_exercise_has_its_name_and_its_cost(tmp_path):
    train = read(written(tmp_path, recorded()), 0).train

    assert set(train["activity"]) == set(NAMES.values()) == set(EXERCISES)
    assert {*zip(train["activity"], train["energy"], strict=True)} == {
        (name, energy(cost)) for name, cost in EXERCISES.items()
    }


def test_axes_are_found_by_their_names(tmp_path):
    content = recorded(X_labels=["az", "ax", "ay"])
    (one, *_) = recordings(written(tmp_path, content))

    assert np.allclose(one.acceleration, content["X"][0][:, [1, 2, 0]])


class Evil:
    """What a hostile file would hold."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_file_that_asks_for_anything_else_is_refused_and_nothing_runs(tmp_path):
    mark = tmp_path / "mark"
    file = written(tmp_path, recorded(extra=Evil(mark)))

    with pytest.raises(DataMistake, match="not admitted"):
        read(file, 0)
    assert not mark.exists()
    np.load(file, allow_pickle=True).item()
    assert mark.exists()  # So it would have been run.


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"people": 2}, "recordings of 2 people"),
        ({"length": STEPS - 1}, "no recording of at least 128"),
        ({"X_labels": ["wx", "wy", "wz"]}, "do not fit together"),
        ({"y": np.array([0])}, "do not fit together"),
        ({"y_labels": ["SWIM"] * 7}, "'SWIM'"),
        ({"X": [np.full((STEPS, 3), np.nan)] * 35}, "not finite"),
    ],
    ids=str,
)
def test_broken_recordings_are_named(tmp_path, changes, fault):
    with pytest.raises(DataMistake, match=fault):
        read(written(tmp_path, recorded(**changes)), 0)


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_a_damaged_file_is_a_mistake_and_nothing_worse(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("watch")
    whole = written(folder, recorded(people=3, length=STEPS)).read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 2))
    (folder / "cut.npy").write_bytes(whole[:cut])

    with pytest.raises(DataMistake):
        read(folder / "cut.npy", 0)


@pytest.mark.parametrize("content", [[1, 2], np.zeros(3), {"X": 1}, b"text"], ids=repr)
def test_another_npy_file_is_a_mistake(tmp_path, content):
    with pytest.raises(DataMistake):
        read(written(tmp_path, content), 0)


def test_a_pickle_without_the_header_is_a_mistake(tmp_path):
    (tmp_path / "watch.npy").write_bytes(pickle.dumps(recorded()))

    with pytest.raises(DataMistake, match=r"not a whole \.npy file"):
        read(tmp_path / "watch.npy", 0)


def test_an_absent_file_is_a_mistake_and_another_kind_is_left_to_others(tmp_path):
    with pytest.raises(DataMistake, match="cannot be read"):
        read(tmp_path / "absent.npy", 0)
    assert read(tmp_path / "rows.csv", 0) is None
