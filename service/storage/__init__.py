"""A store at a URL, of which what is wanted is pulled into a folder: docs/storage.md."""
