"""Weights in and out: files under our names, or under those that a document's key maps declare.

rules        what a key map says, with its mistakes
pieces       what a rule does to shapes and tensors
key_maps     a map over one network: each of our keys in their words
checkpoints, safetensors_files, pickles, opening: files, opened with distrust
heads        the weights that the number of classes decides
resampling   tables over positions at another resolution
checking     a file against a network: all that does not fit, or our tensors
modules, loading, saving: what is called from outside
"""

from archdsl.weights.checking import Report
from archdsl.weights.loading import load_weights
from archdsl.weights.saving import convert_weights, save_weights, write_with_weights

__all__ = ["Report", "convert_weights", "load_weights", "save_weights", "write_with_weights"]
