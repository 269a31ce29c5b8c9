"""Normalisation by the response of neighbouring channels, and its gradient."""

from typing import Any

import numpy as np

from convx._engine import arguments, dtypes, sweeps
from convx._engine.dtypes import AnyArray


def _window_sums(x: AnyArray, before: int, after: int) -> AnyArray:
    """Add up, for every channel, those from ``before`` it to ``after`` it, as far as they are."""
    channels = x.shape[1]
    total = np.zeros_like(x)
    for shift in range(-min(before, channels - 1), min(after, channels - 1) + 1):
        low, high = max(0, -shift), min(channels, channels - shift)
        total[:, low:high] += x[:, low + shift : high + shift]
    return total


class _Responses:
    """``divisor = k + alpha / size * sum of squares``, of which x is divided by a power."""

    def __init__(
        self, input: object, size: object, alpha: object, beta: object, k: object, kinds: str
    ) -> None:
        self.x, self.dtype = dtypes.sweep_operand(input, "input", kinds)
        arguments.check_channel_axis(self.x.shape, 3)
        self.size = arguments.integer(size, "size", 1)
        self.alpha, self.beta = arguments.number(alpha, "alpha"), arguments.number(beta, "beta")
        self.k = arguments.number(k, "k")
        self.before, self.after = self.size // 2, (self.size - 1) // 2
        self.computed = self.x.dtype
        if self.computed.kind == "i":  # as PyTorch: whole averages, then single precision
            self.dtype = self.computed = np.dtype(np.float32)

    def divisors(self, x: AnyArray) -> AnyArray:
        squares = _window_sums(x * x, self.before, self.after)
        means = squares // self.size if x.dtype.kind == "i" else squares / self.size
        divisors: AnyArray = means.astype(self.computed) * self.computed.type(self.alpha)
        divisors += self.computed.type(self.k)
        return divisors


def local_response_norm(
    input: object, size: object, alpha: object, beta: object, k: object, out: Any
) -> AnyArray:
    """Divide by a power of the mean square over neighbouring channels."""
    of = _Responses(input, size, alpha, beta, k, "fiu")
    y = sweeps.new_result(out, of.x.shape, of.dtype, of.x)
    for item, x in zip(y, of.x, strict=True):  # one by one: what is between stays in the cache
        divisor = of.divisors(x[None])[0]
        np.divide(
            x, divisor ** of.computed.type(of.beta), out=item, dtype=of.computed, casting="unsafe"
        )
    return sweeps.deliver(y, of.dtype, out)


def local_response_norm_gradient(
    grad_output: object, input: object, size: object, alpha: object, beta: object, k: object
) -> AnyArray:
    """Return the gradient of the input."""
    of = _Responses(input, size, alpha, beta, k, "f")
    dy, _ = dtypes.sweep_operand(grad_output, "grad_output")
    arguments.check_shape(dy.shape, of.x.shape, "grad_output", "as the output has")
    dy = dy.astype(of.computed, copy=False)
    dx = sweeps.new_result(None, of.x.shape, of.dtype)
    factor = of.computed.type(-2 * of.alpha * of.beta / of.size)
    for result, x, g in zip(dx, of.x, dy, strict=True):
        divisor = of.divisors(x[None])[0]
        scaled = g * divisor ** of.computed.type(-of.beta)
        shares = _window_sums((scaled * x / divisor)[None], of.after, of.before)[0]
        np.add(scaled, factor * x * shares, out=result)
    return sweeps.deliver(dx, of.dtype, None)
