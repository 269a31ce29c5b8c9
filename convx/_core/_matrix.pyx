"""Products of matrices of moderate size: contiguous arrays of one type."""

from libc.stdint cimport int64_t

from convx._core._driver cimport sweeps_of
from convx._core._sweep cimport Sweep, new_sweep
from convx._core._sweeps cimport CX_MATRIX_COLUMNS, cx_matrix_job


cdef int64_t whole(int64_t count, int64_t size) noexcept:
    """Elements of as many of the widest vectors as hold so many."""
    cdef int64_t lanes = 64 // size
    return (count + lanes - 1) // lanes * lanes


cdef bint turns_rows(const cx_matrix_job *job, int64_t size) noexcept:
    """Whether less is turned of a and y than of b, and no more lanes are without a use."""
    cdef int64_t rows = whole(job.rows, size)
    if rows * job.columns > whole(job.columns, size) * job.rows:
        return False
    return job.rows * (job.depth + job.columns) < job.columns * job.depth


cdef Sweep run(cx_matrix_job *job, str isa, a, b, bias, y, bint turns, int threads):
    """Fill in the arrays, and compute."""
    cdef Sweep sweep = new_sweep(job, sizeof(job[0]))
    cdef int64_t size = y.itemsize, together = CX_MATRIX_COLUMNS // size
    cdef int64_t pieces = max(1, (job.columns + (together // 2 if turns else 0)) // together)
    cdef int64_t room = (pieces + 1) * together * job.depth
    job.turned, job.parts, job.room = NULL, 0, 0
    if turns and turns_rows(job, size):
        pieces = job.parts = min(threads, job.columns)
        job.room = whole(job.rows, size) * (job.depth + job.columns)
        room = pieces * job.room
    sweep.reads(&job.a, a)
    sweep.reads(&job.b, b)
    sweep.reads(&job.bias, bias)
    sweep.writes(&job.y, y)
    if turns:
        sweep.needs(<double **>&job.turned, room * size // 8)
    sweep.run(sweeps_of(isa, y.dtype.char).matrix, pieces, threads)
    return sweep


def multiply_turned(str isa, a, b, bias, y, int threads):
    """Compute ``y = a @ b.T + bias``, whose last may be None."""
    cdef cx_matrix_job job
    job.rows, job.depth = a.shape
    job.columns, _ = b.shape
    job.a_row, job.a_step, job.b_step = job.depth, 1, job.depth
    return run(&job, isa, a, b, bias, y, True, threads)


def multiply(str isa, a, b, y, int threads):
    """Compute ``y = a @ b``; rows of b have at least as many elements as a vector."""
    cdef cx_matrix_job job
    job.rows, job.depth = a.shape
    _, job.columns = b.shape
    job.a_row, job.a_step, job.b_step = job.depth, 1, job.columns
    return run(&job, isa, a, b, None, y, False, threads)


def turn_and_multiply(str isa, a, b, y, int threads):
    """Compute ``y = a.T @ b``; rows of b have at least as many elements as a vector."""
    cdef cx_matrix_job job
    job.depth, job.rows = a.shape
    _, job.columns = b.shape
    job.a_row, job.a_step, job.b_step = 1, job.rows, job.columns
    return run(&job, isa, a, b, None, y, False, threads)
