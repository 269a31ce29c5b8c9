"""Optimisers and schedules of their learning rates, under the names of :mod:`torch.optim`."""

from convx.optim import lr_scheduler
from convx.optim.optimizer import Optimizer
from convx.optim.rules import SGD, Adam, AdamW, RMSprop

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
