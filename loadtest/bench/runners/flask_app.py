"""What one writes first around a SavedModel: Flask and TensorFlow, no batching."""

from flask import Flask, Response, jsonify, request
from saved_model import SavedModel

model = SavedModel()
app = Flask(__name__)


@app.post("/predict")
def predict() -> Response:
    asked = request.get_json()
    return jsonify(id=asked["id"], outputs=model.rows([asked["inputs"]])[0])
