"""What bodies are made of: content codings, MessagePack, .npz, whole columns."""
