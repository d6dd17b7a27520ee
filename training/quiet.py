"""TensorFlow's start-up chatter, kept from the terminal: it greets on file descriptor 2 before any setting is read."""

import logging
import os
import sys
import tempfile
import warnings


def import_quietly() -> None:
    """Import Keras and TensorFlow; what they wrote to stderr is shown only if the import fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            import keras  # noqa: F401
            import tensorflow as tf

            tf.constant(0)  # The devices greet as well, at the first tensor.
        except BaseException:
            said.seek(0)
            os.write(kept, said.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
    tf.get_logger().setLevel(logging.ERROR)
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # What it cannot convert, it raises as well.
    warnings.filterwarnings("ignore", module="tf2onnx")
