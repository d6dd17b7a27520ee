"""The zoo: every architecture by model name and version. Written out, so that the list can be read."""

from models import (
    activity,
    adder,
    classifier,
    clothing_price,
    digits,
    help_desk,
    inception,
    majority,
    matrix_product,
    matrix_sum,
    profile,
    qa,
    residual,
    same_distribution,
    siamese_vectors,
    similarity,
    stereo_depth,
    titles,
)
from models.architecture import Architecture

ZOO: dict[str, dict[int, Architecture]] = {
    "similarity": {1: similarity.SIAMESE},
    "qa": {1: qa.TWO_ENCODERS, 2: qa.ATTENTION},
    "profile": {1: profile.MULTI_OUTPUT},
    "majority": {1: majority.SEQUENTIAL, 2: majority.FUNCTIONAL},
    "same_distribution": {1: same_distribution.SHARED},
    "classifier": {1: classifier.SEQUENTIAL, 2: classifier.FUNCTIONAL},
    "adder": {1: adder.ADDER},
    "digits": {1: digits.PRINCIPAL_COMPONENTS, 2: digits.CONVOLUTIONAL},
    "siamese_vectors": {1: siamese_vectors.CONCATENATED, 2: siamese_vectors.COMPARED},
    "help_desk": {1: help_desk.TWO_ENCODERS, 2: help_desk.COMPARED},
    "titles": {1: titles.MULTI_OUTPUT},
    "activity": {1: activity.MULTI_OUTPUT},
    "clothing_price": {1: clothing_price.JOINT},
    "inception": {1: inception.INCEPTION},
    "residual": {1: residual.RESIDUAL},
    "stereo_depth": {1: stereo_depth.XCEPTION, 2: stereo_depth.SHIFTED},
    "matrix_sum": {1: matrix_sum.SUM},
    "matrix_product": {1: matrix_product.PRODUCT},
}
