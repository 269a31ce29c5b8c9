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

/* What one instruction set offers for one element type. */
typedef struct {
    cx_sweep activation;
} cx_sweeps;

enum { CX_SWEEP_F32, CX_SWEEP_F64, CX_SWEEP_I64, CX_SWEEP_DTYPES };

const cx_sweeps *cx_sweeps_of(const char *isa, int dtype);

#endif
