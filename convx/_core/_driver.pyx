"""Programs: planned convolutions that run without the GIL and cannot fail while they do.

Arrays are taken through the buffer protocol, because one driver serves every rank and every
element type; typed memoryviews hold the tables of the plan. All sizes are checked before.
"""

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int64_t
from libc.string cimport memset

from convx._core._memory cimport Block, Buffer, borrow_scratch, return_scratch
from convx._core._networks cimport CX_NETWORK_F32, CX_NETWORK_F64, cx_networks, cx_networks_of
from convx._core._openmp cimport CONVX_OPENMP
from convx._core._parallel cimport Queue, clear, note_region, share_at_once
from convx._core._sweeps cimport (
    CX_SWEEP_F32, CX_SWEEP_F64, CX_SWEEP_I64, CX_SWEEP_U8, cx_sweeps, cx_sweeps_of,
)
from convx._core._kernels cimport (
    CX_ADDED, CX_F32, CX_F64, CX_FORWARD, CX_HARDSWISH, CX_IDENTITY, CX_LEAKY_RELU, CX_MAX_RANK,
    CX_RELU, CX_RELU6, CX_SIGMOID, CX_SILU, CX_SLIDE_ROWS, CX_TANH, CX_U32, CX_U64,
    CX_WEIGHT_GRADIENT, cx_adds_beside, cx_axis, cx_call, cx_halves_pay, cx_isa, cx_kernels,
    cx_kernels_of, cx_l2_bytes, cx_pass, cx_task,
)

from numpy import empty


cdef extern from *:
    """
    #if defined __clang__
    #define CONVX_COMPILER "clang " __clang_version__
    #else
    #define CONVX_COMPILER "gcc " __VERSION__
    #endif
    """
    const char *CONVX_COMPILER
    const char *CONVX_COMPILER_FLAGS
    const char *CONVX_CYTHON_VERSION


build = {
    "compiler": CONVX_COMPILER.decode().strip(),
    "flags": CONVX_COMPILER_FLAGS.decode(),
    "cython": CONVX_CYTHON_VERSION.decode(),
    "openmp": CONVX_OPENMP,
}

SLIDE_ROWS = CX_SLIDE_ROWS

cdef dict KERNELS = {"float32": CX_F32, "float64": CX_F64, "uint32": CX_U32, "uint64": CX_U64}
# By character too: a dtype's own name takes longer to find than a small array takes to sweep over.
cdef dict SWEEPS = {
    "float32": CX_SWEEP_F32, "float64": CX_SWEEP_F64, "int64": CX_SWEEP_I64, "uint8": CX_SWEEP_U8,
    "f": CX_SWEEP_F32, "d": CX_SWEEP_F64, "l": CX_SWEEP_I64, "q": CX_SWEEP_I64, "B": CX_SWEEP_U8,
}


activations = {
    "relu": CX_RELU, "relu6": CX_RELU6, "silu": CX_SILU, "hardswish": CX_HARDSWISH,
    "leaky_relu": CX_LEAKY_RELU, "sigmoid": CX_SIGMOID, "tanh": CX_TANH,
}


cdef class Activation:
    """What outputs go through at last: nothing if it has no name."""

    def __init__(self, name=None, double slope=0):
        self.name, self.slope = name, slope
        self.kind = CX_IDENTITY if name is None else activations[name]


def instruction_sets():
    """Names of the instruction sets that the build has and the machine runs, the best first."""
    cdef int index = 0
    found = []
    while cx_isa(index) != NULL:
        found.append(cx_isa(index).decode())
        index += 1
    return found


cdef const cx_sweeps *sweeps_of(str isa, str kind) except NULL:
    """The sweeps of an instruction set for an element type, told by its name or character."""
    return cx_sweeps_of(isa.encode(), SWEEPS[kind])


cdef const cx_kernels *kernels_of(str isa, str dtype) except NULL:
    """The convolutions of an instruction set for an element type."""
    return cx_kernels_of(isa.encode(), KERNELS[dtype])


