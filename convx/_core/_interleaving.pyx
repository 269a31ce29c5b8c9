"""Convolutions of batches with some items side by side: brought there, computed, brought back."""

cimport cython
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy, memset

from convx._core._driver cimport Activation, Program, sweeps_of
from convx._core._kernels cimport CX_ADDED, cx_call, cx_pass
from convx._core._memory cimport Block, Buffer, borrow_scratch, held, memory_of, return_scratch
from convx._core._parallel cimport share_out
from convx._core._sweeps cimport CX_INTERLEAVED, cx_interleave_job


@cython.final
cdef class Rows:
    """Where the rows of an item lie in an array, and how far its items are apart."""

    def __cinit__(self, int64_t items, int64_t item, places, int64_t length, int64_t step):
        self.places = Buffer(places)
        self.job.items, self.job.item, self.job.rows = items, item, len(places)
        self.job.length, self.job.step = length, step
        self.job.row = <const int64_t *>self.places.view.buf


cdef int64_t rounded_up(int64_t size, int64_t unit) noexcept nogil:
    return (size + unit - 1) // unit * unit


cdef int64_t lines_bytes(cx_interleave_job job, int64_t item_size) noexcept nogil:
    """Bytes of items side by side, in whole lines of the cache."""
    return rounded_up(job.items * job.rows * job.length * item_size, 64)


cdef void turn(const Parts *parts, cx_interleave_job job, const char *array, int64_t first,
               char *lines, bint separates) noexcept nogil:
    """Bring the items from the first one on side by side, or back."""
    cdef const char *items = array + first * job.item * parts.item_size
    cdef int64_t pieces = rounded_up(job.length, CX_INTERLEAVED) // CX_INTERLEAVED * job.rows
    job.present = min(job.items, parts.batch - first)
    if separates:
        job.source, job.to = lines, <char *>items
        parts.sweeps.separate(&job, 0, pieces, NULL)
    else:
        job.source, job.to = items, lines
        parts.sweeps.interleave(&job, 0, pieces, NULL)


cdef void compute_part(const Parts *parts, const char *input, const char *weight, char *output,
                       char *scratch) noexcept nogil:
    """Run all passes on lines of items."""
    cdef cx_call call = parts.call
    cdef int64_t index, task
    call.input, call.output = input, output
    if parts.gradient:
        call.weight = weight
    for index in range(parts.passes):
        call.packed = parts.packed[index]
        for task in range(parts.tasks[index]):
            parts.task(parts.table[index], &call, task, scratch)


cdef void run_parts(const void *job, int64_t first, int64_t end, char *scratch) noexcept nogil:
    """Compute some parts of the batch one after the other."""
    cdef const Parts *parts = <const Parts *>job
    cdef const cx_call *call = &parts.call
    cdef int64_t part, item
    cdef char *results = scratch + lines_bytes(parts.inputs, parts.item_size)
    cdef char *sums = results + lines_bytes(parts.outputs, parts.item_size)
    cdef int64_t sums_size = parts.weights * parts.item_size if parts.gradient else 0
    cdef char *room = sums + rounded_up(sums_size, 64)
    for part in range(first, end):
        item = part * parts.inputs.items
        turn(parts, parts.inputs, <const char *>call.input, item, scratch, False)
        if parts.gradient:
            turn(parts, parts.outputs, <const char *>call.weight, item, results, False)
            compute_part(parts, scratch, results, sums, room)
            memcpy(<char *>call.output + part * sums_size, sums, sums_size)
        else:
            compute_part(parts, scratch, NULL, results, room)
            turn(parts, parts.outputs, <const char *>call.output, item, results, True)


cdef bint all_finite(const void *numbers, int64_t count, int64_t item_size) noexcept nogil:
    """Whether no exponent has all its bits set."""
    cdef const int32_t *singles = <const int32_t *>numbers
    cdef const int64_t *doubles = <const int64_t *>numbers
    cdef int32_t of_single = 0x7f800000
    cdef int64_t index, of_double = 0x7ff0000000000000
    cdef int found = 0
    if item_size == 4:
        for index in range(count):
            found |= <int>((singles[index] & of_single) == of_single)
    else:
        for index in range(count):
            found |= <int>((doubles[index] & of_double) == of_double)
    return found == 0


