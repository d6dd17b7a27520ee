"""What is told of a model: the states of its versions and its signatures, as their messages are printed."""

from collections.abc import Mapping
from typing import Any

from service.dialects.tfs import signatures
from service.errors import ModelNotFound, VersionNotFound
from service.handle import ModelHandle
from service.signature import Signature, TensorSpec
from service.versions.catalog import Catalog
from service.versions.served import Served, State

Told = Mapping[str, Any]

DTYPES = {
    "float32": "DT_FLOAT",
    "float64": "DT_DOUBLE",
    "float16": "DT_HALF",
    "bfloat16": "DT_BFLOAT16",
    "int8": "DT_INT8",
    "int16": "DT_INT16",
    "int32": "DT_INT32",
    "int64": "DT_INT64",
    "uint8": "DT_UINT8",
    "uint16": "DT_UINT16",
    "uint32": "DT_UINT32",
    "uint64": "DT_UINT64",
    "bool": "DT_BOOL",
    "object": "DT_STRING",
}


def status(catalog: Catalog, name: str, version: int | None) -> Told:
    """The state of every version of a model, or of one."""
    try:
        versions = catalog.versions(name)
        if version is not None and version not in versions:
            raise VersionNotFound
    except (ModelNotFound, VersionNotFound) as error:
        wanted = (
            f"Could not find any versions of model {name}"
            if version is None
            else f"Could not find version {version} of model {name}"
        )
        raise type(error)(wanted) from None
    listed = [served for number, served in versions.items() if version in (None, number)]
    return {"model_version_status": [state(served) for served in listed]}


def state(served: Served) -> Told:
    """One version's state, and why it was refused, if it was."""
    failed = served.state is State.END and served.error
    return {
        "version": str(served.version.number),
        "state": served.state.value,
        "status": {
            "error_code": "UNKNOWN" if failed else "OK",
            "error_message": failed or "",
        },
    }


def metadata(handle: ModelHandle) -> Told:
    """The signatures, as GetModelMetadataResponse prints them."""
    found = {name: described(signature) for name, signature in signatures.known(handle).items()}
    return {
        "model_spec": {"name": handle.model, "signature_name": "", "version": str(handle.version)},
        "metadata": {"signature_def": {"signature_def": found}},
    }


def described(signature: Signature) -> Told:
    """A SignatureDef message in JSON."""
    return {
        "inputs": {name: tensor_info(spec) for name, spec in signature.inputs.items()},
        "outputs": {name: tensor_info(spec) for name, spec in signature.outputs.items()},
        "method_name": "tensorflow/serving/predict",
        "defaults": {},
    }


def tensor_info(spec: TensorSpec) -> Told:
    """A TensorInfo message in JSON; sizes are strings there."""
    dims = [{"size": str(-1 if size is None else size), "name": ""} for size in spec.shape]
    shape = {"dim": dims, "unknown_rank": False}
    return {"dtype": DTYPES[spec.dtype.name], "tensor_shape": shape, "name": f"{spec.name}:0"}
