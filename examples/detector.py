"""A detector: EfficientFormerV2-S2, a feature pyramid and the head of FCOS, trained a little on photographs.

    python examples/detector.py

It learns to find flowers, and to tell two colours apart. They are cut out of one of scikit-learn's photographs
and pasted, at random places and sizes, on the left part of the other (a temple); it is tried on the right
part. It writes build/detector.png, and runs in a minute on one core.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from pyramid import Pyramid
from sklearn.datasets import load_sample_images
from torch import Tensor, nn
from torchvision.ops import box_iou, generalized_box_iou_loss, sigmoid_focal_loss

import archdsl

CLASSES = ("orange", "blue")
COLOURS = ("darkorange", "blue")
SIDE = 128
STEPS = 100
BATCH = 4


def tower(channels: int, depth: int = 2) -> nn.Sequential:
    """The convolutions in front of what a head says."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Conv2d(channels, channels, 3, padding=1, bias=False)]
        layers += [nn.GroupNorm(channels // 8, channels), nn.ReLU()]
    return nn.Sequential(*layers)


class Head(nn.Module):
    """FCOS (Tian et al., ICCV 2019): every position says classes, distances to four sides, and centre-ness."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.of_class, self.of_box = tower(channels), tower(channels)
        self.classes = nn.Conv2d(channels, classes, 3, padding=1)
        self.sides = nn.Conv2d(channels, 4, 3, padding=1)
        self.centreness = nn.Conv2d(channels, 1, 3, padding=1)
        nn.init.constant_(self.classes.bias, -math.log(99))  # at first, one position in a hundred is an object

    def forward(self, map_: Tensor) -> Tensor:
        """[batch, classes + 4 + 1, rows, columns]."""
        of_class, of_box = self.of_class(map_), self.of_box(map_)
        return torch.cat([self.classes(of_class), self.sides(of_box).exp(), self.centreness(of_box)], 1)


class Detector(nn.Module):
    """Of every position of every level: logits of classes, a box (x0, y0, x1, y1), and centre-ness."""

    def __init__(self, network: archdsl.Network, classes: int, channels: int = 64) -> None:
        super().__init__()
        self.pyramid = Pyramid(network, ("s2", "s3", "s4"), channels)
        self.head = Head(channels, classes)
        rows, columns = network.stats().input[1:]
        places, strides = [], []
        for stride in self.pyramid.strides.values():
            y, x = torch.meshgrid(torch.arange(rows // stride), torch.arange(columns // stride), indexing="ij")
            places.append((torch.stack([x, y], -1).flatten(0, 1) + 0.5) * stride)
            strides.append(torch.full((x.numel(), 1), stride))
        self.register_buffer("places", torch.cat(places))
        self.register_buffer("strides", torch.cat(strides))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[batch, positions, classes], [batch, positions, 4], [batch, positions]."""
        found = torch.cat([self.head(map_).flatten(2) for map_ in self.pyramid(images).values()], 2).mT
        logits, sides, centreness = found.split([found.shape[2] - 5, 4, 1], 2)
        sides = sides * self.strides
        boxes = torch.cat([self.places - sides[..., :2], self.places + sides[..., 2:]], 2)
        return logits, boxes, centreness[..., 0]

    def targets(self, boxes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The class (or -1), the box and the centre-ness that each position should say, for one image."""
        # [positions, objects, 4]: how far each side of each object is.
        sides = torch.cat([self.places[:, None] - boxes[:, :2], boxes[:, 2:] - self.places[:, None]], 2)
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        near = (self.places[:, None] - centres).abs().amax(2) < 1.5 * self.strides
        # A level is for objects of its size; the finest takes all that are smaller, the coarsest all larger.
        reach = sides.amax(2)
        fits = (reach <= 4 * self.strides) | (self.strides == self.strides.max())
        fits &= (reach > 2 * self.strides) | (self.strides == self.strides.min())
        # Of several objects a position is for the smallest.
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(1).expand(len(sides), -1)
        area, index = areas.masked_fill(~(near & fits & (sides.amin(2) > 0)), math.inf).min(1)
        left, top, right, bottom = sides[torch.arange(len(sides)), index].clamp(min=1e-6).unbind(1)
        across = torch.minimum(left, right) / torch.maximum(left, right)
        down = torch.minimum(top, bottom) / torch.maximum(top, bottom)
        return labels[index].masked_fill(area.isinf(), -1), boxes[index], (across * down).sqrt()

    def loss(self, images: Tensor, objects: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Focal loss of classes, generalised IoU of boxes, cross-entropy of centre-ness."""
        logits, boxes, centreness = self(images)
        targets = zip(*(self.targets(*each) for each in objects), strict=True)
        labels, true_boxes, true_centreness = (torch.stack(of_images) for of_images in targets)
        is_object = labels >= 0
        count = is_object.sum().clamp(min=1)
        one_hot = F.one_hot(labels.clamp(min=0), logits.shape[2]) * is_object[..., None]
        of_class = sigmoid_focal_loss(logits, one_hot.to(logits), reduction="sum")
        of_box = generalized_box_iou_loss(boxes[is_object], true_boxes[is_object], reduction="sum")
        of_centre = F.binary_cross_entropy_with_logits(
            centreness[is_object], true_centreness[is_object], reduction="sum"
        )
        return (of_class + of_box + of_centre) / count

    @torch.no_grad()
    def detect(self, image: Tensor, threshold: float = 0.4) -> list[tuple[float, int, Tensor]]:
        """Scores, classes and boxes of one image, best first; of boxes over each other the best stays."""
        logits, boxes, centreness = (of_batch[0] for of_batch in self(image[None]))
        scores, labels = (logits.sigmoid() * centreness.sigmoid()[:, None]).sqrt().max(1)
        kept: list[tuple[float, int, Tensor]] = []
        for i in scores.argsort(descending=True).tolist():
            if scores[i] < threshold:
                break
            if all(box_iou(boxes[i, None], other[None]) < 0.5 for _, _, other in kept):
                kept.append((float(scores[i]), int(labels[i]), boxes[i]))
        return kept


class Scenes:
    """Squares of the temple, with flowers pasted at boxes that are known."""

    def __init__(self, columns: slice, seed: int) -> None:
        temple, flower = (torch.tensor(photo).permute(2, 0, 1) / 255 for photo in load_sample_images().images)
        self.temple, self.flower = temple[:, :, columns], flower[:, 84:360, 168:448]
        # The flower is where there is more red than blue.
        self.mask = ((self.flower[0] > 0.47) & (self.flower[0] > self.flower[2])).float()[None]
        self.generator = torch.Generator().manual_seed(seed)

    def draw(self, least: int, most: int) -> int:
        return int(torch.randint(least, most + 1, (), generator=self.generator))

    def scene(self) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """An image [3, SIDE, SIDE] from -1 to 1, and the boxes and labels of its objects."""
        row, column = (self.draw(0, size - SIDE) for size in self.temple.shape[1:])
        image = self.temple[:, row : row + SIDE, column : column + SIDE].clone()
        boxes, labels = torch.empty(0, 4), []
        for _ in range(self.draw(1, 3)):
            size = self.draw(20, 64)
            x, y, label = self.draw(0, SIDE - size), self.draw(0, SIDE - size), self.draw(0, 1)
            box = torch.tensor([[x, y, x + size, y + size]])
            if (box_iou(box, boxes) > 0.1).any():
                continue
            cut = torch.cat([self.flower.flip(0) if label else self.flower, self.mask])
            cut = F.interpolate(cut[None], size=(size, size), mode="area")[0]
            place = image[:, y : y + size, x : x + size]
            place.lerp_(cut[:3], cut[3:])
            boxes, labels = torch.cat([boxes, box]), [*labels, label]
        return image * 2 - 1, (boxes, torch.tensor(labels))


def picture(image: Tensor, said: list[tuple[float, int, Tensor]]) -> Image.Image:
    """An image with the boxes that were found, and their scores."""
    drawn = Image.fromarray((image * 127.5 + 127.5).byte().permute(1, 2, 0).numpy())
    drawing = ImageDraw.Draw(drawn)
    for score, label, box in said:
        drawing.rectangle(box.tolist(), outline=COLOURS[label])
        drawing.text((float(box[0]) + 1, float(box[3])), f"{score:.2f}", fill=COLOURS[label])
    return drawn


def main() -> None:
    torch.manual_seed(0)
    model = Detector(archdsl.load("s2", resolution=SIDE), len(CLASSES))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2e-3, total_steps=STEPS)
    scenes = Scenes(slice(0, 384), seed=0)
    losses = []
    for step in range(STEPS):
        images, objects = zip(*(scenes.scene() for _ in range(BATCH)), strict=True)
        loss = model.loss(torch.stack(images), list(objects))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 10 == 0:
            print(f"step {step}: loss {losses[-1]:.3f}")
    assert sum(losses[-5:]) < sum(losses[:5]) / 2, "the loss should fall"

    model.eval()
    tests = Scenes(slice(384, 640), seed=1)
    sheet = Image.new("RGB", (4 * SIDE, 2 * SIDE))
    flowers = boxes_said = found = 0
    for i in range(24):
        image, (boxes, labels) = tests.scene()
        said = model.detect(image)
        flowers, boxes_said = flowers + len(boxes), boxes_said + len(said)
        for box, label in zip(boxes, labels, strict=True):
            found += any(label == its and box_iou(box[None], other[None]) > 0.5 for _, its, other in said)
        if i < 8:
            sheet.paste(picture(image, said), (i % 4 * SIDE, i // 4 * SIDE))
    with torch.no_grad():
        for level, map_ in model.pyramid(image[None]).items():
            print(f"{level}, stride {model.pyramid.strides[level]}: {tuple(map_.shape)}")
        print("logits, boxes, centre-ness:", *(tuple(each.shape) for each in model(image[None])))
    print(f"{found} of {flowers} flowers found, with {boxes_said} boxes")
    Path("build").mkdir(exist_ok=True)
    sheet.quantize(128).save("build/detector.png")
    print("build/detector.png")


if __name__ == "__main__":
    main()
