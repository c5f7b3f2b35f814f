"""Texts that mean harm, put wherever a document holds a user's text, and what may come of it.

texts.py     the texts, by family, and a seeded generator of more
places.py    every place of a document, in both surfaces and beside them, with what it covers
outcome.py   what came of one: a clear error, the harmless network, or an escape
canonical.py generated source without its names: what must be the same
"""
