"""Second-hand garments on offer, invented, and the rule that prices them.

    price in EUR = GARMENTS × CUTS × PATTERNS    which the picture alone shows
                 × MATERIALS × CONDITIONS        which the description alone tells
                 × (worth × kept ^ age)          which the metadata alone hold: BRANDS, and age in years
                 × luck                          which nothing tells: exp of a normal number of deviation `LUCK`

Factors multiply, so what a stain costs depends on the garment and on its brand; what age costs, on the brand. Garment,
cut, pattern, material, condition, brand and age are drawn apart from each other: no branch can guess what another sees.
A lining is decoy: of "silk with a cotton lining" the silk is the material.
"""

from dataclasses import dataclass
from math import exp, prod
from random import Random

GARMENTS = {"shirt": 18.0, "trousers": 30.0, "dress": 42.0, "shoe": 60.0, "bag": 85.0, "coat": 120.0}
CUTS = {False: 0.8, True: 1.2}
"""Short or long: sleeves, legs, a hem, a boot's shaft; of a bag, small or large."""
PATTERNS = {"plain": 1.0, "stripes": 0.8, "dots": 1.25, "checks": 1.5}
MATERIALS = {"polyester": 0.7, "cotton": 0.85, "linen": 1.0, "wool": 1.2, "leather": 1.5, "silk": 1.8}
CONDITIONS = {"torn": 0.5, "stained": 0.65, "used": 0.85, "kept": 1.0, "new": 1.2}
BRANDS = {
    "Alvero": (0.6, 0.88),
    "Brunnell": (0.7, 0.9),
    "Castorin": (0.85, 0.91),
    "Dovanne": (1.0, 0.92),
    "Elmsgate": (1.2, 0.94),
    "Fjellmark": (1.5, 0.95),
    "Grovani": (1.8, 0.96),
    "Hartwyn": (2.2, 0.98),
}
"""What a new garment of the brand is worth beside others, and the part of it that each year leaves."""
OLDEST, USUAL = 12.0, 2.0
LUCK = 0.05

MADE = ("{Stuff}.", "Made of {stuff}.", "The material is {stuff}.", "It is {stuff}.", "Real {stuff}.")
LINING = " with a {other} lining"
TOLD = {
    "torn": ("There is a hole in it.", "A seam is torn.", "It has a few small holes.", "Torn, needs mending."),
    "stained": ("There is a stain on it.", "Sold with a small stain.", "A few stains will not come out."),
    "used": ("Worn every week, but no holes and no stains.", "It has been used and looks it.", "Some signs of wear."),
    "kept": ("Worn twice.", "In very good condition.", "Hardly used and well kept."),
    "new": ("Never worn.", "New with tags.", "Still in its wrapping.", "Brand new."),
}
ASIDE = (
    "I am moving and need the space.",
    "A present that I did not like.",
    "From a home without pets or smoke.",
    "Collect it or I post it.",
    "Sadly it does not fit me any more.",
    "",
    "",
)


@dataclass(frozen=True)
class Garment:
    """One garment on offer; `age` in years."""

    kind: str
    long: bool
    pattern: str
    material: str
    condition: str
    brand: str
    age: float


def draw(rng: Random) -> Garment:
    """Any garment, each of its qualities drawn apart from the others."""
    return Garment(
        rng.choice(list(GARMENTS)),
        rng.random() < 0.5,
        rng.choice(list(PATTERNS)),
        rng.choice(list(MATERIALS)),
        rng.choice(list(CONDITIONS)),
        rng.choice(list(BRANDS)),
        round(rng.triangular(0, OLDEST, USUAL), 1),
    )


def worth(garment: Garment) -> float:
    """The price in EUR by the rule, luck left out.

    >>> worth(Garment("coat", True, "plain", "linen", "kept", "Dovanne", 0.0))
    144.0
    """
    brand, kept = BRANDS[garment.brand]
    shown = GARMENTS[garment.kind] * CUTS[garment.long] * PATTERNS[garment.pattern]
    told = MATERIALS[garment.material] * CONDITIONS[garment.condition]
    return prod((shown, told, brand, kept**garment.age))


def price(garment: Garment, rng: Random) -> float:
    """What somebody asks for it, in EUR and cents."""
    return round(worth(garment) * exp(rng.gauss(0, LUCK)), 2)


def describe(garment: Garment, rng: Random) -> str:
    """Two or three sentences, in any order, about material and condition only."""
    stuff = garment.material
    if rng.random() < 0.3:
        stuff += LINING.format(other=rng.choice([other for other in MATERIALS if other != garment.material]))
    made = rng.choice(MADE).format(stuff=stuff, Stuff=stuff.capitalize())
    sentences = [made, rng.choice(TOLD[garment.condition]), rng.choice(ASIDE)]
    rng.shuffle(sentences)
    return " ".join(filter(None, sentences))
