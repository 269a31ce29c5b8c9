/* The plain structs that the drivers hand to the kernels.

   A convolution is a sum of shifted matrix products,

       out[n, k, p] = bias[k] + sum over c, t of  W[k, c, t] * tile[c, position[p] + tap_offset[t]]

   A *pass* is one such sum over a box-shaped set of outputs. A convolution is one pass; a
   transposed convolution with stride s is one pass for each output phase. Kernels see a pass as
   tables of sizes, strides and offsets: rank, stride, dilation, padding mode and direction are
   all in the tables, none of them is ever branched on per pixel. All strides and offsets count
   elements, not bytes. */

#ifndef CONVX_H
#define CONVX_H

#include <stdint.h>

enum { CX_MAX_RANK = 30 };

/* Output rows of a block that shares its input rows (slide.h). */
enum { CX_SLIDE_ROWS = 7 };

/* Outputs of a small plane, up to which slide_small.h was faster. */
enum { CX_SMALL_PLANE = 1024 };

/* Rows so many bytes apart, or a multiple, fall into one set of the L1 cache and drive one another out
   of it: they are not read in place by blocks of several rows. */
enum { CX_L1_PERIOD = 4096 };

/* One spatial axis of a pass.

   A *tile* is the thread-private copy of the input that one box of outputs needs. Along an axis it
   consists of strands: strand m holds the padded input coordinates strand_start[m] + i * step,
   i < strand_length[m], relative to the box's first output. Taps whose coordinates agree modulo
   the stride share a strand, so neighbouring outputs read neighbouring elements whatever the
   stride is. */
typedef struct {
    int64_t outputs;        /* outputs of the pass along this axis */
    int64_t phases;         /* the outputs of a box are so many apart, neighbours in other boxes */
    int64_t block, blocks;  /* outputs per box, boxes of all phases */
    int64_t out_stride;     /* between neighbouring outputs of a box */
    int64_t in_size, in_stride;
    int64_t stride;         /* input coordinates between neighbouring outputs of a box */
    int64_t step;           /* and between neighbours of a strand */
    int64_t position_stride; /* tile elements between neighbouring outputs */
    int64_t strands, tile_length;
    const int64_t *strand_start, *strand_length;
    const int64_t *halo; /* input indices of the coordinates before and after; NULL: zeros there */
    int64_t halo_low, halo_length; /* how many before; in all */
    int64_t tile, points;   /* fft: outputs of a tile of so many inputs, along axes transformed */
    int64_t pair_outputs;   /* and of a pair of tiles, which are neighbours along one of the axes */
    const double *roots;    /* cos and -sin of 2 pi k / points for k < points */
} cx_axis;

typedef struct {
    int64_t rank;
    const cx_axis *axes;
    int64_t batch, groups, channels, filters; /* channels and filters of one group */
    int64_t in_batch, in_channel;             /* strides; a group is `channels` channels */
    int64_t out_batch, out_channel, out_origin;
    int64_t weight_filter, weight_channel, weight_group; /* strides */
    int64_t weight_size;       /* elements of all the weights */
    int64_t kernel_taps;       /* taps of the kernel; the pass may use a part of them */
    int64_t taps;
    const int64_t *tap_offset; /* in the tile */
    const int64_t *tap_weight; /* in the kernel; its end for a tap without a weight (winograd) */
    int64_t taps_in_order;     /* (c, t) lie in the weights one after the other */
    int64_t boxes;             /* product of the axes' blocks */
    int64_t items;             /* of the batch in one task: they share its packed weights */
    int64_t boxes_together;    /* winograd: boxes whose tiles go into one product; for the weight
                                  gradient of any items, with fft too: those of a step */
    int64_t task_groups;       /* groups in one task: they share its tables */
    int64_t filter_parts;      /* parts that the filters of a group are split into for tasks */
    int64_t row_parts;         /* weight gradient: partial sums of each weight, added up at last */
    int64_t channel_block, tap_block; /* one step of the reduction; tap_block < taps only where
                                         channel_block == 1 */
    int64_t tile_size, tile_rows; /* of one channel: elements, rows along the last axis */
    int64_t positions;         /* outputs of the largest box */
    int64_t narrowest;         /* columns of the narrowest panel */
    int64_t in_place;          /* the input is its own tile: nothing is padded, only panels are strided */
    int64_t strided;           /* weights are read where they are, unless packed beforehand */
    int64_t gathered;          /* positions are copied to panels rather than read by rows */
    int64_t slide_rows, slide_columns; /* flat: taps along the last two axes if the tap rows are
                                          neighbours in the tile, else 0 */
    int64_t lanes;             /* groups are computed as the lanes of vectors */
    int64_t parts;             /* depthwise: kinds of outputs, each with taps of its own; 0: all alike */
    const int64_t *part;       /* of each: its first tap, its taps, where its outputs begin, how many
                                  there are along every axis; as many as the pass's, or fewer */
    int64_t interleaved;       /* so many parts, one after the other, share the rows of outputs */
    int64_t position_lanes;    /* weight gradient: positions are the lanes of vectors */
    int64_t filter_vectors;    /* filters are the lanes of so many vectors, else 0 */
    int64_t fft_axes;          /* how many of the last axes Fourier transforms take; else 0 */
    int64_t winograd_tile, winograd_taps; /* outputs of a tile along each of the last axes that are
                                             transformed, 2 to 4, and taps; else 0 */
    int64_t winograd_axes;     /* how many axes are transformed */
    int64_t winograd_stride;   /* 1, or 2 along both axes */
    int64_t in_passing;        /* winograd: weights are transformed where they are multiplied; boxes are
                                  whole planes, and all products of a weight gradient one step */
    int64_t sum_blocks;        /* winograd: register blocks computed together */
    int64_t point_size;        /* winograd: elements of a point's packed weights, for one step */
    int64_t far;               /* the output is larger than the caches */
    int64_t flat;              /* rows are computed as one stretch, with the gaps between them */
} cx_pass;

