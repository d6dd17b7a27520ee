"""The messages of TensorFlow Serving's services, in a pool of their own.

TensorFlow registers the same names in protobuf's default pool, with more fields; here they cannot clash.
"""

from pathlib import Path
from typing import Any

from google.protobuf import any_pb2, wrappers_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from service.grpc import schema

FILES = ("tensorflow.proto", "error_codes.proto", "serving.proto")

POOL = DescriptorPool()
for known in (any_pb2, wrappers_pb2):
    POOL.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
for file in FILES:
    text = (Path(__file__).parent / file).read_text(encoding="utf-8")
    POOL.AddSerializedFile(schema.compiled(f"manifold/{file}", text).SerializeToString())

DATA_TYPE = POOL.FindEnumTypeByName("tensorflow.DataType")
STATE = POOL.FindEnumTypeByName("tensorflow.serving.ModelVersionStatus.State")
CODE = POOL.FindEnumTypeByName("tensorflow.error.Code")
PREDICTION_SERVICE = POOL.FindServiceByName("tensorflow.serving.PredictionService")
MODEL_SERVICE = POOL.FindServiceByName("tensorflow.serving.ModelService")


def message(name: str) -> Any:
    """The class of a message, by its full name; KeyError."""
    return GetMessageClass(POOL.FindMessageTypeByName(name))


TensorProto = message("tensorflow.TensorProto")
PredictResponse = message("tensorflow.serving.PredictResponse")
ClassificationResponse = message("tensorflow.serving.ClassificationResponse")
RegressionResponse = message("tensorflow.serving.RegressionResponse")
GetModelMetadataResponse = message("tensorflow.serving.GetModelMetadataResponse")
GetModelStatusResponse = message("tensorflow.serving.GetModelStatusResponse")
SignatureDefMap = message("tensorflow.serving.SignatureDefMap")
