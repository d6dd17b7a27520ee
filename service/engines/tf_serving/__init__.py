"""The engine of HTTP workers whose models lie in a fleet of TensorFlow Serving: whole batches over gRPC.

batcher ─▶ engine ─▶ messages ─▶ fleet ─┬─▶ replica ─▶ link ─▶ 10.0.0.1:8500
                      bytes              ├─▶ replica ─▶ link ─▶ 10.0.0.2:8500     breaker: is it sick?
                                         └─▶ replica ─▶ link ─▶ 10.0.0.3:8500     failures: what next, if it failed?

The messages are those of service/grpc: tensorflow-serving-api's would load TensorFlow into every worker.
"""
