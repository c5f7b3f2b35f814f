"""The bundled documents, each with one mistake as people make them, and what must be said first about it."""
