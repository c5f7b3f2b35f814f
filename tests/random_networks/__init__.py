"""Documents that are right by construction, drawn from a number; their twins; what they are held to.

`document(seed)` is a function of the seed alone. The modules, those that others use first:

- `expressions`: numbers of the language, with the same number in Python
- `shapes`: what every primitive makes of shapes, told a second time, apart from `archdsl.ops`
- `attributes`: attributes that a primitive takes, drawn for the tensor at hand
- `trees`: calls and statements as records: their text, and what they do to shapes
- `running`, `network_running`: statements and networks run on shapes: what other numbers come to
- `drawing`, `statements`: calls and statements of blocks, drawn
- `blocks`, `networks`, `variations`: blocks, networks of them, variants and spaces of those, drawn
- `sites`, `rules_of_blocks`, `rules_of_networks`, `twins`: one rule broken, and where that must be told
- `oracles`: what a document is compared with
- `runs`: all of it for one number
"""
