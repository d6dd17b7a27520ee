"""TensorFlow Serving's gRPC services on a port of their own, beside the HTTP port of every worker.

    socket ─▶ grpc.aio, on the worker's event loop ─▶ calls ─▶ greenlet: prediction, models ─▶ handle.predict ─▶ batcher

The messages are TensorFlow Serving's, without its code: the .proto files here are compiled by schema.py into a pool of
descriptors of their own, so that TensorFlow may be loaded beside them, or not at all. Nothing here is imported unless
MANIFOLD_GRPC_PORT is set, and nothing before a worker is forked.
"""
