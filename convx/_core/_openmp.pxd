"""OpenMP, or what stands in for it where the compiler has none."""

cdef extern from *:
    """
    #if defined _OPENMP
    #include <omp.h>
    #define CONVX_OPENMP _OPENMP
    #else
    #define CONVX_OPENMP 0
    #define omp_get_max_threads() 1
    #define omp_get_num_threads() 1
    #define omp_in_parallel() 0
    #endif
    """
    long CONVX_OPENMP
    int omp_get_max_threads() nogil
    int omp_get_num_threads() nogil
    int omp_in_parallel() nogil
