"""Documents with one fault each, and what must be said about it."""
