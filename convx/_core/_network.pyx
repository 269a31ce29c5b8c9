"""Networks that predict: planned layers, run one after the other for some items at a time."""

cimport cython
from libc.stdint cimport int8_t, int64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from convx._core._distance cimport MOST_ALONE, each_alone
from convx._core._driver cimport Activation, Program, kernels_of, networks_of
from convx._core._memory cimport Block, Buffer, borrow_scratch, new_result, return_scratch
from convx._core._networks cimport (
    CX_LAYER_INPUT, CX_LAYER_MAX, CX_LAYER_MEAN, CX_LAYER_OUTPUT, CX_LAYER_POINTS,
    CX_LAYER_PRODUCT, CX_LAYER_SINGLE, CX_ROW_TAPS, cx_filters_job, cx_layer, cx_layer_part,
    cx_layer_units, cx_line, cx_map, cx_map_tile, cx_network, cx_networks,
)
from convx._core._parallel cimport (
    Turn, current_threads, cx_sweep, share_in_turn, share_out, share_stages,
)

from numpy import int8, zeros

ROW_TAPS = CX_ROW_TAPS

cdef dict KINDS = {
    "input": CX_LAYER_INPUT, "product": CX_LAYER_PRODUCT, "points": CX_LAYER_POINTS,
    "single": CX_LAYER_SINGLE, "max": CX_LAYER_MAX, "mean": CX_LAYER_MEAN,
    "output": CX_LAYER_OUTPUT,
}


# An item that is alone is divided if there is so many times as much work for each thread as would
# pay otherwise: threads wait for one another after every layer, and read what others computed.
cdef enum:
    DIVIDED = 2


cdef bint any_set(const int8_t *flags, int64_t count) noexcept:
    """Whether one of some flags is set; there may be none."""
    cdef int64_t index
    if flags != NULL:
        for index in range(count):
            if flags[index]:
                return True
    return False


# Items that go through the layers together, of each of which every thread computes a part.
cdef struct Divided:
    const cx_networks *kernels
    const cx_network *table
    const int64_t *parts  # of each layer
    char *maps


cdef void run_part(const void *job, int64_t layer, int64_t part, char *space) noexcept nogil:
    """Compute a part of a layer."""
    cdef const Divided *divided = <const Divided *>job
    cdef cx_layer_part of_layer
    of_layer.first, of_layer.items = 0, divided.table.batch
    of_layer.part, of_layer.parts = part, divided.parts[layer]
    divided.kernels.run_layer(divided.table, layer, &of_layer, divided.maps, space)


