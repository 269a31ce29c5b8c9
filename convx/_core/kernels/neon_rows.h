/* The register blocks of NEON with filters, or outputs, as rows and filters as lanes. */

#define ROWS 8
#define CX_EACH_ROW(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#define CX_EACH_FILTER_PRODUCT(X)                                                                 \
    X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(1, 2) X(2, 2) X(3, 2)       \
    X(4, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2) X(1, 4) X(2, 4) X(3, 4) X(4, 4)
