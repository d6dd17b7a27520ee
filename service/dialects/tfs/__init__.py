"""TensorFlow Serving's REST API v1; its words and meanings are gRPC's, too."""
