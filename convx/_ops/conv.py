"""Convolutions of any rank: forward, transposed, and both gradients, from three linear maps.

Everything is one of

- *correlate*: ``y = A(w) x``, the convolution;
- *adjoint*: ``x = A(w)ᵀ y``, the gradient of its input, and the transposed convolution;
- *weight gradient*: ``w = B(x)ᵀ y`` where ``A(w) x = B(x) w``.

A transposed convolution is the adjoint, its input gradient is the convolution, and its weight
gradient is that of the convolution with input and output changed round.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from convx._core import _bias
from convx._core._driver import Activation
from convx._core._memo import CallMemo
from convx._engine import arguments, boundary, dtypes, execution, machine, sweeps
from convx._engine.dtypes import AnyArray
from convx._ops.correlation import (
    Correlation,
    Options,
    check_weight,
    of_conv,
    of_transpose,
    parse_options,
)

# The three maps, between arrays of the result's type with a batch axis.


def _correlate(
    of: Correlation,
    x: AnyArray,
    w: AnyArray,
    b: AnyArray | None,
    out: AnyArray | None = None,
    packed: execution.PackedWeights | None = None,
    finish: execution.Finish = execution.SUMS_ALONE,
) -> AnyArray:
    if x.dtype.kind == "c":
        r = finish.residual
        parts = _correlate(
            of.of_parts(),
            dtypes.split_complex(x, 1),
            dtypes.complex_matrix(w),
            None if b is None else dtypes.split_complex(b, 0),
            finish=finish._replace(residual=None if r is None else dtypes.split_complex(r, 1)),
        )
        return execution.deliver(dtypes.join_complex(parts, 1, x.dtype), out)
    return execution.run(of, "forward", x, w, b, out, packed, finish)


def _adjoint(
    of: Correlation, y: AnyArray, w: AnyArray, b: AnyArray | None, out: AnyArray | None = None
) -> AnyArray:
    if y.dtype.kind == "c":
        # The transpose of a complex number's matrix is that of its conjugate.
        parts = _adjoint(
            of.of_parts(),
            dtypes.split_complex(y, 1),
            dtypes.complex_matrix(w.conj()),
            None if b is None else dtypes.split_complex(b, 0),
        )
        return execution.deliver(dtypes.join_complex(parts, 1, y.dtype), out)
    if not of.pads_by_index:
        return execution.run(of, "adjoint", y, w, b, out)
    padded = execution.run(of, "adjoint", y, w, None)
    low = [window.pad_low for window in of.windows]
    folded = boundary.fold(padded, of.halos(), low)
    if b is not None:
        folded = folded + b.reshape(-1, *(1 for _ in of.windows))
    return execution.deliver(folded, out)


def _weight_gradient(of: Correlation, x: AnyArray, y: AnyArray) -> AnyArray:
    if x.dtype.kind == "c":
        matrix = _weight_gradient(
            of.of_parts(), dtypes.split_complex(x, 1), dtypes.split_complex(y, 1)
        )
        return dtypes.from_products(matrix, x.dtype)
    arguments.check_memory(of.weight_shape, x.dtype.itemsize, "a gradient")
    return execution.run(of, "weight_gradient", x, y, None).reshape(of.weight_shape)


def _bias_gradient(grad_output: AnyArray) -> AnyArray:
    grad_output = np.ascontiguousarray(grad_output)
    (items, channels, *sizes), dtype = grad_output.shape, grad_output.dtype
    size = math.prod(sizes)
    if not dtypes.is_plain(grad_output):
        planes = grad_output.reshape(items, channels, size)
        grad_bias: AnyArray = np.add.reduce(planes, (0, 2), dtype)
        return grad_bias
    threads = sweeps.threads_for(grad_output.nbytes)
    return _bias.bias_gradient(machine.ISA, grad_output, items, channels, size, threads)


# The public operations: they take array-likes, batched or not, and unchecked options, given as
# (stride, padding, dilation, groups, padding_mode, algorithm[, output_padding]). ``axes`` is the
# number of spatial axes, None where the weight's shape tells it.


_memo, _input_memo, _weight_memo = (CallMemo(Activation()) for _ in range(3))


def conv(
    axes: int | None,
    input: object,
    weight: object,
    bias: object,
    given: tuple[object, ...],
    out: object = None,
) -> AnyArray:
    """Cross-correlate."""
    remembered = _memo.call(axes, input, weight, bias, None, given, out)
    if remembered is not None:
        return remembered
    (x, w, b), dtype = dtypes.operands(input=input, weight=weight, bias=bias)
    as_given = x is input and w is weight and b is bias
    options = _options(axes, w.shape, given)
    x, batched = _with_batch(x, options, "input")
    of = of_conv(x.shape, w.shape, options)
    _check_bias(b, of.filters)
    result = _apply(_correlate, of, of.output_shape, batched, x, w, b, dtype, out)
    if as_given:
        call = (axes, input, weight, bias, None, given)
        execution.remember(_memo, call, of, "forward", (x, w, b), result)
    return result


def conv_transpose(
    axes: int | None,
    input: object,
    weight: object,
    bias: object,
    given: Sequence[object],
    out: object = None,
) -> AnyArray:
    """Transposed convolution: the adjoint of the convolution with the same weights."""
    (x, w, b), dtype = dtypes.operands(input=input, weight=weight, bias=bias)
    options = _options(axes, w.shape, given)
    x, batched = _with_batch(x, options, "input")
    of = of_transpose(x.shape, w.shape, options)
    _check_bias(b, of.channels)
    return _apply(_adjoint, of, of.input_shape, batched, x, w, b, dtype, out)


def conv_input(
    axes: int | None,
    input_size: Sequence[int],
    weight: object,
    grad_output: object,
    given: Sequence[object],
) -> AnyArray:
    """Gradient of a convolution with respect to its input."""
    call = (axes, grad_output, weight, None, None, (input_size, *given))
    remembered = _input_memo.call(*call, None)
    if remembered is not None:
        return remembered
    (w, dy), dtype = dtypes.operands(weight=weight, grad_output=grad_output)
    as_given = w is weight and dy is grad_output
    options = _options(axes, w.shape, given)
    shape, batched = _shape_with_batch(input_size, options, "input_size")
    of = of_conv(shape, w.shape, options)
    dy = _check_output(dy, of.output_shape, batched)
    result = _apply(_adjoint, of, of.input_shape, batched, dy, w, None, dtype, None)
    if as_given and not of.pads_by_index:
        execution.remember(_input_memo, call, of, "adjoint", (dy, w), result)
    return result


def conv_weight(
    axes: int | None,
    input: object,
    weight_size: Sequence[int],
    grad_output: object,
    given: Sequence[object],
) -> AnyArray:
    """Gradient of a convolution with respect to its weights."""
    call = (axes, input, grad_output, None, None, (weight_size, *given))
    remembered = _weight_memo.call(*call, None)
    if remembered is not None:
        return remembered
    (x, dy), dtype = dtypes.operands(input=input, grad_output=grad_output)
    as_given = x is input and dy is grad_output
    shape = arguments.shape(weight_size, "weight_size")
    options = _options(axes, shape, given)
    x, batched = _with_batch(x, options, "input")
    of = of_conv(x.shape, shape, options)
    dy = _check_output(dy, of.output_shape, batched)
    dw = _weight_gradient(of, x, dy)
    if as_given and batched and not of.pads_by_index:
        execution.remember(_weight_memo, call, of, "weight_gradient", (x, dy), dw)
    return dw.astype(dtype, copy=False)


Gradients = tuple[Any, AnyArray, AnyArray | None]


def conv_gradients(
    axes: int | None,
    grad_output: object,
    input: object,
    weight: object,
    bias: object,
    given: tuple[object, ...],
    input_gradient: object = True,
) -> Gradients:
    """All gradients of a convolution, that of the input only if it is wanted."""
    with_input = arguments.flag(input_gradient, "input_gradient")
    remembered = _remembered_gradients(axes, grad_output, input, weight, bias, given, with_input)
    if remembered is not None:
        return remembered
    (dy, x, w, b), dtype = dtypes.operands(
        grad_output=grad_output, input=input, weight=weight, bias=bias
    )
    as_given = dy is grad_output and x is input and w is weight and b is bias
    options = _options(axes, w.shape, given)
    x, batched = _with_batch(x, options, "input")
    of = of_conv(x.shape, w.shape, options)
    _check_bias(b, of.filters)
    dy = _check_output(dy, of.output_shape, batched)
    dx = None
    if with_input:
        dx = _apply(_adjoint, of, of.input_shape, batched, dy, w, None, dtype, None)
    dw = _weight_gradient(of, x, dy)
    if as_given and batched and not of.pads_by_index:
        call = (axes, dy, w, None, None, (x.shape, *given))
        if dx is not None:
            execution.remember(_input_memo, call, of, "adjoint", (dy, w), dx)
        call = (axes, x, dy, None, None, (w.shape, *given))
        execution.remember(_weight_memo, call, of, "weight_gradient", (x, dy), dw)
    grad_weight = dw.astype(dtype, copy=False)
    grad_bias = None if b is None else _bias_gradient(dy).astype(dtype, copy=False)
    return dx, grad_weight, grad_bias


def _remembered_gradients(
    axes: int | None,
    dy: Any,
    x: Any,
    w: Any,
    b: Any,
    given: tuple[object, ...],
    with_input: bool,
) -> Gradients | None:
    """Return the gradients if calls like this one went the long way before, all of one dtype."""
    if not type(dy) is type(x) is type(w) is np.ndarray or not dy.dtype == x.dtype == w.dtype:
        return None
    if b is not None and (
        type(b) is not np.ndarray or b.dtype != w.dtype or b.shape != w.shape[:1]
    ):
        return None
    dx = None
    if with_input:
        dx = _input_memo.call(axes, dy, w, None, None, (x.shape, *given), None)
        if dx is None:
            return None
    dw = _weight_memo.call(axes, x, dy, None, None, (w.shape, *given), None)
    if dw is None:
        return None
    return dx, dw, None if b is None else _bias_gradient(dy)


def conv_transpose_gradients(
    axes: int | None,
    grad_output: object,
    input: object,
    weight: object,
    bias: object,
    given: Sequence[object],
    input_gradient: object = True,
) -> Gradients:
    """All gradients of a transposed convolution: input and output change places."""
    with_input = arguments.flag(input_gradient, "input_gradient")
    (dy, x, w, b), dtype = dtypes.operands(
        grad_output=grad_output, input=input, weight=weight, bias=bias
    )
    options = _options(axes, w.shape, given)
    x, batched = _with_batch(x, options, "input")
    of = of_transpose(x.shape, w.shape, options)
    _check_bias(b, of.channels)
    dy = _check_output(dy, of.input_shape, batched)
    dx = None
    if with_input:
        dx = _apply(_correlate, of, of.output_shape, batched, dy, w, None, dtype, None)
    grad_weight = _weight_gradient(of, dy, x).astype(dtype, copy=False)
    grad_bias = None if b is None else _bias_gradient(dy).astype(dtype, copy=False)
    return dx, grad_weight, grad_bias


def _options(axes: int | None, weight_shape: Sequence[int], given: Sequence[object]) -> Options:
    spatial = arguments.spatial_axes(axes, len(weight_shape))
    return parse_options(weight_shape[-spatial:], *given)


def _with_batch(array: AnyArray, options: Options, name: str) -> tuple[AnyArray, bool]:
    batched = arguments.check_batched(array.ndim, len(options.kernel), name)
    return (array if batched else array[None]), batched


def _shape_with_batch(size: object, options: Options, name: str) -> tuple[tuple[int, ...], bool]:
    shape = arguments.shape(size, name)
    batched = arguments.check_batched(len(shape), len(options.kernel), name)
    return (shape if batched else (1, *shape)), batched


def _check_bias(bias: AnyArray | None, filters: int) -> None:
    if bias is not None:
        arguments.check_shape(bias.shape, (filters,), "bias", "one value for each output channel")


def _check_output(
    array: AnyArray, shape: tuple[int, ...], batched: bool, name: str = "grad_output"
) -> AnyArray:
    arguments.check_shape(array.shape, shape if batched else shape[1:], name, "that of the output")
    return array.reshape(shape)


def _apply(
    apply_map: Callable[..., AnyArray],
    of: Correlation,
    shape: tuple[int, ...],
    batched: bool,
    x: AnyArray,
    w: AnyArray,
    b: AnyArray | None,
    dtype: np.dtype[Any],
    out: object,
) -> AnyArray:
    """Apply one of the maps, and give its result the batch axis and the dtype of the operands."""
    arguments.check_memory(shape, x.dtype.itemsize, "an output")
    if out is None:
        result = apply_map(of, x, w, b).astype(dtype, copy=False)
        return result if batched else result[0]
    target = arguments.check_out(out, shape if batched else shape[1:], dtype)
    if dtype == x.dtype:
        apply_map(of, x, w, b, target)
    else:
        execution.deliver(apply_map(of, x, w, b), target)
    return target


class PreparedConv:
    """A convolution whose weights are packed once, for any number of inputs.

    Made by :func:`convx.prepare_conv`. Safe to call from several threads at a time.
    """

    def __init__(
        self,
        weight: object,
        bias: object,
        given: Sequence[object],
        activation: object = None,
        negative_slope: object = None,
    ) -> None:
        (w, b), dtype = dtypes.operands(weight=weight, bias=bias)
        self._options = replace(_options(None, w.shape, given), prepared=True)
        self._activation = Activation(*arguments.activation(activation, negative_slope, dtype))
        check_weight(w.shape, output_channels=w.shape[0])
        arguments.check_groups(self._options.groups, output_channels=w.shape[0])
        _check_bias(b, w.shape[0])
        # Copies: the caller may change the arrays, the packed weights would not follow.
        self._weight = np.array(w, dtype, order="C")
        self._bias = None if b is None else np.array(b, dtype, order="C")
        self._packed: execution.PackedWeights = {}
        self._memo = CallMemo(self._activation)

    def parts(self) -> tuple[AnyArray, AnyArray | None, Options, Activation]:
        """Return the weights, the bias, how they slide, and what comes after."""
        return self._weight, self._bias, self._options, self._activation

    def __repr__(self) -> str:
        """Tell the weights, how they slide, and what comes after."""
        o, activation = self._options, self._activation.name
        return (
            f"<PreparedConv {self._weight.shape} {self._weight.dtype}, stride {o.stride}, "
            f"padding {o.pads}, dilation {o.dilation}, groups {o.groups}"
            f"{f', {activation}' if activation else ''}>"
        )

    def __call__(self, input: object, residual: object = None, *, out: object = None) -> AnyArray:
        """Return the cross-correlation of ``input``, batched or not, with the weights.

        A residual of the result's shape is added to it before the activation.
        """
        call = (None, input, self._weight, self._bias, residual, ())
        remembered = self._memo.call(*call, out)
        if remembered is not None:
            return remembered
        (x, w, b, r), dtype = dtypes.operands(
            input=input, weight=self._weight, bias=self._bias, residual=residual
        )
        as_given = x is input and w is self._weight and r is residual
        arguments.check_activation(self._activation.name, dtype, "a result")
        x, batched = _with_batch(x, self._options, "input")
        of = of_conv(x.shape, w.shape, self._options)
        if r is not None:
            r = _check_output(r, of.output_shape, batched, "residual")
        # the packed weights are of the type that the weights alone are computed in
        packed = self._packed if dtype == self._weight.dtype else None
        finish = execution.Finish(r, self._activation)
        correlate = partial(_correlate, packed=packed, finish=finish)
        packings = set(self._packed)
        result = _apply(correlate, of, of.output_shape, batched, x, w, b, dtype, out)
        if not packings.issubset(self._packed):
            self._memo = CallMemo(self._activation)  # it holds weights that are packed otherwise
        if as_given:
            execution.remember(self._memo, call, of, "forward", (x, w, b, r), result, packed)
        return result
