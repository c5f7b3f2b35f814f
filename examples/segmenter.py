"""A segmenter: EfficientFormerV2-S2 with the head of Semantic FPN, trained a little on two photographs.

    python examples/segmenter.py

It learns the bright background (sky and water) and the flower in the left halves of scikit-learn's two
photographs, where colour tells what is what, and is tried on the right halves. It writes build/segmenter.png,
and runs in half a minute on one core.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from pyramid import Pyramid
from sklearn.datasets import load_sample_images
from torch import Tensor, nn

import archdsl

CLASSES = ("other", "sky and water", "flower")
COLOURS = torch.tensor([[40, 40, 40], [120, 190, 255], [255, 140, 60]], dtype=torch.uint8)
SIDE = 128
STEPS = 80


class SemanticHead(nn.Module):
    """Every level brought to stride 4 and added, then classified (Kirillov et al., CVPR 2019)."""

    def __init__(self, strides: dict[str, int], channels: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.branches = nn.ModuleDict()
        for level, stride in strides.items():
            layers: list[nn.Module] = []
            # One convolution at stride 4; coarser levels have one for each doubling.
            for i in range(max(1, (stride // 4).bit_length() - 1)):
                layers += [nn.Conv2d(hidden if i else channels, hidden, 3, padding=1, bias=False)]
                layers += [nn.GroupNorm(hidden // 8, hidden), nn.ReLU()]
                if stride > 4:
                    layers += [nn.Upsample(scale_factor=2, mode="bilinear")]
            self.branches[level] = nn.Sequential(*layers)
        self.classifier = nn.Conv2d(hidden, classes, 1)

    def forward(self, maps: dict[str, Tensor]) -> Tensor:
        total = sum(branch(maps[level]) for level, branch in self.branches.items())
        return F.interpolate(self.classifier(total), scale_factor=4, mode="bilinear")


class Segmenter(nn.Module):
    """Logits [batch, classes, rows, columns] for images [batch, 3, rows, columns]."""

    def __init__(self, network: archdsl.Network, classes: int, channels: int = 64) -> None:
        super().__init__()
        self.pyramid = Pyramid(network, ("s1", "s2", "s3", "s4"), channels)
        self.head = SemanticHead(self.pyramid.strides, channels, channels, classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.pyramid(images))


def photographs() -> tuple[Tensor, Tensor]:
    """The temple and the flower [2, 3, 256, 384], and the class of every pixel [2, 256, 384]."""
    photos = torch.stack([torch.tensor(photo) for photo in load_sample_images().images])
    images = F.interpolate(photos.permute(0, 3, 1, 2) / 255, size=(256, 384), mode="area")
    classes = torch.zeros(2, 256, 384, dtype=torch.long)
    red, _, blue = images.unbind(1)
    classes[0][images[0].amin(0) > 0.58] = CLASSES.index("sky and water")
    classes[1][(red[1] > 0.47) & (red[1] > blue[1])] = CLASSES.index("flower")
    return images * 2 - 1, classes


def crops(images: Tensor, classes: Tensor, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Random squares of the images and their classes, half of them mirrored."""
    taken = []
    for i in range(count):
        row, column = (
            int(torch.randint(size - SIDE + 1, (), generator=generator)) for size in images.shape[2:]
        )
        both = torch.cat([images[i % 2], classes[i % 2, None]])[:, row : row + SIDE, column : column + SIDE]
        taken.append(both.flip(-1) if torch.rand((), generator=generator) < 0.5 else both)
    batch = torch.stack(taken)
    return batch[:, :3], batch[:, 3].long()


def main() -> None:
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    images, classes = photographs()
    half = images.shape[-1] // 2

    model = Segmenter(archdsl.load("s2", resolution=SIDE), len(CLASSES))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-3, total_steps=STEPS)
    losses = []
    for step in range(STEPS):
        batch, truth = crops(images[..., :half], classes[..., :half], 4, generator)
        loss = F.cross_entropy(model(batch), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 10 == 0:
            print(f"step {step}: loss {losses[-1]:.3f}")
    assert sum(losses[-5:]) < sum(losses[:5]) / 2, "the loss should fall"

    # The right halves, as two squares above each other.
    seen = slice(half, half + SIDE)
    test, truth = images[..., seen], classes[..., seen]
    squares = test.unflatten(2, (-1, SIDE)).transpose(1, 2).flatten(0, 1)
    model.eval()
    with torch.no_grad():
        for level, map_ in model.pyramid(squares).items():
            print(f"{level}, stride {model.pyramid.strides[level]}: {tuple(map_.shape)}")
        logits = model(squares)
    print("logits:", tuple(logits.shape))
    predicted = logits.argmax(1).view(2, -1, SIDE)
    for i, name in enumerate(CLASSES):
        both, either = ((predicted == i) & (truth == i)).sum(), ((predicted == i) | (truth == i)).sum()
        print(f"IoU of {name} on what was not trained on: {both / either:.1%}")

    # For each photograph: what it shows, what colour says, what was predicted.
    shown = [(test.permute(0, 2, 3, 1) * 127.5 + 127.5).byte(), COLOURS[truth], COLOURS[predicted]]
    Path("build").mkdir(exist_ok=True)
    Image.fromarray(torch.cat([*torch.cat(shown, 2)], 1).numpy()).quantize(128).save("build/segmenter.png")
    print("build/segmenter.png")


if __name__ == "__main__":
    main()
