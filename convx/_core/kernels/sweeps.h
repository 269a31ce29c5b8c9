/* Sweeps: kernels that go over memory a few times and do little with each element, unlike the
   convolution's products. Pooling, activations, normalisation and the like are sweeps.

   A sweep is cut into pieces that are independent of one another, numbered from 0: rows, planes, or
   stretches of elements. A kernel computes the pieces first … end - 1 of a *job*, a plain struct of
   pointers, sizes and strides. Strides count elements. How pieces are shared out among threads
   changes no bits. */

#ifndef CONVX_SWEEPS_H
#define CONVX_SWEEPS_H

#include "filter_jobs.h"

#include <stdint.h>

typedef void (*cx_sweep)(const void *job, int64_t first, int64_t end, char *scratch);

/* Bytes from which on a result is stored past the caches, as convolutions store theirs. */
enum { CX_FAR_RESULT = 16 << 20 };

/* Element by element, for contiguous arrays: y may be one of the others. A piece is CX_STRETCH
   elements, the last one fewer. */
enum { CX_STRETCH = 4096 };

/* y = activation(x), or its derivative at x times grad. */
typedef struct {
    int64_t activation; /* of those in convx.h */
    double given[3];    /* numbers that it takes */
    int64_t length;
    const void *x;
    const void *grad;
    void *y;
} cx_activation_job;

/* y = v where x is positive, else v times a slope: one for each element if `row` is 1, else one for
   `row` elements, `slopes_count` of them by turns. */
typedef struct {
    int64_t length, row, slopes_count;
    const void *x;
    const void *v;
    const void *slopes;
    void *y;
} cx_slopes_job;

/* y = x times the factor, or times 0 for a share of `dropped` in 2^32. Chance is drawn for so many
   elements at a time. */
enum { CX_DRAWS = 32 };

typedef struct {
    int64_t length;
    double factor;
    int64_t dropped;
    uint32_t key[2];
    const void *x;
    void *y;
} cx_dropout_job;

/* y = softmax(x) along the middle one of three axes, or its logarithm, or with grad what the
   gradient of x is. A piece is a row if `inner` is 1, else `block` of the inner elements. */
enum { CX_SOFTMAX_BLOCK = 1024, CX_SOFTMAX_ROWS = 32, CX_SOFTMAX_TOGETHER = 16 };
/* The steps for columns, and the rows that go together, CX_SOFTMAX_ROWS or a part of them: few, in strips
   of some vectors, of rows so many bytes apart that they share sets of caches (AMD EPYC, Nov. 2026). */
enum { CX_SOFTMAX_MAXIMA, CX_SOFTMAX_SUMS, CX_SOFTMAX_RESULTS };
enum { CX_SOFTMAX_MANY_ROWS = 8, CX_SOFTMAX_FEW_ROWS = 4 };
enum { CX_SOFTMAX_CROWDED = 2048, CX_SOFTMAX_STRIP = 8 };

typedef struct {
    int64_t logarithm;
    int64_t outer, length, inner, block; /* block: at most CX_SOFTMAX_BLOCK */
    const void *x;
    const void *grad; /* or NULL */
    void *y;
} cx_softmax_job;

/* Rows of y that are copied from rows of x, in blocks one after the other: of each row of y the ends
   by a table of elements, the inside in one go. A piece is a row of y. Elements may have any size,
   so that there is one such kernel for all types; it stands beside those of int64_t. */
typedef struct {
    int64_t item;             /* bytes of an element */
    int64_t x_rows, y_rows;   /* of a block */
    int64_t x_row;            /* elements of a row of x */
    int64_t low, inside, high; /* elements of a row of y */
    int64_t start;            /* where the inside begins in a row of x */
    const int64_t *rows;      /* the row of x for each row of y in a block; -1: fill */
    const int64_t *ends;      /* the elements of x's row for low and high; NULL: fill */
    const char *fill;         /* as many elements as are ever filled in a row */
    const char *x;
    char *y;
} cx_copy_job;

/* The adjoint: every element of x becomes the sum of its copies in y. A piece is a row of x. Its
   copies are in the rows[starts[i]] … rows[starts[i + 1] - 1] of y, and added in this order. */
typedef struct {
    int64_t parts; /* numbers of an element: 2 of a complex one */
    int64_t x_rows, y_rows;
    int64_t x_row;
    int64_t low, inside, high;
    int64_t start;
    const int64_t *starts;
    const int64_t *rows;
    const int64_t *ends; /* NULL: they come from nowhere */
    const void *y;
    void *x;
} cx_fold_job;

