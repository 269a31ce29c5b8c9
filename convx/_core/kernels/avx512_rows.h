/* The register blocks of AVX-512 with filters, or outputs, as rows and filters as lanes. */

#define ROWS 14
#define CX_EACH_ROW(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#define CX_EACH_FILTER_PRODUCT(X)                                                                 \
    X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1)     \
    X(12, 1) X(13, 1) X(14, 1) X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2)    \
    X(9, 2) X(10, 2) X(11, 2) X(12, 2) X(13, 2) X(14, 2) X(1, 4) X(2, 4) X(3, 4) X(4, 4) X(5, 4)  \
    X(6, 4) X(7, 4)
