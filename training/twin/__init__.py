"""The twin: the same weights for ONNX Runtime, kept only if it answers as the SavedModel does.

trained ─ convert ─▶ graph ─ improve ─▶ the same function in fewer operations ─ verify ─▶ keep, or say why not
                                                                                          └─▶ lengths/

Every improvement is tried by itself: it is taken if the golden rows still agree and it costs less time.
"""