/* Sums along one axis: output j of a line is the sum over t of weights[t] * input sources[t], t from
   starts[j] to starts[j + 1] - 1. `inner` elements stand side by side in each input and output. A
   piece is one output of a line; if inner is 1, a whole line. */
typedef struct {
    int64_t inputs, outputs, inner;
    const int64_t *starts;
    const int64_t *sources;
    const void *weights;
    const void *x;
    void *y;
} cx_resample_job;

/* Normalisation. A segment has a mean and a variance of its own: it is `runs` runs of `run_length`
   neighbours. Its parts are chunks of runs, of CX_NORM_CHUNK elements or fewer. First every part
   gives its sums, then a segment's are put together, then every part is normalised. A piece is
   `segments_together` segments where one piece does all of it; else, phase by phase, a part, or at
   CX_NORM_FINISH a segment. */
enum { CX_NORM_CHUNK = 4096 };
enum { CX_NORM_LARGE = 1 << 21 }; /* elements that come from memory (AMD EPYC, November 2026) */
enum { CX_NORM_WHOLE, CX_NORM_SUMS, CX_NORM_FINISH, CX_NORM_APPLY };

typedef struct {
    int64_t phase;
    int64_t segments, segment_stride, segments_together;
    int64_t runs, run_stride, run_length;
    /* Where the weight and bias of a run stand: segment % period * segment_step + run * run_step.
       Or, by element, there stand those of its first element; weight and bias are not NULL then. */
    int64_t by_element, period, segment_step, run_step;
    double eps;
    const void *x, *weight, *bias;
    const void *dy;                     /* NULL: not the gradients */
    void *y;                            /* or the gradient of x */
    double *partial;                    /* of each part two sums, or four with dy */
    double *mean, *variance;            /* of each segment */
    double *run_sums;                   /* of each run: of dy, of dy * normalised x */
    double *slopes;                     /* two of each segment */
    double *element_sums;               /* by element: the same two, for each piece */
} cx_norm_job;

/* Normalisation of channels over a batch, which an activation and a residual may follow; x is
   [item][channel][inner]. With dy, what the gradients are. A part of a channel is a chunk of an
   item's, or `together` items; phases and pieces are those above, with channels for segments, after
   which CX_NORM_START gives each channel a pivot; of CX_NORM_WHOLE a piece is `channels_together`
   channels, which lie side by side in each item. Where mean and variance are not those of x, of
   CX_NORM_APART a piece is that of one part, first of all the channels of the first part; with dy
   CX_NORM_FINISH follows. */
enum { CX_NORM_START = 4, CX_NORM_APART };
enum { CX_CHANNELS_TOGETHER = 16 }; /* at most */
enum { CX_COLUMNS_TOGETHER = 64 };  /* at most, of channels of one position */

typedef struct {
    int64_t phase;
    int64_t items, channels, inner;
    int64_t channels_together;
    int64_t together, chunks, parts; /* items of a part, chunks of an item, parts of a channel */
    int64_t of_input;                /* whether mean and variance are those of x, or given */
    int64_t finds_moments;           /* whether those of x are still to be found */
    int64_t activation;              /* of those in convx.h that a convolution may end with */
    double slope, eps, momentum;
    const void *x, *weight, *bias, *residual;
    const void *dy;       /* NULL: not the gradients */
    void *y;              /* or the gradient of x */
    void *grad_residual;  /* NULL: not wanted, or it is dy */
    double *partial;      /* of each part two sums */
    double *mean, *variance;
    void *running_mean, *running_variance; /* NULL, or what follows those that are found */
    double *channel_sums; /* with dy: those of the gradient before the activation, of all channels,
                             and of it times the normalised x */
} cx_channel_norm_job;

/* Softmax for a loss: see log_sum_exp.h. A piece is CX_COLUMNS columns of an outer index, fewer at
   the end; a row where inner is 1. */
enum { CX_COLUMNS = 512 };

typedef struct {
    int64_t classes, inner;
    const void *x;
    const int64_t *target;     /* NULL: none */
    const void *factor, *taken; /* of each column; read with y alone */
    void *peak, *total;        /* NULL: not wanted */
    void *loss;                /* NULL: not wanted; of the target */
    void *y;                   /* NULL: not the gradient */
} cx_softmax_loss_job;

/* A loss of pairs of elements: the losses less a number, times weight, gradient and factor; or their
   sums over each stretch; or the same of the derivatives by input and target. Operands are lines of
   all the elements, or have one value for all: then their step is 0, and there is a stretch of it. */
enum {
    CX_SQUARED_LOSS,
    CX_ABSOLUTE_LOSS,
    CX_HUBER_LOSS,
    CX_PROBABILITY_LOSS,
    CX_LOGIT_LOSS,
    CX_WEIGHTED_LOGIT_LOSS
};
enum {
    CX_PAIR_INPUT,
    CX_PAIR_TARGET,
    CX_PAIR_POSITIVE, /* weight of the positive class */
    CX_PAIR_WEIGHT,
    CX_PAIR_GRAD,
    CX_PAIR_OPERANDS
};

