"""What the skips are good for: gradient and accuracy at depth, beside the same net without them.

The gradients are those of untrained nets, so that they say how well a net can begin to learn: the Euclidean norm at the
first convolution's kernel, of the mean loss over some training rows. (That at the last layer is no measure to divide
by: without skips it is as small, since hardly anything of the picture gets there.) Both nets start from the same seed
and train by the same preset; nothing else that eases depth, batch normalisation or weights that start wider, is in
either.
"""

from typing import Any

import keras
import numpy as np

from models.architecture import Architecture
from models.residual import PLAIN
from training.batches import dataset
from training.encode import Encoder
from training.studies.finding import Finding
from training.task import Preset, Splits, Table
from training.train import Trained, fit, predict

ROWS = 256
WITH, WITHOUT = "with skips", "without skips"


def skips(trained: Trained, splits: Splits, preset: Preset, seed: int) -> list[Finding]:
    """Trains the rival: as long again as the model itself took."""
    encoder = trained.encoder
    nets = {WITH: trained.architecture, WITHOUT: PLAIN}
    gradients = {name: gradient(net, encoder, splits.train, seed) for name, net in nets.items()}
    rival = fit(PLAIN, encoder, splits, preset, seed)
    accuracies = {name: accuracy(net, splits.test) for name, net in {WITH: trained, WITHOUT: rival}.items()}
    return [Finding("Gradient at the first layer, untrained", gradients), Finding("Accuracy", accuracies)]


def gradient(architecture: Architecture, encoder: Encoder, table: Table, seed: int) -> float:
    """The norm of the loss gradient at the first layer's kernel, before any training."""
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    model = architecture.build(**encoder.sizes)
    inputs, targets = next(iter(dataset(encoder.rows(table), ROWS)))
    first = next(layer.kernel.value for layer in model.layers if layer.weights)
    with tf.GradientTape() as tape:
        answers = model(inputs)["shape"]
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(targets["shape"], answers))
    return float(tf.norm(tape.gradient(loss, first)))


def accuracy(trained: Trained, table: Table) -> float:
    """The share of rows whose likeliest shape is the right one."""
    rows: Any = trained.encoder.rows(trained.encoder.known(table))
    answers = predict(trained.model, rows, ["shape"])["shape"]
    return float(np.mean(answers.argmax(axis=1) == rows.targets["shape"]))
