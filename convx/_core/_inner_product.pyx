"""Products of matrices by Winograd's inner products."""

cimport cython
from libc.stdint cimport int8_t, int64_t
from libc.string cimport memset

from convx._core._driver cimport Activation, Program, kernels_of, networks_of
from convx._core._kernels cimport cx_call
from convx._core._memory cimport Block, Buffer, borrow_scratch, return_scratch
from convx._core._networks cimport (
    cx_inner_product, cx_networks, cx_sequence, cx_sequence_size,
)
from convx._core._parallel cimport clear, share_out


cdef int take(cx_sequence *to, of) except -1:
    """Take over where elements lie."""
    to.items, to.item, to.lines, to.line, to.length, to.step = of
    return 0


def panel_rows(str isa, str dtype):
    """Rows of the left matrix that a panel has at the most."""
    return networks_of(isa, dtype).inner_rows


@cython.final
cdef class InnerProductProgram(Program):
    """A planned product of matrices, which weights and input are, or the outputs' gradient and it.

    Weights are packed before, or piece by piece, as what belongs to a gradient is.
    """

    cdef const cx_networks *networks
    cdef cx_inner_product job
    cdef int64_t pieces, pack_pieces

    def __init__(self, plan, isa, matrices, fallback):
        cdef cx_inner_product *job = &self.job
        cdef int64_t panels, depth_blocks
        self.plan, self.isa, self.threads, self.fallback = plan, isa, plan.threads, fallback
        self.kernels, self.networks = kernels_of(isa, plan.dtype), networks_of(isa, plan.dtype)
        self.passes, self.out_shape, self.item_size = (), plan.out_shape, plan.item_size
        self.packs, self.clears = matrices.packs, not plan.writes_all
        memset(job, 0, sizeof(cx_inner_product))
        job.rows, job.left_row, job.out_row = matrices.rows, matrices.left_row, matrices.out_row
        take(&job.left_depth, matrices.left_depth)
        take(&job.right_depth, matrices.right_depth)
        take(&job.columns, matrices.columns)
        take(&job.out_columns, matrices.out_columns)
        job.depth = cx_sequence_size(&job.right_depth)
        job.depth_block = matrices.depth_block
        job.row_block, job.column_block = matrices.row_block, matrices.column_block
        job.columns_together, job.far = matrices.columns_together, matrices.far
        panels = (job.rows + self.networks.inner_rows - 1) // self.networks.inner_rows
        depth_blocks = (job.depth + job.depth_block - 1) // job.depth_block
        self.pack_pieces = panels * depth_blocks
        self.pieces = (panels + job.row_block - 1) // job.row_block
        self.pieces *= (
            cx_sequence_size(&job.columns) + job.column_block - 1) // job.column_block
        # every block of the depth is rounded up to threes of steps, and has two of them more
        self.packed_size = panels * self.networks.inner_pitch * (job.depth + 4 * depth_blocks)
        self.packed_size *= self.packs
        job.packed = <void *>job if self.packs else NULL
        self.scratch_bytes = self.networks.inner_space_bytes(job)

    @property
    def workspace_bytes(self):
        """Bytes that a call takes besides its arrays: scratch, and packed weights."""
        return self.all_scratch_bytes() + self.packed_size * self.item_size

    cdef int pack_into(self, const void *weight, char *packed, Block scratch) except -1:
        cdef cx_inner_product job = self.job
        job.left, job.packed = weight, packed
        return share_out(self.networks.pack_inner, &job, self.pack_pieces,
                         min(self.threads, self.pack_pieces), self.scratch_bytes)

    cdef execute(
        self, const void *input, const void *weight, const void *bias, const void *residual,
        Activation activation, packed, out,
    ):
        cdef Buffer out_buffer = Buffer(out, writable=True), packed_buffer
        cdef cx_inner_product job = self.job
        cdef Block shared = None
        cdef int8_t failed = 0
        cdef cx_call finish
        cdef Program other
        job.left, job.right, job.out = weight, input, out_buffer.view.buf
        job.bias, job.failed = bias, &failed
        if residual != NULL or activation.name is not None:
            memset(&finish, 0, sizeof(finish))
            finish.residual = residual
            finish.activation, finish.slope = activation.kind, activation.slope
            job.finish, job.finish_line, job.far = &finish, self.kernels.finish, False
        if self.clears and bias == NULL:
            clear(job.out, out_buffer.view.len, self.threads)
        if packed is not None:
            packed_buffer = Buffer(packed)
            job.packed = packed_buffer.view.buf
        elif self.packs:
            shared = borrow_scratch(self.packed_size * self.item_size)
            job.packed = shared.memory
            self.pack_into(weight, shared.memory, shared)
        share_out(self.networks.multiply_inner, &job, self.pieces,
                  min(self.threads, self.pieces), self.scratch_bytes)
        if shared is not None:
            return_scratch(shared)
        if failed:
            other = self.fallback()
            return other.execute(input, weight, bias, residual, activation, None, out)
        return out
