"""A pyramid of features: what a detector and a segmenter begin with. They are detector.py and segmenter.py.

    python examples/pyramid.py

It prints the maps of EfficientFormerV2-S2, and those of torchvision's feature pyramid network behind it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

import archdsl

try:
    import torchvision  # noqa: F401
except RuntimeError:
    # torchvision's compiled operators can't be loaded beside some builds of torch, and it does not import
    # unless these two are known by name. Nothing here calls them. Programs import this module first.
    for operator in ("torchvision::nms", "torchvision::qnms"):
        torch.library.define(operator, "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
from torchvision.ops import FeaturePyramidNetwork


class Pyramid(nn.Module):
    """A network's maps at the levels that are named, finest first, each with the same number of channels."""

    def __init__(self, network: archdsl.Network, levels: tuple[str, ...], channels: int) -> None:
        super().__init__()
        # What each stage gives is known before anything is built: [channels, rows, columns].
        costs = network.stats()
        shapes = {row.path: row.shape for row in costs.rows}
        self.strides = {level: costs.input[1] // shapes[level][1] for level in levels}
        # Without classes the head is left out. `archdsl build s2 --resolution 128` writes the same class to
        # a file; then this line is `self.backbone = EfficientFormerV2S2(num_classes=0)`.
        self.backbone = network.build(num_classes=0)
        self.labels = [label for label, _ in network.graph.features]
        self.neck = FeaturePyramidNetwork([shapes[level][0] for level in levels], channels)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """The maps by level, for images [batch, 3, rows, columns] with values from -1 to 1."""
        maps = dict(zip(self.labels, self.backbone.features(images), strict=True))
        return self.neck({level: maps[level] for level in self.strides})


def main() -> None:
    network = archdsl.load("s2", resolution=128)
    costs = network.stats()
    print(
        f"{costs.name}: {costs.params:,} parameters, {costs.macs:,} MACs at {costs.input[1]} x {costs.input[2]}"
    )
    pyramid = Pyramid(network, ("s1", "s2", "s3", "s4"), channels=64).eval()
    images = torch.zeros(2, *costs.input)
    with torch.no_grad():
        maps, levels = pyramid.backbone.features(images), pyramid(images)
    for map_, (level, stride) in zip(maps, pyramid.strides.items(), strict=True):
        print(f"  {level}, stride {stride:>2}: {tuple(map_.shape)} -> {tuple(levels[level].shape)}")


if __name__ == "__main__":
    main()
