/* The register blocks that fit into 16 vector registers. */

#define ROWS 6
#define CX_EACH_FILTER_PRODUCT(X)                                                                 \
    X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2)       \
    X(6, 2) X(1, 4) X(2, 4) X(3, 4)
#define CX_EACH_ROW(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define CX_EACH_PRODUCT(X)                                                                        \
    X(1, 1) X(1, 2) X(1, 4) X(1, 6) X(2, 1) X(2, 2) X(2, 4) X(3, 1) X(3, 2) X(3, 3) X(4, 1)       \
    X(4, 2) X(4, 3) X(5, 1) X(5, 2) X(6, 1) X(6, 2)
#define POSITIONS_ROWS 3
#define POSITIONS_COLUMNS 4
#define CX_EACH_POSITIONS_PRODUCT(X)                                                              \
    X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(2, 1) X(2, 2) X(2, 3) X(2, 4) X(3, 1) X(3, 2) X(3, 3)       \
    X(3, 4)