typedef struct {
    const void *elements; /* NULL: left out */
    int64_t step;
} cx_pair_operand;

typedef struct {
    int64_t loss, length;
    double given[2];
    double less, factor;
    cx_pair_operand operand[CX_PAIR_OPERANDS];
    void *y[2];   /* losses, NULL: their sums are wanted; or the derivatives that are wanted */
    double *sums; /* one for each stretch */
} cx_pair_job;

/* Pooling: every output of a plane is what a *reducer* makes of the inputs in its window.

   Windows are boxes: of each output along an axis there is its first input, and how many there are,
   `step` apart. All of them lie in the axis, for padding takes no part. Windows of an axis are
   *regular* if there are `taps` of them, `stride` apart, the first `low` before the axis. */
enum { CX_POOL_SUM, CX_POOL_MAX };
enum { CX_BLOCK_ROWS = 32, CX_BLOCK_ALIGNMENT = 16 }; /* of their lines, in elements */
/* Quotients: divisions, products with an inverse that is exact, products that are corrected, or products
   with the two parts of an inverse, to be computed anew if a flag tells so. */
enum { CX_DIVIDES, CX_SCALES, CX_CORRECTS, CX_SPLITS };
enum { CX_MOST_ODD_DIVISOR = 1 << 16 };
/* Two rows of windows that have rows in common: the first or the last two of a plane, one of which has
   but two rows, and all others. */
enum { CX_NO_PAIR, CX_FIRST_PAIR, CX_INNER_PAIR, CX_LAST_PAIR };
enum { CX_LONG_ROW = 1024 }; /* of outputs, from which on it pays to correct them by themselves */
enum { CX_ROWS_AHEAD = 12 }; /* of a window, the most that are asked for early */

typedef struct {
    int64_t size, outputs;
    const int64_t *start, *count; /* of each output */
    const double *divisor;        /* of each output, the axes' ones are multiplied; or NULL */
    int64_t divisor_step;         /* 0: one of all outputs */
    int64_t tables_stride;        /* from a plane's tables to the next one's, 0: all share them */
    int64_t step;
    int64_t taps, stride, low;    /* of regular windows; taps 0: they are not */
    int64_t longest;              /* the greatest of the counts; 0 if there are no tables */
} cx_pool_axis;

/* How many bytes before they are read rows of windows are asked for: 2 to 8 KiB are as good from L3, 6 to
   8 from memory (AMD EPYC Genoa, November 2026; benchmarks --what sweeps). */
enum { CX_POOL_AHEAD = 6144 };

/* Planes are contiguous. A piece is so many rows of outputs, for the gradients a plane. */
typedef struct cx_pool_job {
    int64_t axes;
    const cx_pool_axis *axis;
    int64_t reducer;
    int64_t plane_size, plane_outputs;
    int64_t planes;               /* of gradients, how many there are */
    int64_t rows, piece_rows;     /* rows of outputs in a plane, and in a piece */
    int64_t pieces;               /* of a plane */
    int64_t window_rows;          /* the most rows of inputs that a window has */
    int64_t segment;              /* outputs of a piece if planes are lines of regular windows, else 0 */
    int64_t queue_rows;           /* rows of a long window that are kept along the last axis but one,
                                     where windows overlap much, else 0 */
    int64_t block_rows;           /* rows of outputs that are computed together if windows have few
                                     taps along the last axis, at most CX_BLOCK_ROWS, else 0 */
    int64_t block_pitch;          /* elements from one of their lines to the next */
    int64_t asks_ahead;           /* whether what the next ones take is asked for early */
    int64_t spread_rows;          /* the same of the gradient of sums, if all have one divisor */
    int64_t spread_pitch;
    double halves;                /* divisor of sums of the blocks of 2 by 2 that the plane is cut
                                     into; 0 for all other pools */
    int64_t line;                 /* elements of the largest line of scratch memory */
    const void *x;                /* gradient of sums: that of the outputs */
    void *y;                      /* NULL: not wanted; gradients: that of the inputs */
    int64_t *indices;             /* of maxima, in the plane, -1 of an empty window; or NULL */
    const void *grad;             /* maxima, or sums of a ReLU: gradient of the outputs */
    const struct cx_pool_job *adjoint; /* gradient of sums: which outputs an input is in, along all
                                          axes but the last, where all stay apart */
} cx_pool_job;

