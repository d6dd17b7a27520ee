"""The zoo: every architecture by model name and version. Written out, so that the list can be read."""

from models import profile, qa, similarity
from models.architecture import Architecture

ZOO: dict[str, dict[int, Architecture]] = {
    "similarity": {1: similarity.SIAMESE},
    "qa": {1: qa.TWO_ENCODERS, 2: qa.ATTENTION},
    "profile": {1: profile.MULTI_OUTPUT},
}
