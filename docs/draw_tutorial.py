"""Draw the pictures of the tutorial into docs/images/tutorial: ``python docs/draw_tutorial.py``."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from convx import functional as F
from convx import nn, optim, plot
from convx.data import DataLoader, mnist, random_shift

FOLDER = Path(__file__).parent / "images" / "tutorial"
X = [[1, 2, 0, 1], [3, 1, 1, 0], [0, 2, 4, 1], [1, 0, 2, 3]]
W = [[1, 0], [-1, 2]]


def save(name, width, height, *draw):
    """Draw one picture, or several side by side."""
    figure = Figure((width, height), layout="constrained")
    for ax, one in zip(np.atleast_1d(figure.subplots(1, len(draw))), draw, strict=True):
        one(ax)
    figure.savefig(FOLDER / f"{name}.png", dpi=100)


def draw_arithmetic():
    """Draw single steps and animations of convolutions of small integers."""
    save(
        "one-axis",
        9,
        1.8,
        lambda ax: plot.arithmetic([1, 2, 3, 4], [1, 0, -1], step=0, ax=ax),
        lambda ax: plot.arithmetic([1, 2, 3, 4], [1, 0, -1], step=1, ax=ax),
    )
    plot.animate_arithmetic(FOLDER / "convolution.gif", X, W, dpi=80)
    plot.animate_arithmetic(FOLDER / "stride.gif", X, W, stride=2, padding=1, dpi=80)
    plot.animate_arithmetic(
        FOLDER / "transposed.gif", [[1, 2], [3, 4]], W, stride=2, transposed=True, dpi=80
    )


def draw_filters():
    """Draw a digit, its edges, and the templates that find the strokes of an X."""
    digit = mnist()[1].images[4]
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
    edges = F.conv2d(digit, np.stack([sobel, sobel.T])[:, None], padding=1)
    save(
        "edges",
        8,
        2.8,
        lambda ax: plot.feature_maps(digit, ax=ax).set_title("an 8"),
        lambda ax: plot.feature_maps(edges[:1], ax=ax).set_title("brighter to the right"),
        lambda ax: plot.feature_maps(edges[1:], ax=ax).set_title("brighter downwards"),
    )
    save("reach", 6.5, 3.2, lambda ax: plot.receptive_field([3, (2, 2), 3, (2, 2)], ax=ax))


def draw_training():
    """Train as the tutorial does, but for longer, and draw what came of it."""
    training, held_out = mnist()
    model = nn.models.lenet5(rng=0)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=4e-3)
    loader = DataLoader(training, batch_size=32, shuffle=True, rng=0)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 15 * len(loader))
    losses, accuracies, chance = {"training": [], "held out": []}, [], np.random.default_rng(0)
    for _ in range(15):
        sums = 0.0
        for images, labels in loader:
            logits, pullback = model.vjp(random_shift(images, 2, rng=chance), input_gradient=False)
            loss, loss_pullback = criterion.vjp(logits, labels)
            optimizer.zero_grad()
            pullback(loss_pullback(1.0))
            optimizer.step()
            schedule.step()
            sums += float(loss) * len(labels)
        logits = model(held_out.images)
        losses["training"].append(sums / len(training.labels))
        losses["held out"].append(float(criterion(logits, held_out.labels)))
        accuracies.append(float((logits.argmax(1) == held_out.labels).mean()))
    print(accuracies)
    save(
        "curves",
        9,
        3.2,
        lambda ax: plot.learning_curves(losses, ax=ax),
        lambda ax: plot.learning_curves({"held out": accuracies}, ylabel="accuracy", ax=ax),
    )
    digit = held_out.images[4]
    maps = F.relu(model[0](digit[None]))[0]
    save(
        "learned",
        8,
        2.8,
        lambda ax: plot.kernels(model[0].weight.data, ax=ax).set_title("learned kernels"),
        lambda ax: plot.feature_maps(digit, ax=ax).set_title("a digit"),
        lambda ax: plot.feature_maps(maps, ax=ax).set_title("what they make of it"),
    )
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (held_out.labels, logits.argmax(1)), 1)
    save("confusion", 4.6, 4.2, lambda ax: plot.confusion_matrix(counts, ax=ax))


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    draw_arithmetic()
    draw_filters()
    draw_training()