@cython.final
cdef class InterleavedProgram(Program):
    """A planned convolution whose passes are those of one item, made of some that lie side by side.

    A thread computes a part of the batch at a time. The sums of a gradient of weights are those of
    each part, which are added up in order. Passes that leave out products with zeros have a
    ``fallback`` for weights that are not finite, which makes another program.
    """

    def __init__(self, plan, inner, isa, passes, int64_t batch, Rows inputs, Rows outputs,
                 fallback):
        Program.__init__(self, inner, isa, passes, fallback)
        self.plan, self.out_shape = plan, plan.out_shape
        self.inputs, self.outputs, self.batch = inputs, outputs, batch
        self.parts = rounded_up(batch, inputs.job.items) // inputs.job.items
        self.threads, self.sweeps = min(plan.threads, self.parts), sweeps_of(isa, plan.dtype)
        self.scratch_bytes += lines_bytes(inputs.job, self.item_size)
        self.scratch_bytes += lines_bytes(outputs.job, self.item_size)
        self.gradient = plan.kind == "weight_gradient"
        self.weights = self.table_of(0).weight_size
        self.most_packed = self.packed_size
        if self.gradient:
            self.scratch_bytes += rounded_up(self.weights * self.item_size, 64)
            self.parts_size = self.parts * self.weights if self.parts > 1 else 0

    @property
    def items_together(self):
        """Items that lie side by side."""
        return self.inputs.job.items

    cdef execute(
        self, const void *input, const void *weight, const void *bias, const void *residual,
        Activation activation, packed, out,
    ):
        cdef Buffer packed_buffer = held(packed), out_buffer = Buffer(out, writable=True)
        cdef bint packs = packed is None and self.packs
        cdef Block shared
        cdef Parts parts
        cdef Program other
        if self.fallback is not None and not all_finite(weight, self.weights, self.item_size):
            other = self.fallback()
            return other.execute(input, weight, bias, residual, activation, None, out)
        shared = borrow_scratch(
            (self.packed_size if packs else self.parts_size) * self.item_size)
        if packs:
            self.pack_all(weight, shared.memory)
        self.describe(&parts, shared.memory if packs else <char *>memory_of(packed_buffer))
        parts.call.input, parts.call.weight, parts.call.bias = input, weight, bias
        parts.call.output = shared.memory if self.parts_size else out_buffer.view.buf
        if residual == NULL:
            parts.call.activation, parts.call.slope = activation.kind, activation.slope
        share_out(run_parts, &parts, self.parts, self.threads, self.scratch_bytes)
        if self.parts_size:
            self.add_parts(shared.memory, out_buffer.view.buf)
        return_scratch(shared)
        if residual != NULL:
            self.finish_all(residual, activation, out_buffer)
        return out

    cdef int describe(self, Parts *parts, const char *packed) except -1:
        """Tell what all parts share but the arrays."""
        cdef int64_t index, start
        parts.sweeps, parts.task, parts.passes = self.sweeps, self.task, len(self.passes)
        for index in range(parts.passes):
            start = self.packed_starts[index]
            parts.table[index], parts.tasks[index] = self.table_of(index), self.tasks[index]
            parts.packed[index] = packed
            if packed != NULL:
                parts.packed[index] += start * self.item_size
        parts.inputs, parts.outputs, parts.batch = self.inputs.job, self.outputs.job, self.batch
        parts.item_size, parts.gradient = self.item_size, self.gradient
        parts.weights = self.weights
        memset(&parts.call, 0, sizeof(cx_call))
        parts.call.steps = parts.table[0].boxes
        return 0

    cdef int pack_all(self, const void *weight, char *packed) except -1:
        """Pack the weights of all passes."""
        cdef Block scratch = borrow_scratch(self.all_scratch_bytes())
        self.pack_into(weight, packed, scratch)
        return_scratch(scratch)
        return 0

    cdef int add_parts(self, const void *parts, void *out) except -1:
        """Add up the sums of the parts."""
        cdef cx_pass table = self.table_of(0)[0]
        cdef cx_call call
        cdef int64_t task
        table.row_parts = self.parts
        memset(&call, 0, sizeof(call))
        call.input, call.output = parts, out
        for task in range(rounded_up(table.weight_size, CX_ADDED) // CX_ADDED):
            self.kernels.add_parts(&table, &call, task, NULL)
        return 0