cdef const cx_networks *networks_of(str isa, str dtype) except NULL:
    """What runs networks on an instruction set, for float32 or float64."""
    return cx_networks_of(isa.encode(), CX_NETWORK_F32 if dtype == "float32" else CX_NETWORK_F64)


def processor():
    """Bytes of a core's L2 cache, or 0 if they are not told, and whether additions are free."""
    return max(0, cx_l2_bytes()), bool(cx_adds_beside())


def register_block(isa, dtype):
    """Lanes of a vector, columns of the narrowest panel, filters of the largest register block.

    The narrowest panel is half a vector only where that takes half the time.
    """
    cdef const cx_kernels *kernels = cx_kernels_of(isa.encode(), KERNELS[dtype])
    narrowest = kernels.narrowest if cx_halves_pay() else kernels.lanes
    return kernels.lanes, narrowest, kernels.rows


@cython.final
cdef class Pass:
    """The tables of one pass, copied from a plan."""

    cdef cx_pass table
    cdef cx_axis axes[CX_MAX_RANK]
    cdef int64_t packed_size
    cdef list kept

    def __init__(self, plan):
        cdef cx_axis *axis
        cdef int64_t index
        self.kept, self.packed_size = [], plan.packed_size
        memset(&self.table, 0, sizeof(self.table))
        self.table.rank = len(plan.axes)
        self.table.axes = self.axes
        for index, spec in enumerate(plan.axes):
            axis = &self.axes[index]
            axis.outputs, axis.phases = spec.outputs, spec.phases
            axis.block, axis.blocks = spec.block, spec.blocks
            axis.out_stride = spec.out_stride
            axis.in_size, axis.in_stride = spec.in_size, spec.in_stride
            axis.stride, axis.step = spec.stride, spec.step
            axis.position_stride = spec.position_stride
            axis.strands, axis.tile_length = len(spec.strand_start), spec.tile_length
            axis.strand_start = self.keep(spec.strand_start)
            axis.strand_length = self.keep(spec.strand_length)
            axis.tile, axis.points, axis.pair_outputs = spec.tile, spec.points, spec.pair_outputs
            if spec.roots is not None:
                axis.roots = self.keep_roots(spec.roots)
            axis.halo, axis.halo_low, axis.halo_length = NULL, 0, 0
            if spec.halo is not None:
                axis.halo = self.keep(spec.halo)
                axis.halo_low, axis.halo_length = spec.halo_low, len(spec.halo)
        self.table.batch, self.table.groups = plan.batch, plan.groups
        self.table.channels, self.table.filters = plan.channels, plan.filters
        self.table.in_batch, self.table.in_channel = plan.in_batch, plan.in_channel
        self.table.out_batch, self.table.out_channel = plan.out_batch, plan.out_channel
        self.table.out_origin = plan.out_origin
        self.table.weight_filter = plan.weight_filter
        self.table.weight_channel = plan.weight_channel
        self.table.weight_group, self.table.weight_size = plan.weight_group, plan.weight_size
        self.table.kernel_taps, self.table.taps = plan.kernel_taps, len(plan.tap_offset)
        self.table.tap_offset = self.keep(plan.tap_offset)
        self.table.tap_weight = self.keep(plan.tap_weight)
        self.table.taps_in_order = plan.taps_in_order
        self.table.boxes, self.table.items = plan.boxes, plan.items
        self.table.boxes_together = plan.boxes_together
        self.table.task_groups, self.table.filter_parts = plan.task_groups, plan.filter_parts
        self.table.row_parts = plan.row_parts
        self.table.channel_block, self.table.tap_block = plan.channel_block, plan.tap_block
        self.table.tile_size, self.table.tile_rows = plan.tile_size, plan.tile_rows
        self.table.positions, self.table.narrowest = plan.positions, plan.narrowest
        self.table.in_place, self.table.strided = plan.in_place, plan.strided
        self.table.slide_rows, self.table.slide_columns = plan.slide_rows, plan.slide_columns
        self.table.gathered, self.table.flat = plan.gathered, plan.flat
        self.table.far = plan.far
        self.table.lanes, self.table.interleaved = plan.lanes, plan.interleaved
        self.table.position_lanes = plan.position_lanes
        self.table.filter_vectors = plan.filter_vectors
        if plan.parts is not None:
            self.table.parts = len(plan.parts) // (3 + self.table.rank)
            self.table.part = self.keep(plan.parts)
        if plan.tiling.algorithm == "winograd":
            self.table.winograd_axes = plan.tiling.axes
            self.table.winograd_tile = plan.tiling.tiles[0]
            self.table.winograd_taps = plan.tiling.taps[0]
            self.table.winograd_stride, self.table.in_passing = plan.tiling.stride, plan.in_passing
        elif plan.tiling.algorithm == "fft":
            self.table.fft_axes = plan.tiling.axes
        self.table.sum_blocks, self.table.point_size = plan.sum_blocks, plan.point_size

    cdef const int64_t *keep(self, const int64_t[::1] table) except? NULL:
        self.kept.append(table)
        return &table[0] if table.shape[0] else NULL

    cdef const double *keep_roots(self, const double[::1] roots) except NULL:
        self.kept.append(roots)
        return &roots[0]

    def scratch_bytes(self, isa, dtype, bint weight_gradient=False):
        """Bytes of scratch memory that one thread needs."""
        cdef const cx_kernels *kernels = cx_kernels_of(isa.encode(), KERNELS[dtype])
        return kernels.scratch_bytes(
            &self.table, CX_WEIGHT_GRADIENT if weight_gradient else CX_FORWARD)


