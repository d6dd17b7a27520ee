"""Wire formats: each a thin blueprint that parses, predicts and dumps, and knows its own error body."""