@cython.final
cdef class Network:
    """Layers that are planned for items of one shape, for batches of any number."""

    def __cinit__(self, isa, dtype, list steps, tuple shape, int64_t maps_size,
                  int64_t most_items, int64_t work):
        cdef int64_t index
        self.dtype, self.shape, self.work = dtype, shape, work
        self.most_items, self.kept = most_items, []
        self.kernels = networks_of(isa, dtype.name)
        self.layers = <cx_layer *>calloc(len(steps), sizeof(cx_layer))
        if self.layers == NULL:
            raise MemoryError("no memory for the layers of a network")
        for index, step in enumerate(steps):
            self.describe(step, &self.layers[index])
            self.transforms = self.transforms or step.kind == "points"
        memset(&self.table, 0, sizeof(self.table))
        self.table.layers, self.table.layer = len(steps), self.layers
        self.table.maps = maps_size
        self.maps_bytes = maps_size * dtype.itemsize
        self.space_bytes = (self.kernels.space(&self.table) * dtype.itemsize + 63) // 64 * 64
        self.scratch_bytes = (self.maps_bytes + self.space_bytes + 63) // 64 * 64

    def __dealloc__(self):
        free(self.layers)

    cdef int describe(self, step, cx_layer *layer) except -1:
        cdef Activation activation = step.activation
        layer.kind = KINDS[step.kind]
        self.describe_map(step.source, &layer.in_)
        self.describe_map(step.target, &layer.out)
        layer.has_residual = step.added is not None
        if layer.has_residual:
            self.describe_map(step.added, &layer.residual)
            layer.residual_step = step.added.lanes
            layer.residual_row = step.added.pitches[0]
        layer.activation, layer.slope = activation.kind, activation.slope
        layer.steps, layer.offset = len(step.offsets), self.table_of(step.offsets)
        layer.row_taps = step.row_taps
        layer.weights, layer.bias = self.memory(step.weights), self.memory(step.bias)
        layer.vectors, layer.merged = step.vectors, step.merged
        layer.lines, layer.length = len(step.lines), step.length
        layer.line = <const cx_line *>self.table_of(step.lines)
        layer.in_step, layer.out_step = step.in_step, step.out_step or step.target.lanes
        layer.first = self.table_of(step.first)
        layer.factor = <const double *>self.memory(step.factors)
        layer.tiles_together = step.tiles_together
        if step.tiles is not None:
            layer.tiles = len(step.tiles)
            layer.tile = <const cx_map_tile *>self.table_of(step.tiles)
            layer.in_row, layer.out_row = step.source.pitches[0], step.target.pitches[0]
        layer.array_item, layer.array_channel = step.array_item, step.array_channel
        layer.array_step, layer.array_plane = step.array_step, step.array_plane
        return 0

    cdef int describe_map(self, plan, cx_map *to) except -1:
        to.start, to.channels, to.lanes = plan.start, plan.channels, plan.lanes
        to.block, to.item = plan.block, plan.plane
        gaps = plan.gaps()
        to.gaps, to.gap = len(gaps), self.table_of(gaps)
        return 0

    cdef const int64_t *table_of(self, table) except? NULL:
        return <const int64_t *>self.memory(table)

    cdef const void *memory(self, array) except? NULL:
        """Where an array lies, which is kept."""
        cdef Buffer buffer
        if array is None:
            return NULL
        buffer = Buffer(array)
        self.kept.append(buffer)
        return buffer.view.buf

    cpdef int64_t threads_for(self, int64_t batch, int64_t work_per_thread):
        """Threads that so many items are shared out among, or that each item is if it is alone."""
        cdef int64_t most = self.work * batch // work_per_thread
        if batch == 1:
            most //= DIVIDED
        else:
            most = min(batch, most)
        return max(1, min(current_threads(), most))

    def run(self, x, int64_t work_per_thread):
        """Return the results of a contiguous batch, and which items need to be computed directly.

        Those are told by an array of flags, or None if there are none at all.
        """
        cdef int64_t batch = len(x)
        cdef cx_network table = self.table
        cdef Buffer input_buffer = Buffer(x), output_buffer, failed_buffer
        y = new_result((batch, *self.shape), self.dtype)
        output_buffer = Buffer(y, writable=True)
        failed = None
        if self.transforms:
            failed = zeros(batch, int8)
            failed_buffer = Buffer(failed, writable=True)
            table.failed = <int8_t *>failed_buffer.view.buf
        table.input, table.output = input_buffer.view.buf, output_buffer.view.buf
        self.share(&table, batch, self.threads_for(batch, work_per_thread))
        return y, failed if any_set(table.failed, batch) else None

    cdef int share(self, cx_network *table, int64_t batch, int64_t threads) except -1:
        """Let so many items go through the layers."""
        self.deal(table, batch, threads)
        if batch < threads:
            return self.divide(table, threads)
        return share_out(self.kernels.run, table, table.pieces, threads, self.scratch_bytes)

    cdef void deal(self, cx_network *table, int64_t batch, int64_t threads) noexcept:
        """Cut a batch into pieces for so many threads."""
        cdef int64_t pieces = (batch + self.most_items - 1) // self.most_items
        table.batch, table.pieces = batch, min(batch, (pieces + threads - 1) // threads * threads)

    cdef int divide(self, cx_network *table, int64_t threads) except -1:
        """Let fewer items than threads go through the layers, each of which is divided."""
        cdef Block block = borrow_scratch(
            self.maps_bytes + table.layers * <int64_t>sizeof(int64_t))
        cdef int64_t *parts = <int64_t *>(block.memory + self.maps_bytes)
        cdef Divided divided
        cdef int64_t index
        for index in range(table.layers):
            parts[index] = min(threads, cx_layer_units(&table.layer[index], table.batch))
        divided.kernels, divided.table, divided.parts = self.kernels, table, parts
        divided.maps = block.memory
        share_stages(run_part, &divided, parts, table.layers, threads, self.space_bytes)
        return_scratch(block)
        return 0


# The most layers of a convolution: input, output, and one for each phase that strides of 2 make.
cdef enum:
    MOST_LAYERS = 6


@cython.final
cdef class MapProgram(Program):
    """A planned convolution that is computed as a network, whose weights come with each call.

    It runs as other programs do, and has their fallback. What may follow the sums is an activation,
    as in any layer; with a residual the finished outputs are gone over once more.
    """

    cdef Network network
    cdef cx_filters_job jobs[MOST_LAYERS]
    cdef int64_t starts[MOST_LAYERS]
    cdef int64_t weight_bytes, bias_bytes, lanes, last

    def __init__(self, plan, isa, Network network, list weights, fallback):
        cdef int64_t index
        self.plan, self.isa, self.threads, self.fallback = plan, isa, plan.threads, fallback
        self.kernels = kernels_of(isa, plan.dtype)
        self.passes, self.out_shape, self.item_size = (), plan.out_shape, plan.item_size
        self.packs, self.network = True, network
        self.lanes, self.last = network.layers[0].out.lanes, len(weights) + 1
        self.packed_size = 0
        for index, one in enumerate(weights, 1):
            self.describe(one, index)
        self.weight_bytes = self.packed_size * self.item_size
        self.scratch_bytes = network.scratch_bytes

    cdef int describe(self, weights, int64_t index) except -1:
        """Take over where the weights of a layer come from."""
        cdef cx_filters_job *job = &self.jobs[index]
        filters = (weights.filters + self.lanes - 1) // self.lanes * self.lanes
        job.filters, job.channels, job.taps = weights.filters, weights.channels, weights.taps
        job.filter_step, job.channel_step = weights.filter_step, weights.channel_step
        job.place = self.network.table_of(weights.places)
        job.vectors = self.network.layers[index].vectors
        self.starts[index] = self.packed_size * self.item_size
        self.packed_size += weights.values * filters * weights.channels
        self.bias_bytes = filters * self.item_size
        return 0

    @property
    def workspace_bytes(self):
        """Bytes that a call takes besides its arrays: scratch, packed weights, flags of items."""
        cdef bint may_be_alone = self.threads <= min(MOST_ALONE, <int64_t>self.out_shape[0])
        return self.all_scratch_bytes() + self.shared_bytes(self.threads if may_be_alone else 1)

    cdef int64_t shared_bytes(self, int64_t copies):
        """Bytes of packed weights, biases and flags of items."""
        return copies * self.weight_bytes + self.bias_bytes + <int64_t>self.out_shape[0]

    cdef cx_sweep packing(self) noexcept:
        cdef const cx_networks *kernels = self.network.kernels
        return kernels.pack_points if self.network.transforms else kernels.pack_filters

    cdef int64_t filter_vectors(self, int64_t index) noexcept:
        """What weights of a layer are packed piece by piece."""
        return (self.jobs[index].filters + self.lanes - 1) // self.lanes

    cdef cx_filters_job job_of(self, int64_t index, const void *weight, char *packed) noexcept:
        cdef cx_filters_job job = self.jobs[index]
        job.weights, job.packed = weight, packed + self.starts[index]
        return job

    cdef int pack_into(self, const void *weight, char *packed, Block scratch) except -1:
        cdef cx_filters_job job
        cdef int64_t index
        for index in range(1, self.last):
            job = self.job_of(index, weight, packed)
            share_out(self.packing(), &job, self.filter_vectors(index), self.threads)
        return 0

    cdef int run_alone(self, const void *weight, char *packed, cx_network *table) except -1:
        """Let items go through the layers; each thread packs all weights for itself."""
        cdef cx_network tables[MOST_ALONE]
        cdef cx_layer layers[MOST_ALONE][MOST_LAYERS]
        cdef cx_filters_job jobs[MOST_LAYERS][MOST_ALONE]
        cdef Turn turns[MOST_LAYERS]
        cdef int64_t index, copy
        cdef char *own
        self.network.deal(table, self.out_shape[0], self.threads)
        for copy in range(self.threads):
            own = packed + copy * self.weight_bytes
            tables[copy] = table[0]
            tables[copy].layer = layers[copy]
            memcpy(layers[copy], table.layer, (self.last + 1) * sizeof(cx_layer))
            for index in range(1, self.last):
                layers[copy][index].weights = own + self.starts[index]
                jobs[index][copy] = self.job_of(index, weight, own)
        for index in range(1, self.last):
            turns[index - 1] = Turn(self.packing(), &jobs[index][0], sizeof(cx_filters_job),
                                    self.filter_vectors(index), True)
        turns[self.last - 1] = Turn(self.network.kernels.run, &tables[0], sizeof(cx_network),
                                    table.pieces, False)
        return share_in_turn(turns, self.last, self.threads, self.network.scratch_bytes)

    cdef execute(
        self, const void *input, const void *weight, const void *bias, const void *residual,
        Activation activation, packed, out,
    ):
        cdef Buffer out_buffer = Buffer(out, writable=True), packed_buffer
        cdef int64_t batch = self.out_shape[0], index
        cdef bint alone = packed is None and batch >= self.threads and each_alone(self.threads)
        cdef int64_t copies = self.threads if alone else 1
        cdef Block shared = borrow_scratch(self.shared_bytes(copies))
        cdef char *weights = shared.memory
        cdef char *filters = shared.memory + copies * self.weight_bytes
        cdef cx_layer layers[MOST_LAYERS]
        cdef cx_network table = self.network.table
        cdef bint failed
        cdef Program other
        if packed is not None:
            packed_buffer = Buffer(packed)
            weights = <char *>packed_buffer.view.buf
        elif not alone:
            self.pack_into(weight, weights, shared)
        memset(filters, 0, self.bias_bytes + batch)
        if bias != NULL:
            memcpy(filters, bias, self.jobs[1].filters * self.item_size)
        memcpy(layers, self.network.layers, (self.last + 1) * sizeof(cx_layer))
        for index in range(1, self.last):
            layers[index].weights, layers[index].bias = weights + self.starts[index], filters
            if residual == NULL:
                layers[index].activation = activation.kind
                layers[index].slope = activation.slope
        table.layer, table.failed = layers, <int8_t *>(filters + self.bias_bytes)
        table.input, table.output = input, out_buffer.view.buf
        if alone:
            self.run_alone(weight, weights, &table)
        else:
            self.network.share(&table, batch, min(self.threads, batch))
        failed = any_set(table.failed, batch)
        return_scratch(shared)
        if failed:
            other = self.fallback()
            return other.execute(input, weight, bias, residual, activation, None, out)
        if residual != NULL:
            self.finish_all(residual, activation, out_buffer)
        return out
