/* The jobs of filters, which are sweeps: see sweeps.h. */

#ifndef CONVX_FILTER_JOBS_H
#define CONVX_FILTER_JOBS_H

#include <stdint.h>

/* Filters along up to three axes at once, of arrays [outer][plane][row][line][inner]: first along the
   planes, then along the rows, then along the line, each by taps `dilation` apart. A piece is a band
   of some rows of a plane, or a segment of them. Coordinates of an axis begin with its first tap's:
   output o takes the coordinates o + t * dilation, and `sources` tells which sample stands at each of
   them, -1 the constant; of the line, at those that are not inside it alone. */
enum { CX_FILTER_KEEP, CX_FILTER_WEIGHTS, CX_FILTER_MEAN, CX_FILTER_MAX, CX_FILTER_MIN };
enum { CX_FILTER_LEVELS = 16 }; /* of windows along a line, each four times as long */
/* Windows of up to so many taps are put together of equal ones: sums of these and single samples,
   extrema of such as overlap. Their taps, with which the fewest vectors are loaded, seven at most in the
   last loop; or 0 where windows of 4, 16 … taps do as well. */
#define CX_JOINED_TAPS 31
static const int8_t cx_joined_sums[CX_JOINED_TAPS + 1] = {
    [9] = 3, [10] = 3, [11] = 3, [15] = 3, [16] = 4, [17] = 4, [18] = 3, [19] = 3, [20] = 4,
    [21] = 4, [22] = 4, [23] = 5, [24] = 4, [25] = 5, [26] = 5, [27] = 5, [28] = 4, [30] = 5,
    [31] = 5,
};
static const int8_t cx_joined_extrema[CX_JOINED_TAPS + 1] = {
    [9] = 3, [16] = 4, [17] = 4, [18] = 4, [19] = 4, [20] = 4, [21] = 4, [22] = 4, [23] = 4,
    [24] = 4, [25] = 5, [26] = 4, [27] = 4, [28] = 4,
};
/* Weighted sums along several lines at once: outputs of a tile, taps from which it pays, and such taps
   of mirrored weights. */
enum { CX_TILE_PLACES = 128, CX_LINE_TAPS = 18, CX_FOLDED_LINE_TAPS = 11 };

/* Element types of arrays; those of booleans are 0 or 1. */
enum { CX_IS_F32, CX_IS_F64, CX_IS_BOOL, CX_IS_I8, CX_IS_U8, CX_IS_I16, CX_IS_U16, CX_IS_I32,
       CX_IS_U32, CX_IS_I64, CX_IS_U64 };

typedef struct {
    int64_t what;
    int64_t size, taps, dilation;
    int64_t low;            /* coordinates before the first sample */
    int64_t symmetry;       /* of weights: 1 if mirrored, -1 if mirrored and negated, else 0 */
    const void *weights;    /* in the type of computation */
    const int64_t *sources;
} cx_filter_axis;

typedef struct {
    cx_filter_axis plane, row, line;
    int64_t inner;
    int64_t out_length;        /* elements of a row of outputs: of inputs too, unless nothing but the
                                  line is filtered */
    int64_t band, bands;       /* rows of a piece; pieces that a plane's rows are cut into */
    int64_t step;              /* rows of a piece that go through all axes together */
    int64_t copies;            /* whether rows are copied that could be read where they lie */
    int64_t segment, segments; /* elements of a piece; pieces that a row is cut into: more than one
                                  if not both the line and another axis are filtered */
    int64_t adds;              /* whether the axes' filters are added up rather than chained */
    int64_t exact;             /* sums of products in SciPy's order, rounded one by one */
    int64_t x_type, y_type, x_item, y_item;
    int64_t pitch;             /* elements of a row of scratch memory */
    int64_t tile;              /* elements of scratch memory for a tile of weighted sums */
    int64_t fills;             /* whether there are constants beyond a border, not only samples */
    double fill;
    const void *x;
    void *y;
} cx_filter_job;

/* Windows of any shape over a padded array: output i of a row combines the elements i + offsets[t] of
   the row of x that begins at starts[row]. A piece is a row of outputs. */
typedef struct {
    int64_t what, taps, length, exact;
    int64_t rows;
    const int64_t *offsets, *starts;
    const void *weights; /* of maxima and minima: what is added; or NULL */
    int64_t y_type, y_item;
    const void *x;
    void *y;
} cx_footprint_job;

/* Medians of such windows, of three elements and more, in the array's own type: see median_sweep.h.
   Without starts, the windows are 3 by 3 in an array of so many `rows`, with zeros beyond it. */
enum { CX_MEDIAN_BYTES = 256 }; /* of a stretch of outputs; x may be read so far beyond its end */

/* Correlation with a large kernel by Fourier transforms of great tiles: see spectral_sweep.h. Tiles
   are counted along rows, then down columns. A piece is two of them, or both parts of a complex one. */
enum { CX_CHAIN = 16 }; /* columns for which a table has the finer powers of a root */
/* Within as many bytes processors see by themselves what is read or written next. */
enum { CX_PAGE_BYTES = 4096 };

/* Vectors between real and imaginary parts, whose places of one step are not in the same sets of the
   L1 cache then: there are up to eight of each, often a multiple of 4096 bytes apart. */
enum { CX_SPECTRAL_GAP = 8 };

typedef struct {
    int64_t rows, columns;        /* points of a tile: products of 2, 3, 5; columns are a multiple of
                                     two vectors */
    int64_t along;                /* whether rows are transformed too */
    int64_t chained;              /* whether the rows of a tile follow one another in a line */
    int64_t tile_rows, tile_columns; /* right outputs; chained: columns of all rows together */
    int64_t tiles_down, tiles_along; /* of an item */
    int64_t padded_rows;
    const int64_t *row_source;    /* of each padded row; -1: zeros */
    int64_t low, inside, high;    /* samples of a padded row */
    const int64_t *low_source, *high_source; /* the row's samples for low and high; NULL: zeros */
    int64_t x_item, x_row, y_item; /* elements from one to the next */
    int64_t out_rows, out_columns;
    const int64_t *row_target;    /* the row of y for each row of outputs; -1: none */
    /* cos and -sin of angles: of all rows; of the places of a line, vectors of columns; by which the
       lanes of each place are turned; and those of the lanes' own transforms: see fft_line.h */
    const void *row_roots, *place_roots, *turns, *lane_roots;
    const void *chain;            /* for each row, coarse powers, real parts of fine ones, imaginary */
    const void *x, *x_imaginary;
    void *spectrum, *y, *y_imaginary; /* imaginary parts of arrays of complex numbers, or NULL */
    int64_t *overflow;            /* becomes 1 where an output is not finite */
} cx_spectral_job;

/* The spectrum that tiles are multiplied with, in stages: see spectral_kernel.h. */
enum { CX_KERNEL_ROWS, CX_KERNEL_COLUMNS, CX_KERNEL_CHAIN };

typedef struct {
    cx_spectral_job tiles;        /* with the spectrum, which is written */
    int64_t stage, taps, rows, row_taps; /* of the kernel; the last row may have fewer taps */
    const int64_t *place;         /* for each of its rows, the row of a tile */
    const void *real, *imaginary; /* the latter may be NULL */
    void *lines;                  /* room for them */
} cx_kernel_job;

#endif
