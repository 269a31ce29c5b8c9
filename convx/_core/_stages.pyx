"""A convolution, a ReLU and averages of 2 by 2 as one stage of training, items side by side.

What the convolution computes never leaves the cache: averages do, and a bit for each place whose
gradient passes. On the way back the gradient of the convolution's result is made in lines of items,
for the gradients of input, weights and bias at once.
"""

cimport cython
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy

from convx._core._interleaving cimport (
    InterleavedProgram, Parts, Rows, all_finite, compute_part, lines_bytes, rounded_up, turn,
)
from convx._core._memory cimport (
    Block, Buffer, borrow_scratch, held, memory_of, new_result, return_scratch,
)
from convx._core._parallel cimport share_out
from convx._core._sweeps cimport (
    cx_interleave_job, cx_line_pool_job, cx_plane_sums_job, cx_row_sums_job,
)

from numpy import dtype as dtype_of

cdef object BYTES = dtype_of("u1")


# What all parts of the batch share. Each has lines of blocks besides those of its convolutions.
cdef struct StageParts:
    Parts *conv         # forward, or the gradient of the weights
    Parts *adjoint      # NULL if no gradient of the input is wanted
    cx_interleave_job blocks
    cx_line_pool_job pool
    int64_t rows        # of blocks of an item
    int64_t filters
    char *averages      # or their gradient
    char *sums          # of weights, by parts
    char *plane_sums    # of each item and filter, NULL if there is no bias


