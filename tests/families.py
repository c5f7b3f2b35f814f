"""Networks of other families: what the reference implementations say of them, and which parts are which.

The figures are those of timm 1.0's models at 224 x 224 (EfficientFormer: the authors' own, with both
heads), counted by their parameters and by torch's FlopCounterMode on the meta device, attention unfused.
"""

from __future__ import annotations

from typing import NamedTuple


class Family(NamedTuple):
    """A document, the model of timm that it is, and the figures of that model."""

    document: str
    timm: str
    params: int
    buffers: int
    conv: int
    linear: int
    matmul: int
    blocks: dict[str, str]
    """Our stages and timm's: their blocks are compared one by one."""
    entries: dict[str, str]
    """Single parts, ours and timm's."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one image."""
        return self.conv + self.linear + self.matmul


def _numbered(ours: str, theirs: str, count: int, first: int = 0) -> dict[str, str]:
    return {ours.format(i + 1): theirs.format(i + first) for i in range(count)}


_FORMER = _numbered("s{}", "stages.{}.blocks", 4)
_FORMER_PARTS = {"stem": "stem", **_numbered("down{}", "stages.{}.downsample", 3, first=1)}

FAMILIES = {
    family.timm: family
    for family in (
        Family(
            "zoo/mobilenetv2", "mobilenetv2_100", 3_504_872, 34_164, 299_494_272, 1_280_000, 0,
            _numbered("s{}", "blocks.{}", 7), {"last": "bn2", "classifier": "classifier"},
        ),
        Family(
            "zoo/mobilenetv2#MobileNetV2_140", "mobilenetv2_140", 6_108_776, 47_988, 580_403_824, 1_792_000, 0,
            _numbered("s{}", "blocks.{}", 7), {"last": "bn2", "classifier": "classifier"},
        ),
        Family(
            "zoo/mobilenetv3_large", "mobilenetv3_large_100", 5_483_032, 24_446, 215_309_760, 1_280_000, 0,
            _numbered("s{}", "blocks.{}", 6), {"last": "blocks.6", "classifier": "classifier"},
        ),
        Family(
            "zoo/resnet50", "resnet50", 25_557_032, 53_173, 4_087_136_256, 2_048_000, 0,
            _numbered("s{}", "layer{}", 4, first=1), {"stem": "maxpool", "classifier": "fc"},
        ),
        Family(
            "zoo/deit_tiny_distilled", "deit_tiny_distilled_patch16_224", 5_910_800, 0, 28_901_376,
            1_051_450_368, 180_652_032, {"blocks": "blocks"}, {"norm": "norm"},
        ),
        Family(
            "zoo/swin_tiny", "swin_tiny_patch4_window7_224", 28_288_354, 249_704,
            14_450_688, 4_335_974_400, 140_141_568, _numbered("s{}", "layers.{}.blocks", 4),
            {"embed": "patch_embed", **_numbered("merge{}", "layers.{}.downsample", 3, first=1)},
        ),
        Family(
            "zoo/efficientformerv1#EfficientFormer_L1", "efficientformer_l1", 12_289_928, 34_354,
            1_152_442_368, 135_769_088, 3_073_280, _FORMER, _FORMER_PARTS,
        ),
        Family(
            "zoo/efficientformerv1#EfficientFormer_L3", "efficientformer_l3", 31_406_000, 68_085,
            3_225_313_280, 668_966_912, 12_293_120, _FORMER, _FORMER_PARTS,
        ),
        Family(
            "zoo/efficientformerv1#EfficientFormer_L7", "efficientformer_l7", 82_229_328, 108_649,
            7_472_812_032, 2_621_927_424, 24_586_240, _FORMER, _FORMER_PARTS,
        ),
    )
}  # fmt: skip
