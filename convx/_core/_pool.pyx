"""Pooling of planes, its gradients, and scattering by indices."""

from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.math cimport frexp
from libc.stdint cimport int64_t

from convx._core._driver cimport sweeps_of
from convx._core._memory cimport Buffer
from convx._core._parallel cimport share_out
from convx._core._sweep cimport Sweep, new_sweep
from convx._core._sweeps cimport (
    CX_BLOCK_ALIGNMENT, CX_BLOCK_ROWS, CX_POOL_MAX, CX_POOL_SUM, CX_SCATTER_ADD, CX_SCATTER_BACK,
    CX_SCATTER_SET, cx_pool_axis, cx_pool_job, cx_scatter_job,
)

REDUCERS = {"sum": CX_POOL_SUM, "max": CX_POOL_MAX}
SCATTERS = {"set": CX_SCATTER_SET, "add": CX_SCATTER_ADD, "back": CX_SCATTER_BACK}

# Inputs of a piece, some of which fit into a core's cache.
cdef int64_t PIECE_SIZE = 16384
# Outputs of a piece of a long line.
cdef int64_t SEGMENT = 2048
# What a line of scratch memory has at its end: vectors may be read and written beyond.
cdef int64_t SLACK = 64

# Windows so long along the last axis but one are reduced step by step. With fewer taps their rows
# are in L1 still, and it does not pay (AMD EPYC Genoa, November 2026).
cdef int64_t QUEUED_TAPS = 13


# Elements of the lines of rows of outputs that are computed together, which stay in L1, and the
# windows along lines that there are loops for, taps and stride.
cdef int64_t BLOCK_SIZE = 2048
FEW_TAPS = {(2, 1), (3, 1), (4, 1), (2, 2), (3, 2), (4, 2), (3, 3), (4, 4)}
# From so many inputs on, which come from memory, it is best that these rows are few, for memory
# waits while lines become outputs (AMD EPYC Genoa, November 2026).
cdef int64_t LARGE = 2 ** 21, FEW_ROWS = 4


cdef int64_t rounded_up(int64_t elements):
    """The next multiple of the elements that lines begin at."""
    return (elements + CX_BLOCK_ALIGNMENT - 1) // CX_BLOCK_ALIGNMENT * CX_BLOCK_ALIGNMENT


cdef double divisor_of_half(axis) except -1:
    """What pairs of neighbours along an axis have as divisor, 0 for all other windows."""
    if not 2 == axis.taps == axis.stride == axis.step + 1 or axis.low:
        return 0
    if 2 * axis.outputs != axis.size:
        return 0
    if axis.divisor is None:
        return 1
    return axis.divisor[0] if (axis.divisor == axis.divisor[0]).all() else 0


cdef bint are_apart(const cx_pool_job *job) noexcept:
    """Whether windows of a plane of two axes have no inputs in common."""
    cdef int64_t axis
    for axis in range(job.axes):
        if job.axes != 2 or job.axis[axis].taps > job.axis[axis].stride:
            return False
    return True


cdef bint are_their_own_adjoint(const cx_pool_job *job) noexcept:
    """Whether inputs are in the windows of just those outputs whose inputs their own window has."""
    cdef const cx_pool_axis *axis
    cdef int64_t index
    for index in range(job.axes):
        axis = job.axis + index
        if axis.stride != 1 or axis.outputs != axis.size or axis.divisor_step:
            return False
        if axis.taps < 1 or 2 * axis.low != (axis.taps - 1) * axis.step:
            return False
    return True


