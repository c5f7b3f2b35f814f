"""First steps: open a network, read its costs, build it, and train it a little on two photographs.

    python examples/first_steps.py

The photographs are those that scikit-learn ships (a Chinese temple and a flower); the task is to tell
from a crop of 96 x 96 pixels which one it comes from. It runs in half a minute on one core.
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_sample_images

import archdsl

SIDE = 96
STEPS = 6


def crops(count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """`count` random crops [count, 3, SIDE, SIDE] of the two photographs, and which one each is from."""
    photos = [torch.from_numpy(photo.copy()).permute(2, 0, 1) / 255 for photo in load_sample_images().images]
    labels = torch.randint(len(photos), (count,), generator=generator)
    images = []
    for label in labels.tolist():
        photo = photos[label]
        row = int(torch.randint(photo.shape[1] - SIDE, (1,), generator=generator))
        column = int(torch.randint(photo.shape[2] - SIDE, (1,), generator=generator))
        images.append(photo[:, row : row + SIDE, column : column + SIDE])
    return torch.stack(images) * 2 - 1, labels


def main() -> None:
    # A bundled network at the resolution of our crops; a path to a document of yours works the same.
    network = archdsl.load("s0", resolution=SIDE)
    costs = network.stats()
    print(f"{costs.name}: {costs.params:,} parameters, {costs.macs:,} MACs at {SIDE} x {SIDE}")
    for row in costs.rows:
        print(f"  {row.path:<10} {row.macs / costs.macs:6.1%} of the MACs")

    torch.manual_seed(0)
    model = network.build(num_classes=2)
    # Layer scale begins at 1e-5: over so few steps only larger branches show an effect.
    for name, parameter in model.named_parameters():
        if name.endswith("gamma"):
            torch.nn.init.constant_(parameter, 0.5)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    generator = torch.Generator().manual_seed(0)
    losses = []
    for step in range(STEPS):
        images, labels = crops(16, generator)
        # In training the classifier gives two outputs; a teacher, if there were one, would drive the second.
        logits, from_teacher = model(images)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        loss = loss + torch.nn.functional.cross_entropy(from_teacher, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        print(f"step {step}: loss {losses[-1]:.3f}")
    assert losses[-1] < losses[0], "the loss should fall"

    model.eval()
    with torch.no_grad():
        maps = model.features(crops(1, generator)[0])
    print("pyramid:", ", ".join(str(tuple(map_.shape[1:])) for map_ in maps))


if __name__ == "__main__":
    main()
