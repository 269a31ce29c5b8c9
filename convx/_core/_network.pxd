"""What the compiled modules share of networks: layers described for the kernels."""

from libc.stdint cimport int64_t

from convx._core._networks cimport cx_layer, cx_map, cx_network, cx_networks


cdef class Network:
    cdef readonly tuple shape
    cdef readonly int64_t work, scratch_bytes
    cdef readonly bint transforms
    cdef object dtype
    cdef cx_network table
    cdef cx_layer *layers
    cdef list kept
    cdef int64_t most_items, maps_bytes, space_bytes
    cdef const cx_networks *kernels

    cdef int describe(self, step, cx_layer *layer) except -1
    cdef int describe_map(self, plan, cx_map *to) except -1
    cdef const int64_t *table_of(self, table) except? NULL
    cdef const void *memory(self, array) except? NULL
    cpdef int64_t threads_for(self, int64_t batch, int64_t work_per_thread)
    cdef int share(self, cx_network *table, int64_t batch, int64_t threads) except -1
    cdef void deal(self, cx_network *table, int64_t batch, int64_t threads) noexcept
    cdef int divide(self, cx_network *table, int64_t threads) except -1
