"""When a shape gets a program of its own, and that it answers as the plain function does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engines import programs
from service.engines.programs import MOST, OFTEN, REMEMBERED, VAIN, Programs, bucket
from service.tensors import Array, Tensors


class Compiler:
    """Makes programs that double, and remembers for what; the plain function doubles, too."""

    def __init__(self, off: float = 0.0, quicker: bool = True, able: bool = True) -> None:
        self.made: list[tuple[int, ...]] = []
        self.plain: list[int] = []
        self.ran: list[int] = []
        self.off = off
        self.able = able
        self.programs = Programs(self.double, self.make, lambda *_: quicker, beside=lambda work: work())

    def double(self, inputs: Tensors) -> dict[str, Array]:
        self.plain.append(len(inputs["x"]))
        return {"y": inputs["x"] * 2}

    def make(self, batch: Tensors) -> programs.Run:
        self.made.append(batch["x"].shape)
        if not self.able:
            raise ValueError("no such operator\nwith details")

        def program(inputs: Tensors) -> dict[str, Array]:
            assert inputs["x"].shape == batch["x"].shape
            self.ran.append(len(inputs["x"]))
            return {"y": inputs["x"] * 2 + self.off}

        return program

    def ask(self, rows: int, width: int = 2, times: int = 1) -> None:
        for time in range(times):
            x = np.arange(rows * width, dtype=np.float32).reshape(rows, width) + time
            np.testing.assert_array_equal(self.programs.run({"x": x})["y"], x * 2)


@given(rows=st.integers(1, 2000))
def test_a_bucket_is_the_least_power_of_two_that_holds_the_rows(rows):
    assert bucket(rows) >= rows > bucket(rows) / 2
    assert bucket(rows).bit_count() == 1


@given(asked=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 3)), max_size=80))
def test_every_answer_is_right_whatever_is_compiled(asked):
    compiler = Compiler()
    for rows, width in asked:
        compiler.ask(rows, width)
    assert all(rows == bucket(rows) for rows, _ in compiler.made)
    assert len(set(compiler.made)) == len(compiler.made)


def test_a_shape_that_is_asked_for_often_is_compiled_once_for_all_that_fill_it():
    compiler = Compiler()
    compiler.ask(3, times=OFTEN - 1)
    assert compiler.made == []
    compiler.ask(4)
    assert compiler.made == [(4, 2)]
    compiler.plain.clear()
    compiler.ask(3, times=5)
    compiler.ask(4, times=5)
    assert compiler.plain == []
    compiler.ask(5)
    assert compiler.plain == [5]


def test_shapes_are_compiled_up_to_a_number_and_then_no_more():
    compiler = Compiler()
    for width in range(1, MOST + 5):
        compiler.ask(1, width, times=OFTEN + 1)
    assert len(compiler.made) == MOST


@pytest.mark.parametrize("how", [{"off": 0.01}, {"off": float("nan")}, {"quicker": False}, {"able": False}])
def test_a_program_that_fails_is_wrong_or_slower_is_not_kept_and_soon_none_is_tried(how):
    compiler = Compiler(**how)
    for width in range(1, 9):
        compiler.ask(1, width, times=OFTEN + 3)
    assert len(compiler.made) == VAIN


def test_a_model_whose_rows_look_at_each_other_is_not_filled_up():
    def mean(inputs: Tensors) -> dict[str, Array]:
        return {"y": inputs["x"] - inputs["x"].mean(axis=0)}

    made = []
    model = Programs(mean, lambda batch: made.append(len(batch["x"])) or mean, lambda *_: True, lambda work: work())
    x = np.array([[1.0], [2.0], [6.0]])
    for _ in range(2 * OFTEN):
        np.testing.assert_array_equal(model.run({"x": x})["y"], [[-2.0], [-1.0], [3.0]])
    assert made == [4]


def test_many_shapes_seen_rarely_take_no_more_than_so_much_memory():
    compiler = Compiler()
    for number in range(REMEMBERED + 10):
        compiler.ask(1 + number % 2, number)
    assert len(compiler.programs._asked) < REMEMBERED


def test_a_closed_one_compiles_no_more():
    compiler = Compiler()
    compiler.programs.close()
    compiler.ask(1, times=3 * OFTEN)
    assert compiler.made == []


def test_compiling_goes_on_beside_the_answers():
    compiler = Compiler()
    beside = Programs(compiler.double, compiler.make, lambda *_: True)
    for _ in range(OFTEN):
        beside.run({"x": np.ones((2, 2))})
    beside.close()
    compiler.plain.clear()
    beside.run({"x": np.ones((2, 2))})
    assert compiler.plain == []