cdef int64_t pieces(int64_t total, int64_t piece) noexcept nogil:
    return (total + piece - 1) // piece


cdef struct Tasks:
    cx_task task
    const cx_pass *table
    const cx_call *call
    int64_t first


cdef void run_some(const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil:
    """Run some of the tasks, one after the other."""
    cdef const Tasks *tasks = <const Tasks *>job
    cdef int64_t index
    for index in range(tasks.first + first, tasks.first + end):
        tasks.task(tasks.table, tasks.call, index, scratch)


cdef void run_tasks(cx_task task, const cx_pass *table, const cx_call *call, int64_t first,
                    int64_t end, int threads, char *scratch, int64_t scratch_bytes) noexcept nogil:
    """Run the tasks first … end - 1; each writes outputs of its own."""
    cdef Tasks tasks
    tasks.task, tasks.table, tasks.call, tasks.first = task, table, call, first
    if threads == 1:
        run_some(&tasks, 0, end - first, scratch)
    else:  # queues stand behind the threads' scratch memory
        share_at_once(run_some, &tasks, end - first, threads,
                      <Queue *>(scratch + threads * scratch_bytes), scratch, scratch_bytes)


# Between slices of about this many multiply-adds for each thread, Ctrl-C is noticed.
cdef int64_t SLICE = 10 ** 9


cdef class Program:
    """A plan's passes over the same arrays, ready to run.

    An algorithm that spreads what is not finite has a ``fallback``: it returns the program that
    computes such a call once more.
    """

    def __init__(self, plan, isa, passes, fallback=None):
        cdef Pass one
        cdef int64_t tasks, sums
        gradient = plan.kind == "weight_gradient"
        self.kernels = kernels_of(isa, plan.dtype)
        self.task = self.kernels.weight_gradient if gradient else self.kernels.forward
        self.plan, self.isa, self.threads = plan, isa, plan.threads
        self.fallback = fallback
        self.passes, self.out_shape = tuple(passes), plan.out_shape
        self.item_size, self.packs = plan.item_size, plan.packs
        self.clears = not plan.writes_all
        self.scratch_bytes = 64
        self.packed_size = self.most_packed = self.sums_size = self.parts_size = 0
        self.tasks, self.pack_tasks, self.packed_starts = [], [], []
        self.slices, self.steps = [], []
        slices = 1 + plan.work // (self.threads * SLICE)
        for one in self.passes:
            self.scratch_bytes = max(
                self.scratch_bytes, one.scratch_bytes(isa, plan.dtype, gradient))
            self.packed_starts.append(self.packed_size)
            self.packed_size += one.packed_size
            self.most_packed = max(self.most_packed, one.packed_size)
            self.pack_tasks.append(self.kernels.pack_tasks(&one.table) if one.packed_size else 0)
            tasks = pieces(one.table.groups, one.table.task_groups) * one.table.filter_parts
            if gradient:
                # few tasks, of many boxes: it is these that are sliced
                tasks *= one.table.row_parts
                tasks *= pieces(one.table.channels, one.table.channel_block)
                steps = pieces(one.table.batch * one.table.boxes, one.table.boxes_together)
                steps = pieces(steps, one.table.row_parts)
                self.slices.append(tasks)
                sums = tasks * self.kernels.sums_size(&one.table)
                self.sums_size = max(self.sums_size, sums)
                if one.table.row_parts > 1:
                    self.parts_size = one.table.row_parts * one.table.weight_size
            else:
                tasks *= pieces(one.table.batch, one.table.items)
                tasks *= pieces(one.table.boxes, one.table.boxes_together)
                steps = 1
                self.slices.append(max(self.threads, tasks // slices))
            self.tasks.append(tasks)
            self.steps.append((steps, max(1, steps // slices)))

    @property
    def workspace_bytes(self):
        """Bytes that a call takes besides its arrays: scratch, packed weights or partial sums."""
        shared = self.most_packed if self.packs else self.sums_size + self.parts_size
        return self.all_scratch_bytes() + shared * self.item_size

    cdef const cx_pass *table_of(self, int64_t index):
        """The table of a pass."""
        cdef Pass one = self.passes[index]
        return &one.table

    cdef int64_t all_scratch_bytes(self):
        """Scratch memory of all threads, and their queues."""
        return self.threads * (self.scratch_bytes + <int64_t>sizeof(Queue))

    def pack(self, weight):
        """Return the packed weights, for calls to come."""
        cdef Buffer buffer = Buffer(weight)
        packed = empty(self.packed_size * self.item_size, "u1")
        cdef Buffer to = Buffer(packed, writable=True)
        self.pack_into(
            buffer.view.buf, <char *>to.view.buf,
            borrow_scratch(self.all_scratch_bytes()))
        return packed

    cdef int pack_into(self, const void *weight, char *packed, Block scratch) except -1:
        """Pack the weights of all passes, one after the other."""
        cdef int64_t index, start
        for index in range(len(self.passes)):
            start = self.packed_starts[index]
            self.pack_pass(index, weight, packed + start * self.item_size, scratch)
        return 0

    cdef int pack_pass(
        self, int64_t index, const void *weight, char *packed, Block scratch,
    ) except -1:
        """Pack the weights of one pass."""
        cdef cx_call call
        cdef Pass one = self.passes[index]
        cdef int64_t count = self.pack_tasks[index]
        memset(&call, 0, sizeof(call))
        call.weight, call.output = weight, packed
        with nogil:
            run_tasks(self.kernels.pack, &one.table, &call, 0, count,
                      <int>max(1, min(count, self.threads)), scratch.memory, self.scratch_bytes)
        return 0

    def run(self, input, weight, bias, residual, Activation activation, packed, out):
        """Compute into ``out``; weights packed beforehand are used where they are given.

        What no sum is written to becomes zero; with a bias it has been filled before. The arrays
        are of the program's element type, aligned, and laid out as planned.
        """
        cdef Buffer residual_buffer = None if residual is None else Buffer(residual)
        cdef Buffer input_buffer = Buffer(input)
        cdef Buffer weight_buffer = Buffer(weight)
        cdef Buffer bias_buffer = None if bias is None else Buffer(bias)
        return self.execute(
            input_buffer.view.buf, weight_buffer.view.buf,
            NULL if bias is None else bias_buffer.view.buf,
            NULL if residual is None else residual_buffer.view.buf, activation, packed, out)

    def finish(self, residual, Activation activation, out):
        """Add the residual to ``out`` and activate it, where there are no sums to compute."""
        cdef Buffer residual_buffer = None if residual is None else Buffer(residual)
        self.finish_all(NULL if residual is None else residual_buffer.view.buf, activation,
                        Buffer(out, writable=True))

    cdef int finish_all(
        self, const void *residual, Activation activation, Buffer out,
    ) except -1:
        """Add the residual to all outputs and activate them."""
        cdef cx_call call
        memset(&call, 0, sizeof(call))
        call.residual = residual
        call.activation, call.slope = activation.kind, activation.slope
        call.output = out.view.buf
        self.kernels.finish(&call, out.view.len // self.item_size)
        return 0

    cdef execute(
        self, const void *input, const void *weight, const void *bias, const void *residual,
        Activation activation, packed, out,
    ):
        cdef Buffer out_buffer = Buffer(out, writable=True)
        cdef Buffer packed_buffer = None
        cdef const char *packed_weights = NULL
        cdef bint packs = packed is None and self.packs
        cdef int64_t scratch_bytes = self.all_scratch_bytes(), overflow = 0
        cdef cx_call call
        cdef Pass one
        cdef int64_t index, first, end, count, start, slice_, step, steps
        cdef Program other
        cdef Block scratch
        if packed is not None:
            packed_buffer = Buffer(packed)
            packed_weights = <const char *>packed_buffer.view.buf
            scratch = borrow_scratch(scratch_bytes)
        elif packs:
            scratch = borrow_scratch(scratch_bytes + self.most_packed * self.item_size)
        else:
            scratch = borrow_scratch(
                scratch_bytes + (self.sums_size + self.parts_size) * self.item_size)
        note_region(self.threads)
        if self.clears and bias == NULL:
            clear(out_buffer.view.buf, out_buffer.view.len, self.threads)
        call.input, call.weight, call.bias, call.packed = input, weight, bias, NULL
        call.output, call.overflow = out_buffer.view.buf, &overflow
        call.sums = scratch.memory + scratch_bytes
        if self.parts_size:
            call.output = <char *>call.sums + self.sums_size * self.item_size
        call.residual, call.activation, call.slope = residual, activation.kind, activation.slope
        for index in range(len(self.passes)):
            one = self.passes[index]
            count, slice_, start = self.tasks[index], self.slices[index], self.packed_starts[index]
            if packs:  # right before they are read, each pass's in the place of the last one's
                self.pack_pass(index, weight, scratch.memory + scratch_bytes, scratch)
                call.packed = scratch.memory + scratch_bytes
            elif packed_weights != NULL:
                call.packed = packed_weights + start * self.item_size
            steps, call.steps = self.steps[index]
            step = 0
            while step < steps:  # a range would be an object with numbers that are objects
                call.first_step = step
                step += call.steps
                first = 0
                while first < count:
                    end = min(first + slice_, count)
                    with nogil:
                        run_tasks(self.task, &one.table, &call, first, end, self.threads,
                                  scratch.memory, self.scratch_bytes)
                    first = end
                    if end < count or step < steps:
                        PyErr_CheckSignals()
        if self.parts_size:  # of the one pass that there is
            call.input, call.output = call.output, out_buffer.view.buf
            with nogil:
                run_tasks(self.kernels.add_parts, &one.table, &call, 0,
                          pieces(one.table.weight_size, CX_ADDED), self.threads, scratch.memory,
                          self.scratch_bytes)
        return_scratch(scratch)
        if overflow:
            other = self.fallback()
            return other.execute(input, weight, bias, residual, activation, None, out)
        return out
