"""Numbers as people read them; service/console/assets/numbers.js writes them alike, and a test compares the two."""

import math
from decimal import ROUND_HALF_UP, Context, Decimal

NONE = "not a number"
POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
TIMES = "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}"


def digits(value: float | None, most: int = 4) -> str:
    """So many digits that matter, and all of those before the point.

    >>> digits(32.172092), digits(1234567.8), digits(1981.4), digits(-2.5), digits(0.25, 1), digits(None)
    ('32.17', '1,234,568', '1981', '−2.5', '0.3', 'not a number')
    """
    if value is None or not math.isfinite(value):
        return NONE
    sign, size = "−" if value < 0 else "", abs(value)
    number = Context(most, ROUND_HALF_UP).create_decimal(float(size))
    if size and not 1e-4 <= size < 1e12:
        power = number.adjusted()
        return f"{sign}{plain(number.scaleb(-power))}{TIMES}10{str(power).translate(POWERS)}"
    return sign + plain(rounded(size, 0) if size >= 1000 else number)


def percent(share: float | None) -> str:
    """A share from 0 to 1: one digit behind the point, two where it is nearly nothing or nearly all.

    >>> percent(0.99066), percent(0.5), percent(0.99966), percent(0.999999), percent(1), percent(0.00001)
    ('99.1 %', '50 %', '99.97 %', '> 99.99 %', '100 %', '< 0.01 %')
    """
    if share is None or not math.isfinite(share):
        return NONE
    if 0 < share < 0.00005:
        return "< 0.01 %"
    if 0.99995 <= share < 1:
        return "> 99.99 %"
    return f"{plain(rounded(100 * share, 1 if 0.001 <= share <= 0.999 else 2))} %"


def count(number: int, one: str) -> str:
    """So many of something.

    >>> count(1, "row"), count(45000, "epoch")
    ('1 row', '45,000 epochs')
    """
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def rounded(value: float, places: int) -> Decimal:
    """With so many digits behind the point; a half goes up, as JavaScript has it."""
    return Decimal(float(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def plain(number: Decimal) -> str:
    """Without zeros at its end; of five digits and more, thousands stand apart."""
    return f"{number.normalize():{',' if number >= 10_000 else ''}f}"
