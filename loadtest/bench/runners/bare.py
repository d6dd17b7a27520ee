"""Views that do next to nothing, under the service's own worker: what its speed is held against."""

import numpy as np
import orjson
from flask import Flask, request

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 16 * 1024 * 1024
app.extensions["stands"] = lambda: True


@app.get("/ready")
def ready() -> str:
    return "ready"


@app.post("/empty")
def empty() -> str:
    """Nothing at all."""
    return "{}"


@app.post("/json")
def json() -> str:
    """The tensors of TensorFlow Serving's rows, read; nothing checked, nothing computed."""
    row = orjson.loads(request.get_data())["instances"][0]
    return f"[{sum(float(np.asarray(value, np.float32)[0, 0]) for value in row.values())}]"


@app.post("/binary")
def binary() -> str:
    """The tensors of the Open Inference Protocol's binary form, read; nothing checked, nothing computed."""
    body = request.get_data()
    head = int(request.headers["Inference-Header-Content-Length"])
    at, total = head, 0.0
    for tensor in orjson.loads(body[:head])["inputs"]:
        size = tensor["parameters"]["binary_data_size"]
        total += float(np.frombuffer(body, np.float32, size // 4, at).reshape(tensor["shape"]).flat[0])
        at += size
    return f"[{total}]"