/* Activations: what outputs go through, … */
enum {
    CX_IDENTITY,
    CX_RELU,
    CX_RELU6,
    CX_SILU,
    CX_HARDSWISH,
    CX_LEAKY_RELU,
    CX_SIGMOID,
    CX_TANH,
    /* … and those of whole arrays alone */
    CX_ELU,
    CX_GELU,
    CX_GELU_TANH,
    CX_HARDSIGMOID,
    CX_HARDTANH,
    CX_LOGSIGMOID,
    CX_MISH,
    CX_SOFTPLUS,
};

/* The arrays of one call. */
typedef struct {
    const void *input;
    const void *weight; /* for the weight gradient: grad_output */
    const void *packed; /* weights packed beforehand, or NULL */
    const void *bias;   /* one value for each filter, or NULL */
    void *output;       /* packing: the packed weights; weight gradient: row_parts of it,
                           which are the input where they are added up */
    void *sums;         /* weight gradient: what tasks keep besides the output */
    int64_t *overflow;  /* winograd, fft: set where a result is not finite */
    int64_t first_step, steps; /* weight gradient: the products of a row part to go through now */
    const void *residual; /* forward: laid out as the output and added to it, or NULL */
    int64_t activation;   /* forward: what the sums go through at last */
    double slope;         /* of CX_LEAKY_RELU, for negative sums */
} cx_call;

enum { CX_FORWARD, CX_WEIGHT_GRADIENT };

enum { CX_ADDED = 2048 };

typedef void (*cx_task)(const cx_pass *pass, const cx_call *call, int64_t task, char *scratch);

/* What one instruction set offers for one element type. Tasks are numbered, last factor fastest:
   forward by items, groups, boxes, filter part; weight_gradient by row part, group, channel block,
   filter part; pack, of which there are pack_tasks, by groups and filters; add_parts by stretches of
   CX_ADDED weights. */
typedef struct {
    int64_t lanes; /* elements of a vector */
    int64_t narrowest; /* columns of the narrowest panel there is */
    int64_t rows;  /* filters of the largest register block */
    int64_t (*scratch_bytes)(const cx_pass *pass, int kind);
    int64_t (*pack_tasks)(const cx_pass *pass);
    cx_task pack, forward, weight_gradient, add_parts;
    int64_t (*sums_size)(const cx_pass *pass); /* elements of call->sums for each task */
    void (*finish)(const cx_call *call, int64_t outputs); /* forward tasks do it themselves */
} cx_kernels;

enum { CX_F32, CX_F64, CX_U32, CX_U64, CX_DTYPES };

/* The names of the instruction sets that the build has and the machine runs, the best first, and
   their kernels; NULL where there is none. */
const char *cx_isa(int index);
const cx_kernels *cx_kernels_of(const char *isa, int dtype);

/* Whether AVX-512 computes in units of 32 bytes, so that half a vector takes half the time. */
int cx_halves_pay(void);

/* Whether additions take units of their own, so that as many can go beside multiply-adds. */
int cx_adds_beside(void);

/* What the system says of the L2 cache of a core, 0 or less where it says nothing. */
int64_t cx_l2_bytes(void);

static inline int64_t cx_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t cx_max(int64_t a, int64_t b) { return a > b ? a : b; }

/* Part `index` of `total` things dealt as evenly as possible into `parts`: its first thing. */
static inline int64_t cx_part(int64_t total, int64_t parts, int64_t index)
{
    return index * (total / parts) + cx_min(index, total % parts);
}

#endif
