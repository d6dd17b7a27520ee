"""triton_start.py PORT FOLDER: lay out Triton's models and become tritonserver, as nvidia-pytriton ships it."""

import json
import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TYPES = {"float32": "FP32", "float64": "FP64", "int32": "INT32", "int64": "INT64", "bool": "BOOL", "uint8": "UINT8"}
SHARED_BYTES = 4 * 1024 * 1024

Specs = Mapping[str, Any]


def main(port: str, folder: str) -> None:
    """Never returns."""
    place, site = Path(folder), Path(sysconfig.get_path("purelib"))
    lay_out(place, site / "pytriton" / "tritonserver")
    library = sysconfig.get_config_var("LIBDIR")
    environment = os.environ | {
        "LD_LIBRARY_PATH": f"{site / 'nvidia_pytriton.libs'}:{library}",
        "PYTHONHOME": str(Path(library).parent),
        "RUNNER_PATH": f"{HERE}:{site}",
    }
    server = str(site / "pytriton" / "tritonserver" / "bin" / "tritonserver")
    os.execve(server, [server, *flags(int(port), place)], environment)


def lay_out(place: Path, server: Path) -> None:
    """The model repository, and the backend with the stub of this Python."""
    model = place / "models" / "m"
    (model / "1").mkdir(parents=True)
    shutil.copy(HERE / "triton_model.py", model / "1" / "model.py")
    (model / "config.pbtxt").write_text(configuration(*signature()))
    shutil.copytree(server / "backends", place / "backends")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = server / "python_backend_stubs" / version / "triton_python_backend_stub"
    shutil.copy(stub, place / "backends" / "python")


def signature() -> tuple[Specs, Specs]:
    """Inputs and outputs of the SavedModel: dtype and dims of a row by name. Loads TensorFlow."""
    import tensorflow as tf

    function = tf.saved_model.load(os.environ["SAVED_MODEL"]).signatures["serving_default"]
    return function.structured_input_signature[1], function.structured_outputs


def configuration(inputs: Specs, outputs: Specs) -> str:
    """Triton's config.pbtxt: dynamic batching, one instance on the CPU."""
    return f"""name: "m"
backend: "python"
max_batch_size: {os.environ["MAX_BATCH_ROWS"]}
input [{tensors(inputs)}]
output [{tensors(outputs)}]
dynamic_batching {{ max_queue_delay_microseconds: {os.environ["BATCH_WAIT_US"]} }}
instance_group [{{ count: 1 kind: KIND_CPU }}]
"""


def tensors(specs: Specs) -> str:
    """Tensors as the configuration lists them; -1 is any size."""
    return ", ".join(
        f'{{ name: "{name}" data_type: TYPE_{TYPES[spec.dtype.name]} dims: {dims(spec.shape.as_list()[1:])} }}'
        for name, spec in specs.items()
    )


def dims(sizes: Sequence[int | None]) -> str:
    """A row's sizes."""
    return json.dumps([-1 if size is None else size for size in sizes])


def flags(port: int, place: Path) -> list[str]:
    """tritonserver's flags."""
    return [
        f"--model-repository={place / 'models'}",
        f"--backend-directory={place / 'backends'}",
        f"--http-port={port}",
        f"--grpc-port={port + 1}",
        f"--metrics-port={port + 2}",
        *(f"--{what}-address=127.0.0.1" for what in ("http", "grpc", "metrics")),
        "--allow-gpu-metrics=false",
        f"--backend-config=python,shm-default-byte-size={SHARED_BYTES}",
        f"--backend-config=python,shm-region-prefix-name=bench{port}",
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
