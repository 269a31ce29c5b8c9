"""Training: twenty steps as PyTorch's, and the same bits however many threads there are."""

import numpy as np

from convx import nn

STEPS = 20


def batches(dtype, steps=STEPS, items=8):
    rng = np.random.default_rng(1)
    for _ in range(steps):
        yield rng.standard_normal((items, 1, 28, 28)).astype(dtype), rng.integers(0, 10, items)


def trained(model, optimizer, steps=STEPS):
    """The losses of some steps."""
    criterion, losses = nn.CrossEntropyLoss(), []
    for x, target in batches(next(model.parameters()).dtype, steps):
        optimizer.zero_grad()
        y, pullback = model.vjp(x, input_gradient=False)
        loss, loss_pullback = criterion.vjp(y, target)
        pullback(loss_pullback(1.0))
        optimizer.step()
        losses.append(float(loss))
    return losses
