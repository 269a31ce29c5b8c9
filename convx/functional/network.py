"""Networks as one call, for layers that are used and no longer trained."""

from convx._engine.network import NotPlanned
from convx._ops.conv import PreparedConv
from convx._ops.network import Network

__all__ = ["Network", "NotPlanned", "PreparedConv"]
