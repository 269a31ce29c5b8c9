"""What the compiled modules share of the driver."""

from libc.stdint cimport int64_t

from convx._core._kernels cimport cx_kernels, cx_pass, cx_task
from convx._core._memory cimport Block, Buffer
from convx._core._networks cimport cx_networks
from convx._core._sweeps cimport cx_sweeps


cdef const cx_sweeps *sweeps_of(str isa, str kind) except NULL
cdef const cx_kernels *kernels_of(str isa, str dtype) except NULL
cdef const cx_networks *networks_of(str isa, str dtype) except NULL


cdef class Activation:
    cdef readonly str name
    cdef int64_t kind
    cdef double slope


cdef class Program:
    cdef readonly tuple passes, out_shape
    cdef readonly object plan
    cdef object fallback
    cdef readonly str isa
    cdef readonly int threads
    cdef readonly int64_t scratch_bytes, packed_size, most_packed
    cdef int64_t sums_size, parts_size
    cdef const cx_kernels *kernels
    cdef cx_task task
    cdef list tasks, pack_tasks, packed_starts, slices, steps
    cdef int64_t item_size
    cdef bint packs, clears

    cdef int64_t all_scratch_bytes(self)
    cdef const cx_pass *table_of(self, int64_t index)
    cdef int finish_all(self, const void *residual, Activation activation, Buffer out) except -1
    cdef int pack_into(self, const void *weight, char *packed, Block scratch) except -1
    cdef int pack_pass(
        self, int64_t index, const void *weight, char *packed, Block scratch) except -1
    cdef execute(
        self, const void *input, const void *weight, const void *bias, const void *residual,
        Activation activation, packed, out)
