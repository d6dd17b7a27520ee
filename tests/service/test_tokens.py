"""How a text is read, as the page counts it while somebody types: exactly as a prediction reads it."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service import reading
from service.errors import InvalidInput
from service.fields import Tensor
from service.reading import MOST_LETTERS, MOST_READ, MOST_SHOWN
from service.schemas import MOST_FAULTS
from service.text import Tokenizer, pieces, words
from tests.service import described
from tests.service.artifacts import EXAMPLE, MOST_WORDS, VOCABULARY
from tests.service.site import MAX_BODY_BYTES, Site
from tests.service.test_native import NUMBERS, faults

PATH = "/models/toy/tokens"
TEXTS = st.text(st.sampled_from(" \t\n\v\f\r\x1c\x85\u2003" + string.punctuation + "aBéß鱼😀"))


def read(site: Site, text: str):
    return site.client.post(PATH, json={"text": text}).json["text"]


def test_words_come_as_they_are_written_each_with_its_id(site: Site):
    the, on = VOCABULARY.index("the"), VOCABULARY.index("on")
    told = read(site, "The (zebra) -  sits\nON the café's mat.")
    assert told["words"] == [
        *(["The", the], ["(zebra)", 1], ["sits", 1], ["ON", on], ["the", the], ["café's", 1]),
        ["mat.", VOCABULARY.index("mat")],
    ]
    assert (told["count"], told["most"], told["unknown"]) == (7, MOST_WORDS, 3)


@pytest.mark.parametrize("text", ["", "  ", "?!"])
def test_a_text_without_words_has_none(site: Site, text):
    assert read(site, text) == {"words": [], "count": 0, "most": MOST_WORDS, "unknown": 0}


@given(TEXTS)
@example("a\x1cb \x85 c")
def test_pieces_are_the_words(text):
    own = [word for piece in pieces(text, len(text) + 1) for word in words(piece.decode())]
    assert own == words(text)


@pytest.mark.parametrize("text", [EXAMPLE, "The ZEBRA's mat - very good!", "\u2003the\x1ccat\u2003"])
def test_its_ids_are_what_a_prediction_reads(site: Site, text):
    ids = [number for _, number in read(site, text)["words"]]
    by_ids, by_text = (site.predict("toy", {"text": value, "numbers": NUMBERS}) for value in (ids, text))
    assert by_ids.json == by_text.json


def test_more_words_than_the_model_takes_are_counted(site: Site):
    told = read(site, "the " * (MOST_WORDS + 3))
    assert (told["count"], told["most"]) == (MOST_WORDS + 3, MOST_WORDS)


def test_of_a_long_text_the_first_words_are_shown_and_all_are_counted(site: Site):
    told = read(site, "the zebra " * MOST_SHOWN)
    assert len(told["words"]) == MOST_SHOWN
    assert (told["count"], told["unknown"]) == (2 * MOST_SHOWN, MOST_SHOWN)


def test_of_a_long_word_the_first_letters_are_shown(site: Site):
    ((word, _),) = read(site, "é" * MOST_LETTERS)["words"]
    assert word == "é" * (MOST_LETTERS // 2)


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        pytest.param([], "", "expected an object of named texts, got a list of 0", id="no object"),
        pytest.param({"text": 3}, "/text", "expected a string, got 3", id="no string"),
        pytest.param(
            {"numbers": "x"}, "/numbers", "'numbers' has no vocabulary; those with one are text", id="no words"
        ),
        pytest.param({"texd": "x"}, "/texd", "unknown input 'texd', did you mean 'text'?", id="unknown"),
    ],
)
def test_what_is_no_text_is_refused_with_its_place(site: Site, body, pointer, detail):
    response = site.client.post(PATH, json=body)
    assert response.status_code == 422
    assert [(fault.pointer, fault.detail) for fault in faults(response)] == [(pointer, detail)]


def test_so_many_characters_are_read_and_no_more(site: Site):
    fields = site.toy.rows.fields
    assert reading.read(fields, {"text": "x" * MOST_READ})["text"]["count"] == 1
    with pytest.raises(InvalidInput, match=f"expected at most {MOST_READ} characters in all texts"):
        reading.read(fields, {"text": "x" * (MOST_READ + 1)})


def test_of_many_strange_names_no_more_are_looked_at_than_are_told(site: Site):
    looked = Looked(site.toy.rows.fields)
    with pytest.raises(InvalidInput) as refused:
        reading.read(looked, dict.fromkeys(map(str, range(10 * MOST_FAULTS)), "x"))
    assert len(refused.value.faults) == looked.times == MOST_FAULTS


class Looked(dict[str, Tensor]):
    """Inputs that count how often somebody asks for one of a name."""

    times = 0

    def __contains__(self, name: object) -> bool:
        self.times += 1
        return super().__contains__(name)


def test_names_that_mean_something_to_pointers_are_escaped(site: Site):
    assert faults(site.client.post(PATH, json={"a/b": "x"}))[0].pointer == "/a~1b"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("/models/nobody/tokens", b"{}", 404, id="model"),
        pytest.param(f"{PATH}?version=99", b"{}", 404, id="version"),
        pytest.param(f"{PATH}?wersion=1", b"{}", 422, id="query"),
        pytest.param(PATH, b"{", 400, id="no JSON"),
        pytest.param(PATH, b" " * (MAX_BODY_BYTES + 1), 413, id="too large"),
    ],
)
def test_whatever_is_refused_is_documented(site: Site, path, body, status):
    response = site.client.post(path, data=body)
    assert response.status_code == status
    described.Promises(described.built(site)).hold("tokens", response)


def test_an_answer_is_as_documented(site: Site):
    response = site.client.post(PATH, json={"text": EXAMPLE})
    described.Promises(described.built(site)).hold("tokens", response)


def test_another_unknown_id_is_counted():
    tokenizer = Tokenizer(b"\nthe\n[UNK]", unknown_id=2)
    assert tokenizer.encode("the zebra").tolist() == [1, 2]
