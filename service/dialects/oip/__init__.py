"""The Open Inference Protocol V2 over REST, with binary tensors."""
