"""How far apart processors are, for the other compiled modules."""

# Threads of which each makes for itself what they would make together for all to read, if
# processors are apart: shared, it takes more than three times as long to write, and has to be
# brought to where it is read. Of more threads each writes so little that sharing pays.
cdef enum:
    MOST_ALONE = 3

cdef bint each_alone(int threads) except -1