cdef class Pooling:
    """The tables of the windows, copied from plans of each axis."""

    cdef cx_pool_job job
    cdef cx_pool_axis *axes
    cdef int64_t segment_line, unwanted
    cdef list kept
    cdef Pooling adjoint

    def __cinit__(self, str reducer, axes, Pooling adjoint=None):
        cdef cx_pool_axis *axis = NULL
        cdef cx_pool_job *job = &self.job
        cdef int64_t index, extent
        self.axes = <cx_pool_axis *>PyMem_Calloc(len(axes), sizeof(cx_pool_axis))
        if self.axes == NULL:
            raise MemoryError(f"no memory for the windows of {len(axes)} axes")
        self.kept, self.adjoint = [], adjoint
        job.reducer, job.axes, job.axis = REDUCERS[reducer], len(axes), self.axes
        job.plane_size, job.plane_outputs, job.rows, job.window_rows = 1, 1, 1, 1
        for index, one in enumerate(axes):
            axis = self.axes + index
            axis.size, axis.outputs, axis.step = one.size, one.outputs, one.step
            axis.taps, axis.stride, axis.low = one.taps, one.stride, one.low
            axis.longest, axis.tables_stride = one.longest, one.tables_stride
            axis.start = <const int64_t *>self.memory_of(one.start)
            axis.count = <const int64_t *>self.memory_of(one.count)
            if one.divisor is not None:
                axis.divisor = <const double *>self.memory_of(one.divisor)
                axis.divisor_step = one.divisor.size > 1
            job.plane_size *= axis.size
            job.plane_outputs *= axis.outputs
            if index < job.axes - 1:
                job.rows *= axis.outputs
                job.window_rows *= axis.longest
        extent = (axis.outputs - 1) * axis.stride + (axis.taps - 1) * axis.step + 1
        job.line = max(axis.size, axis.outputs)
        if axis.taps:
            job.line = max(job.line + axis.low + 2 * axis.stride, extent) + axis.taps
        job.line += SLACK
        if job.axes > 1:
            axis = self.axes + job.axes - 2  # the one that rows follow one another along
            if axis.taps >= QUEUED_TAPS and axis.step == 1 and 2 * axis.stride <= axis.taps:
                job.queue_rows = axis.longest
        job.piece_rows = max(1, job.rows * PIECE_SIZE // max(1, job.plane_size))
        job.piece_rows = min(job.rows, max(job.piece_rows, 4 * job.queue_rows))
        job.pieces = (job.rows + job.piece_rows - 1) // max(1, job.piece_rows)
        axis = self.axes + job.axes - 1
        if job.axes == 1 and axis.taps and job.plane_outputs > SEGMENT:
            job.segment, job.pieces = SEGMENT, (axis.outputs + SEGMENT - 1) // SEGMENT
            self.segment_line = (SEGMENT + 1) * axis.stride + axis.taps * (axis.step + 1) + SLACK
        if reducer == "sum" and len(axes) == 2:
            job.halves = divisor_of_half(axes[0]) * divisor_of_half(axes[1])
        has_few = axis.step == 1 and (axis.taps, axis.stride) in FEW_TAPS
        if has_few and job.axes > 1 and not job.queue_rows and not job.halves:
            job.block_pitch = rounded_up(axis.low) + rounded_up(max(axis.size, extent - axis.low))
            job.block_rows = min(CX_BLOCK_ROWS, job.rows, BLOCK_SIZE // job.block_pitch)
        if reducer == "sum" and has_few and job.axes > 1:
            self.find_spread_rows(axes)
        if adjoint is not None:
            job.adjoint = &adjoint.job
            job.window_rows = max(job.window_rows, adjoint.job.window_rows)

    cdef int find_spread_rows(self, axes) except -1:
        """How many rows of the gradient go together, if there is a loop for its windows."""
        cdef cx_pool_job *job = &self.job
        cdef const cx_pool_axis *axis = self.axes + job.axes - 1
        cdef int64_t before = axis.taps - 1 - axis.low
        cdef int64_t last = axis.size + axis.low
        if any(one.divisor is not None and one.divisor.size > 1 for one in axes):
            return 0
        if axis.stride < axis.taps and before >= 0:
            if axis.stride == 2:
                before, last = 1, last // 2 + 1
            job.spread_pitch = rounded_up(before) + rounded_up(max(axis.outputs, last))
            job.spread_rows = min(job.rows, BLOCK_SIZE // job.spread_pitch)
        elif axis.stride == axis.taps and not axis.low and axis.outputs * axis.taps <= axis.size:
            job.spread_rows = job.rows
        return 0

    def __dealloc__(self):
        PyMem_Free(self.axes)

    cdef void *memory_of(self, table) except? NULL:
        cdef Buffer buffer = Buffer(table)
        self.kept.append(buffer)
        return buffer.view.buf

    cdef int64_t scratch_bytes(self):
        cdef int64_t size = self.job.axis[self.job.axes - 1].size
        cdef int64_t kept = self.job.queue_rows + 4
        cdef int64_t block = max(self.job.block_rows * self.job.block_pitch,
                                 self.job.spread_rows * self.job.spread_pitch)
        cdef int64_t line = max(self.job.line, block)
        cdef int64_t count = 6 * 8 * line + 24 * (self.job.window_rows + 1) + 16 * kept * size
        return (count + 63) // 64 * 64  # so that lines of every thread begin with one of the cache

    def pool(self, str isa, x, y, indices, int64_t planes, int threads):
        """Compute outputs into ``y``, and where maxima lie into ``indices``; either may be None."""
        cdef cx_pool_job job = self.job
        cdef Sweep sweep = new_sweep(&job, sizeof(job), self)
        if job.segment:
            job.line = self.segment_line
        elif job.block_rows and indices is None:
            job.line = max(job.line, job.block_rows * job.block_pitch)
            if planes * job.plane_size >= LARGE:
                job.block_rows = min(job.block_rows, FEW_ROWS)
                job.asks_ahead = are_apart(&job)
        sweep.reads(&job.x, x)
        sweep.writes(&job.y, y)
        sweep.writes(<void **>&job.indices, indices)
        sweep.run(sweeps_of(isa, x.dtype.char).pool, planes * job.pieces, threads,
                  self.scratch_bytes())
        return sweep

    def sum_gradient(self, str isa, grad, y, int64_t planes, int threads):
        """Compute the gradient of the inputs of sums, from that of the outputs."""
        cdef cx_pool_job job = self.job
        cdef Sweep sweep = new_sweep(&job, sizeof(job), self)
        cdef int64_t line = job.axis[job.axes - 1].size
        if are_their_own_adjoint(&job):
            return self.pool(isa, grad, y, None, planes, threads)
        job.planes = planes
        if not job.halves:
            job.line = max(job.line, job.spread_rows * job.spread_pitch)
        sweep.reads(&job.x, grad)
        sweep.writes(&job.y, y)
        sweep.run(sweeps_of(isa, grad.dtype.char).pool_sum_gradient, planes, threads,
                  self.scratch_bytes() + 8 * job.rows * line)
        return sweep

    def takes_relu(self):
        """Tell whether there is a loop for these windows of what a ReLU leaves."""
        cdef int exponent = 0
        return self.job.halves > 0 and frexp(self.job.halves, &exponent) == 0.5

    def pool_relu(self, str isa, x, grad, y, int64_t planes, int threads):
        """Compute what `takes_relu` tells of, or with ``grad`` the gradient of the inputs."""
        cdef cx_pool_job job = self.job
        cdef Sweep sweep = new_sweep(&job, sizeof(job), self)
        sweep.reads(&job.x, x)
        sweep.reads(&job.grad, grad)
        sweep.writes(&job.y, y)
        sweep.run(sweeps_of(isa, x.dtype.char).pool_relu, planes, threads, self.scratch_bytes())
        return sweep

    def max_gradient(self, str isa, x, grad, y, int64_t planes, int threads):
        """Compute the gradient of the inputs of maxima, whose places are found anew."""
        cdef cx_pool_job job = self.job
        cdef Sweep sweep = new_sweep(&job, sizeof(job), self)
        job.indices, job.planes = &self.unwanted, planes  # keys are wanted
        job.asks_ahead = planes * job.plane_size >= LARGE
        sweep.reads(&job.x, x)
        sweep.reads(&job.grad, grad)
        sweep.writes(&job.y, y)
        sweep.run(sweeps_of(isa, x.dtype.char).pool_max_gradient, planes, threads,
                  self.scratch_bytes())
        return sweep


# Elements of the largest planes whose indices have 32 bits.
cdef int64_t MOST_OF_PLANE = 2 ** 31 - 1


cdef bint are_cells(const cx_pool_job *job):
    """Whether windows cut a plane without rest, and there are loops for them."""
    cdef int64_t index
    for index in range(job.axes):
        if not 1 <= job.axis[index].taps == job.axis[index].stride:
            return False
    return 2 <= job.axis[job.axes - 1].taps <= 4 and job.plane_size <= MOST_OF_PLANE


def scatter(str isa, str how, int64_t least, indices, x, y, int64_t planes, int threads,
            Pooling cells=None):
    """Bring each input to the output of its index in a plane, or the gradient back to it.

    Tells whether all indices are from ``least``, 0 or -1, up to the size of a plane of outputs;
    those that are not are left out. Most indices are those of maxima, each in its input's own one
    of the ``cells`` that a plane of outputs is cut into: such planes go faster.
    """
    cdef cx_scatter_job job
    cdef int64_t wrong = 0, scratch_bytes = 0
    cdef bint back = how == "back"
    cdef Buffer indices_buffer = Buffer(indices)
    cdef Buffer x_buffer = Buffer(x, writable=back), y_buffer = Buffer(y, writable=not back)
    job.how, job.planes, job.plane_size = SCATTERS[how], planes, x.size // planes
    job.plane_outputs, job.least, job.wrong = y.size // planes, least, &wrong
    job.asks_ahead = y.size >= LARGE
    job.indices = <const int64_t *>indices_buffer.view.buf
    job.x, job.y, job.cells = x_buffer.view.buf, y_buffer.view.buf, NULL
    if back:
        scratch_bytes = 8 * job.plane_outputs
    if cells is not None and are_cells(&cells.job):
        job.cells = &cells.job
        scratch_bytes = max(scratch_bytes, cells.scratch_bytes())
    share_out(sweeps_of(isa, x.dtype.char).scatter, &job, planes, threads, scratch_bytes)
    return not wrong
