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
enum { CX_SOFTMAX_BLOCK = 1024, CX_SOFTMAX_ROWS = 32 };

typedef struct {
    int64_t logarithm;
    int64_t outer, length, inner, block; /* block: at most CX_SOFTMAX_BLOCK */
    const void *x;
    const void *grad; /* or NULL */
    void *y;
} cx_softmax_job;

/* What one instruction set offers for one element type. */
typedef struct {
    cx_sweep activation, activation_gradient, slopes, dropout, softmax;
} cx_sweeps;

enum { CX_SWEEP_F32, CX_SWEEP_F64, CX_SWEEP_I64, CX_SWEEP_DTYPES };

const cx_sweeps *cx_sweeps_of(const char *isa, int dtype);

#endif
