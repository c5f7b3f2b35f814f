"""How each reference outside timm is built from a checkout of its repository; `bench/reference.py` runs them.

Each module offers `REPOSITORY` and `COMMIT`, what was compared; `KEYS`, the key map of the document;
`NETWORKS`, our documents and the names that the reference has for them; `build(checkout, name)`; and
`parts(network, address)`, our modules and the reference's that are compared one by one.
"""
