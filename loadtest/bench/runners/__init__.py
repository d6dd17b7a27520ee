"""How each peer serves a SavedModel, each in an environment of its own; and bare views under our own worker."""
