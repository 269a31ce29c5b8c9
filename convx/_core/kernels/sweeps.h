/* Sweeps: kernels that go over memory a few times and do little with each element, unlike the
   convolution's products. Pooling, activations, normalisation and the like are sweeps.

   A sweep is cut into pieces that are independent of one another, numbered from 0: rows, planes, or
   stretches of elements. A kernel computes the pieces first … end - 1 of a *job*, a plain struct of
   pointers, sizes and strides. Strides count elements. How pieces are shared out among threads
   changes no bits. */

#ifndef CONVX_SWEEPS_H
#define CONVX_SWEEPS_H

#include <stdint.h>

typedef void (*cx_sweep)(const void *job, int64_t first, int64_t end, char *scratch);

/* y = activation(x), for contiguous arrays. A piece is CX_STRETCH elements, the last one fewer. */
enum { CX_STRETCH = 4096 };

typedef struct {
    int64_t activation; /* of those in convx.h */
    double slope;
    int64_t length;
    const void *x;
    void *y;
} cx_activation_job;

/* Pooling: every output of a plane is what a *reducer* makes of the inputs in its window.

   Windows are boxes: of each output along an axis there is its first input, and how many there are,
   `step` apart. All of them lie in the axis, for padding takes no part. Windows of an axis are
   *regular* if there are `taps` of them, `stride` apart, the first `low` before the axis. */
enum { CX_POOL_SUM, CX_POOL_MAX };

typedef struct {
    int64_t size, outputs;
    const int64_t *start, *count; /* of each output */
    const double *divisor;        /* of each output, the axes' ones are multiplied; or NULL */
    int64_t tables_stride;        /* from a plane's tables to the next one's, 0: all share them */
    int64_t step;
    int64_t taps, stride, low;    /* of regular windows; taps 0: they are not */
    int64_t longest;              /* the greatest of the counts; 0 if there are no tables */
} cx_pool_axis;

/* Planes are contiguous. A piece is so many rows of outputs, for the gradients a plane. */
typedef struct cx_pool_job {
    int64_t axes;
    const cx_pool_axis *axis;
    int64_t reducer;
    int64_t plane_size, plane_outputs;
    int64_t rows, piece_rows;     /* rows of outputs in a plane, and in a piece */
    int64_t pieces;               /* of a plane */
    int64_t window_rows;          /* the most rows of inputs that a window has */
    int64_t segment;              /* outputs of a piece if planes are lines of regular windows, else 0 */
    int64_t queue_rows;           /* rows of a long window that are kept along the last axis but one,
                                     where windows overlap much, else 0 */
    int64_t line;                 /* elements of the largest line of scratch memory */
    const void *x;                /* gradient of sums: that of the outputs */
    void *y;                      /* NULL: not wanted; gradients: that of the inputs */
    int64_t *indices;             /* of maxima, in the plane, -1 of an empty window; or NULL */
    const void *grad;             /* maxima: gradient of the outputs */
    const struct cx_pool_job *adjoint; /* gradient of sums: which outputs an input is in, along all
                                          axes but the last, where all stay apart */
} cx_pool_job;

/* Scattering: each input of a plane goes to an output of the plane by its index, if not negative. */
enum { CX_SCATTER_SET, CX_SCATTER_ADD, CX_SCATTER_BACK };

typedef struct {
    int64_t how; /* CX_SCATTER_BACK is the gradient of CX_SCATTER_SET: from y to x */
    int64_t plane_size, plane_outputs; /* inputs and outputs */
    const int64_t *indices;
    void *x, *y;
} cx_scatter_job;

/* What one instruction set offers for one element type. */
typedef struct {
    cx_sweep activation;
    cx_sweep pool, pool_sum_gradient, pool_max_gradient, scatter;
} cx_sweeps;

enum { CX_SWEEP_F32, CX_SWEEP_F64, CX_SWEEP_I64, CX_SWEEP_DTYPES };

const cx_sweeps *cx_sweeps_of(const char *isa, int dtype);

#endif
