"""Documents that are right by construction, drawn from a number; their twins; what they are held to.

`document(seed)` is a function of the seed alone. The modules, those that others use first:

- `expressions`: numbers of the language, with the same number in Python
- `shapes`: what every primitive makes of shapes, told a second time, apart from `archdsl.ops`
- `attributes`: attributes that a primitive takes, drawn for the tensor at hand
- `trees`: calls and statements as records: their text, and what they do to shapes
- `running`: statements run on shapes, so that a call with other numbers is known to be right
- `blocks`, `networks`, `variations`: blocks, networks of them, variants and spaces of those, drawn
- `twins`: one rule of a document broken, and where that must be told
- `oracles`: what a document is compared with
"""