/* Scattering: each input of a plane goes to an output of the plane by its index, if not negative.
   An index below `least`, or of no output, is left out, and `wrong` tells that there is one. */
enum { CX_FETCHED_AHEAD = 32 };
enum { CX_SCATTER_SET, CX_SCATTER_ADD, CX_SCATTER_BACK };

typedef struct {
    int64_t how; /* CX_SCATTER_BACK is the gradient of CX_SCATTER_SET: from y to x */
    int64_t planes, plane_size, plane_outputs; /* how many there are; inputs and outputs of each */
    int64_t least;      /* 0, or -1 */
    int64_t asks_ahead; /* whether what is next of the outputs is asked for early */
    const cx_pool_job *cells; /* that a plane of outputs is cut into, one for each input, of 2 to 4
                                 along the last axis, no matter which indices there are; or NULL */
    const int64_t *indices;
    void *x, *y;
    int64_t *wrong;
} cx_scatter_job;

/* A step of an optimiser: a parameter goes where its gradient sends it. */
enum { CX_SGD, CX_ADAM, CX_RMSPROP };

typedef struct {
    int64_t rule, length;
    int64_t first_piece, pieces; /* of CX_STRETCH elements, counted through all parameters */
    double given[9]; /* the first ones are sign of the gradient, decay of the parameter, rate */
    const void *grad;
    void *parameter;
    void *state[3]; /* of the parameter's length each, or NULL */
} cx_step;

typedef struct {
    int64_t count;
    const cx_step *steps; /* one for each parameter */
} cx_steps_job;

/* Items of a batch, in rows of elements, that become lines of items or are made of them: see
   interleave_sweep.h. */
enum { CX_INTERLEAVED = 16 }; /* elements of a piece */

typedef struct {
    int64_t items, item;          /* how many lie side by side; elements from one to the next */
    int64_t present;              /* how many there are: the others are zeros */
    int64_t rows, length, step;   /* rows of an item; elements of a row, and how far apart they are */
    const int64_t *row;           /* where each row begins */
    const void *from;
    void *to;
} cx_interleave_job;

/* Averages of blocks of 2 by 2 of what a ReLU leaves, items side by side: see line_pool.h. */
typedef struct {
    int64_t items, blocks; /* how many lie side by side; blocks in a row */
    double factor;         /* 1 over the divisor */
    void *x, *y;           /* places and blocks, or their gradients */
    uint8_t *passes;       /* of each block of an item, a bit for each place whose gradient passes */
} cx_line_pool_job;

/* Sums of planes of `size` places, of `items` side by side; and rows added up: see plane_sums.h. */
enum { CX_SUMMED = 2048 };

typedef struct {
    int64_t size, items;
    const void *x;
    void *sums;
} cx_plane_sums_job;

typedef struct {
    int64_t rows, columns;
    const void *x;
    void *y;
} cx_row_sums_job;

/* y = a b + bias, of `depth` products each. Of a an element is `a_row` from the next row's and `a_step`
   from the next product's. Of b a product's columns are neighbours, `b_step` from the next product's;
   or with `turned`, room for all of them, a column's products are, `b_step` from the next column's: see
   matrix_sweep.h. Rows of y follow one another. A piece is so many bytes of columns,
   the last one up to twice as many, with `turned` from half to one and a half times as many. With
   `parts` the rows of a are turned, and the pieces are so many parts of the columns, each with `room`
   elements in `turned`. */
enum { CX_MATRIX_COLUMNS = 256 };

typedef struct {
    int64_t rows, columns, depth;
    int64_t a_row, a_step, b_step;
    int64_t parts, room; /* parts or 0 */
    const void *a;
    const void *b;
    const void *bias; /* of each column, or NULL */
    void *turned;     /* or NULL */
    void *y;
} cx_matrix_job;

/* What one instruction set offers for one element type. */
typedef struct {
    cx_sweep activation, activation_gradient, slopes, dropout, softmax;
    cx_sweep steps;
    cx_sweep pair_loss, pair_slopes;
    cx_sweep norm, channel_norm, softmax_loss;
    cx_sweep copy, fold, resample;
    cx_sweep interleave, separate, line_pool, line_spread;
    cx_sweep plane_sums, row_sums;
    cx_sweep spectral, spectral_kernel;
    cx_sweep pool, pool_sum_gradient, pool_max_gradient, scatter;
    cx_sweep pool_relu;
    cx_sweep matrix;
    cx_sweep filter, footprint, median;
} cx_sweeps;

enum { CX_SWEEP_F32, CX_SWEEP_F64, CX_SWEEP_I64, CX_SWEEP_U8, CX_SWEEP_DTYPES };

const cx_sweeps *cx_sweeps_of(const char *isa, int dtype);

#endif
