"""How far apart processors are, for the other compiled modules."""

cdef int are_apart() except -1
