"""Gradients of weights that are summed in maps, where channels are the lanes of vectors."""

cimport cython
from libc.stdint cimport int8_t, int64_t
from libc.string cimport memset

from convx._core._driver cimport Activation, Program, kernels_of
from convx._core._memory cimport Block, Buffer, borrow_scratch, return_scratch
from convx._core._network cimport Network
from convx._core._networks cimport cx_map_gradient, cx_map_tile
from convx._core._parallel cimport share_out


@cython.final
cdef class MapGradientProgram(Program):
    """A planned gradient of weights, of two layers that bring arrays into maps.

    Each part of the batch has sums of its own, which are added up in order.
    """

    cdef Network network
    cdef cx_map_gradient job
    cdef int64_t vectors, sums_bytes

    def __init__(self, plan, isa, Network network, sums, fallback):
        cdef cx_map_gradient *job = &self.job
        cdef int64_t blocks, lanes = network.layers[0].out.lanes
        self.plan, self.isa, self.fallback = plan, isa, fallback
        self.kernels = kernels_of(isa, plan.dtype)
        self.passes, self.out_shape, self.item_size = (), plan.out_shape, plan.item_size
        self.network = network
        memset(job, 0, sizeof(cx_map_gradient))
        job.input, job.outputs = &network.layers[0], &network.layers[1]
        job.maps, job.items = network.table.maps, network.most_items
        job.batch, job.parts = sums.batch, sums.parts
        job.in_, job.out = network.table_of(sums.inputs), network.table_of(sums.outputs)
        job.taps, job.tap = sums.taps, network.table_of(sums.offsets)
        job.places, job.in_row, job.out_row = sums.places, sums.in_row, sums.out_row
        job.asks = sums.asks
        job.tile = <const cx_map_tile *>network.table_of(sums.tiles)
        self.threads = min(plan.threads, sums.parts)
        self.vectors = (job.outputs.out.channels + lanes - 1) // lanes
        blocks = (job.input.out.channels + lanes - 1) // lanes
        self.sums_bytes = sums.parts * self.vectors * blocks * lanes * lanes * sums.taps
        self.sums_bytes *= self.item_size
        self.scratch_bytes = network.maps_bytes
        self.scratch_bytes += network.kernels.gradient_space(job) * self.item_size
        self.scratch_bytes = (self.scratch_bytes + 63) // 64 * 64

    @property
    def workspace_bytes(self):
        """Bytes that a call takes besides its arrays: scratch, and the sums of the parts."""
        return self.all_scratch_bytes() + self.sums_bytes + self.job.parts

    cdef execute(
        self, const void *input, const void *weight, const void *bias, const void *residual,
        Activation activation, packed, out,
    ):
        cdef Buffer out_buffer = Buffer(out, writable=True)
        cdef Block shared = borrow_scratch(self.sums_bytes + self.job.parts)
        cdef cx_map_gradient job = self.job
        cdef int8_t failed = 0
        cdef int64_t part
        cdef Program other
        job.x, job.gradient, job.sums = input, weight, shared.memory
        job.result, job.failed = out_buffer.view.buf, <int8_t *>shared.memory + self.sums_bytes
        memset(job.failed, 0, job.parts)
        share_out(self.network.kernels.sum_gradient, &job, job.parts, self.threads,
                  self.scratch_bytes)
        share_out(self.network.kernels.add_gradients, &job, self.vectors,
                  min(self.threads, self.vectors))
        for part in range(job.parts):
            failed |= job.failed[part]
        return_scratch(shared)
        if failed:
            other = self.fallback()
            return other.execute(input, weight, bias, residual, activation, None, out)
        return out