cdef void pool_parts(const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil:
    """Compute some parts forward: lines of the input, of the convolution, of blocks; room."""
    cdef const StageParts *stage = <const StageParts *>job
    cdef const Parts *conv = stage.conv
    cdef cx_line_pool_job pool = stage.pool
    cdef int64_t part, item, row
    cdef char *results = scratch + lines_bytes(conv.inputs, conv.item_size)
    cdef char *blocks = results + lines_bytes(conv.outputs, conv.item_size)
    cdef char *room = blocks + lines_bytes(stage.blocks, conv.item_size)
    for part in range(first, end):
        item, row = part * conv.inputs.items, part * stage.rows
        turn(conv, conv.inputs, <const char *>conv.call.input, item, scratch, False)
        compute_part(conv, scratch, NULL, results, room)
        pool.x, pool.y = results, blocks
        pool.passes = stage.pool.passes + row * pool.blocks * pool.items
        conv.sweeps.line_pool(&pool, 0, stage.rows, NULL)
        turn(conv, stage.blocks, stage.averages, item, blocks, True)


cdef void sum_planes(const StageParts *stage, char *lines, int64_t item,
                     char *sums) noexcept nogil:
    """Sum up the gradients of each item and filter, for the gradient of the bias."""
    cdef cx_plane_sums_job job
    cdef int64_t filter, n, items = stage.pool.items, size = stage.conv.item_size
    job.size, job.items = stage.conv.outputs.rows * stage.conv.outputs.length, items
    job.size //= stage.filters
    job.x, job.sums = lines, sums
    stage.conv.sweeps.plane_sums(&job, 0, stage.filters, NULL)
    for n in range(min(items, stage.conv.batch - item)):
        for filter in range(stage.filters):
            memcpy(stage.plane_sums + ((item + n) * stage.filters + filter) * size,
                   sums + (filter * items + n) * size, size)


cdef void spread_parts(const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil:
    """Compute the gradients of some parts.

    Lines of the input, of the convolution's gradient, of blocks, of the input's gradient; sums of
    weights and of planes; room.
    """
    cdef const StageParts *stage = <const StageParts *>job
    cdef const Parts *conv = stage.conv
    cdef cx_line_pool_job pool = stage.pool
    cdef int64_t part, item, row, size = conv.item_size, sums_size = conv.weights * size
    cdef char *slopes = scratch + lines_bytes(conv.inputs, size)
    cdef char *blocks = slopes + lines_bytes(conv.outputs, size)
    cdef char *result = blocks + lines_bytes(stage.blocks, size)
    cdef char *sums = result + lines_bytes(conv.inputs, size)
    cdef char *plane_sums = sums + rounded_up(sums_size, 64)
    cdef char *room = plane_sums + rounded_up(stage.filters * pool.items * size, 64)
    for part in range(first, end):
        item, row = part * conv.inputs.items, part * stage.rows
        turn(conv, stage.blocks, stage.averages, item, blocks, False)
        pool.x, pool.y = slopes, blocks
        pool.passes = stage.pool.passes + row * pool.blocks * pool.items
        conv.sweeps.line_spread(&pool, 0, stage.rows, NULL)
        if stage.plane_sums != NULL:
            sum_planes(stage, slopes, item, plane_sums)
        turn(conv, conv.inputs, <const char *>conv.call.input, item, scratch, False)
        compute_part(conv, scratch, slopes, sums, room)
        memcpy(stage.sums + part * sums_size, sums, sums_size)
        if stage.adjoint != NULL:
            compute_part(stage.adjoint, slopes, NULL, result, room)
            turn(stage.adjoint, stage.adjoint.outputs, <const char *>stage.adjoint.call.output,
                 item, result, True)


@cython.final
cdef class Stage:
    """Three planned convolutions, of which one or two are computed at a time, and averages.

    The adjoint may be None: then there is no gradient of the input.
    """

    cdef InterleavedProgram forward, gradient, adjoint
    cdef Rows blocks
    cdef cx_line_pool_job pool
    cdef int64_t rows, filters
    cdef object dtype
    cdef tuple in_shape, out_shape, weight_shape, kept_shape

    def __init__(self, InterleavedProgram forward, InterleavedProgram gradient,
                 InterleavedProgram adjoint, Rows blocks, dtype, tuple in_shape, tuple out_shape,
                 tuple weight_shape, double divisor):
        self.forward, self.gradient, self.adjoint = forward, gradient, adjoint
        self.blocks, self.dtype = blocks, dtype
        self.in_shape, self.out_shape, self.weight_shape = in_shape, out_shape, weight_shape
        self.filters = weight_shape[0]
        self.pool.items, self.pool.blocks = blocks.job.items, out_shape[3]
        self.pool.factor = 1 / divisor
        self.rows = self.filters * <int64_t>out_shape[2]
        self.kept_shape = (forward.parts * self.rows * self.pool.blocks * self.pool.items,)

    cdef int64_t lines(self):
        """Bytes that a part takes besides what its convolutions do."""
        cdef int64_t size = self.forward.item_size
        return (lines_bytes(self.blocks.job, size) + lines_bytes(self.forward.inputs.job, size) +
                rounded_up(self.filters * self.pool.items * size, 64))

    cdef int describe(
        self, StageParts *stage, Parts *conv, Buffer averages, Buffer passes,
    ) except -1:
        """Tell what all parts share but the convolutions' arrays."""
        stage.conv, stage.adjoint, stage.blocks, stage.pool = conv, NULL, self.blocks.job, self.pool
        stage.rows, stage.filters = self.rows, self.filters
        stage.averages, stage.pool.passes = <char *>averages.view.buf, <uint8_t *>passes.view.buf
        stage.sums = stage.plane_sums = NULL
        return 0

    def run(self, x, weight, bias):
        """Return averages, and of each block which places pass the gradient; None if not possible.

        That is so with weights that are not finite, whose products with zeros must not be left out.
        """
        cdef InterleavedProgram conv = self.forward
        cdef Buffer x_buffer = Buffer(x), weight_buffer = Buffer(weight), bias_buffer = held(bias)
        cdef Parts parts
        cdef StageParts stage
        cdef Block shared
        if not self.takes(conv, weight_buffer):
            return None
        y = new_result(self.out_shape, self.dtype)
        passes = new_result(self.kept_shape, BYTES)
        shared = borrow_scratch(conv.packed_size * conv.item_size)
        pack(conv, &parts, weight_buffer, shared.memory)
        parts.call.input, parts.call.bias = x_buffer.view.buf, memory_of(bias_buffer)
        self.describe(&stage, &parts, Buffer(y, writable=True), Buffer(passes, writable=True))
        share_out(pool_parts, &stage, conv.parts, conv.threads, conv.scratch_bytes + self.lines())
        return_scratch(shared)
        return y, passes

    def gradients(self, grad_output, x, weight, bias, passes):
        """Return the gradients of input, weight and bias, or None as `run` does."""
        cdef InterleavedProgram conv = self.gradient, adjoint = self.adjoint
        cdef Buffer x_buffer = Buffer(x), weight_buffer = Buffer(weight)
        cdef Buffer grad_buffer = Buffer(grad_output), dw_buffer, dx_buffer, db_buffer
        cdef Parts parts, back
        cdef StageParts stage
        cdef Block shared
        cdef cx_row_sums_job total
        cdef int64_t size = conv.item_size, scratch_bytes = conv.scratch_bytes + self.lines()
        cdef int64_t sums = rounded_up(conv.parts * conv.weights * size, 64), packed = 0
        cdef int64_t plane_sums = rounded_up(conv.batch * self.filters * size, 64)
        dx = db = None
        if adjoint is not None:
            if not self.takes(adjoint, weight_buffer):
                return None
            packed = adjoint.packed_size * size
            scratch_bytes = max(scratch_bytes, adjoint.scratch_bytes + self.lines() + sums)
        shared = borrow_scratch(sums + plane_sums + packed)
        conv.describe(&parts, NULL)
        parts.call.input = x_buffer.view.buf
        self.describe(&stage, &parts, grad_buffer, Buffer(passes))
        stage.sums = shared.memory
        if bias is not None:
            stage.plane_sums = shared.memory + sums
        if adjoint is not None:
            pack(adjoint, &back, weight_buffer, shared.memory + sums + plane_sums)
            dx = new_result(self.in_shape, self.dtype)
            dx_buffer = Buffer(dx, writable=True)
            back.call.output, stage.adjoint = dx_buffer.view.buf, &back
        share_out(spread_parts, &stage, conv.parts, conv.threads, scratch_bytes)
        dw = new_result(self.weight_shape, self.dtype)
        dw_buffer = Buffer(dw, writable=True)
        if conv.parts > 1:
            conv.add_parts(stage.sums, dw_buffer.view.buf)
        else:
            memcpy(dw_buffer.view.buf, stage.sums, conv.weights * size)
        if bias is not None:
            db = new_result(self.weight_shape[:1], self.dtype)
            db_buffer = Buffer(db, writable=True)
            total.rows, total.columns = conv.batch, self.filters
            total.x, total.y = stage.plane_sums, db_buffer.view.buf
            conv.sweeps.row_sums(&total, 0, self.filters, NULL)
        return_scratch(shared)
        return dx, dw, db

    def takes_kept(self, grad_output, passes):
        """Whether a gradient, and what `run` returned of the places it passes, have their sizes."""
        return grad_output.shape == self.out_shape and passes.shape == self.kept_shape

    cdef bint takes(self, InterleavedProgram conv, Buffer weight) except -1:
        """Whether a convolution leaves out no product with a weight that is not finite."""
        return conv.fallback is None or all_finite(weight.view.buf, conv.weights, conv.item_size)


cdef int pack(InterleavedProgram conv, Parts *parts, Buffer weight, char *packed) except -1:
    """Describe a convolution, with its weights packed if they are to be."""
    if conv.packs:
        conv.pack_all(weight.view.buf, packed)
    conv.describe(parts, packed if conv.packs else NULL)
    parts.call.weight = weight.view.buf
    return 0
