/* The convolution on AVX-512. */

#if defined __x86_64__ && (defined __GNUC__ || defined __clang__)

#include "avx512.h"

#include "avx512_rows.h"

#define CX_EACH_PRODUCT(X)                                                                        \
    X(1, 1) X(1, 2) X(1, 4) X(1, 8) X(2, 1) X(2, 2) X(2, 4) X(2, 8) X(3, 1) X(3, 2) X(3, 4)       \
    X(3, 6) X(4, 1) X(4, 2) X(4, 4) X(4, 6) X(5, 1) X(5, 2) X(5, 4) X(6, 1) X(6, 2) X(6, 4)       \
    X(7, 1) X(7, 2) X(7, 3) X(8, 1) X(8, 2) X(8, 3) X(9, 1) X(9, 2) X(10, 1) X(10, 2) X(11, 1)    \
    X(11, 2) X(12, 1) X(12, 2) X(13, 1) X(13, 2) X(14, 1) X(14, 2)

#define POSITIONS_ROWS 6
#define POSITIONS_COLUMNS 4
#define CX_EACH_POSITIONS_PRODUCT(X)                                                              \
    X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(2, 1) X(2, 2) X(2, 3) X(2, 4) X(3, 1) X(3, 2) X(3, 3)       \
    X(3, 4) X(4, 1) X(4, 2) X(4, 3) X(4, 4) X(5, 1) X(5, 2) X(5, 3) X(5, 4) X(6, 1) X(6, 2)       \
    X(6, 3) X(6, 4)

#include "every_type.h"
#include "end_isa.h"

#endif
