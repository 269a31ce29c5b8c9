/* Networks that predict: layers one after the other, for some items of the batch at a time, whose
   results stay in the cache. Between layers channels are the lanes of vectors. */

#ifndef CONVX_NETWORK_H
#define CONVX_NETWORK_H

#include "convx.h"

/* What a layer makes of some items, [block of channels][item][place][channel of the block], in the
   memory of a thread. Places are those of a plane with the border that the next layers need. */
typedef struct {
    int64_t start;       /* elements before it */
    int64_t channels, lanes; /* lanes: channels of a block, those of a vector or 1 */
    int64_t block, item; /* elements from one block to the next, from one item to the next */
    int64_t gaps;        /* stretches of a plane that are zeros */
    const int64_t *gap;  /* their first elements, and how many there are, by turns */
} cx_map;

/* A stretch of neighbouring outputs: where the first one lies in each map. */
typedef struct {
    int64_t in, out, residual;
} cx_line;

/* Outputs of Winograd's algorithm, with so many of them inside of the plane. */
typedef struct {
    cx_line at;
    int64_t rows, columns;
} cx_map_tile;

enum { CX_ROW_TAPS = 3 }; /* of kernels that are computed by rows of taps */
enum { CX_KERNEL_PLACES = 9 }; /* taps of kernels that Winograd's algorithm is for */

enum {
    CX_LAYER_INPUT,   /* copies an array into a map */
    CX_LAYER_PRODUCT, /* convolutions with all channels, and linear layers */
    CX_LAYER_POINTS,  /* the same by Winograd's algorithm */
    CX_LAYER_SINGLE,  /* convolutions of each channel by itself */
    CX_LAYER_MAX,     /* pools */
    CX_LAYER_MEAN,
    CX_LAYER_OUTPUT,  /* copies a map into an array */
};

typedef struct {
    int64_t kind;
    cx_map in, out, residual;
    int64_t has_residual;
    int64_t activation;
    double slope;
    int64_t steps;         /* summands of an output */
    const int64_t *offset; /* of each of them, from the output's place in the input */
    int64_t row_taps;      /* single: a summand is so many neighbouring taps of a row, or 1 */
    const void *weights;   /* by blocks of `vectors`: [block][step][filter] */
    const void *bias;      /* of all filters, in whole vectors */
    int64_t vectors;       /* of filters that go together; the last block may have fewer */
    int64_t lines, length; /* of an item */
    const cx_line *line;
    int64_t merged;        /* items follow one another in one line */
    int64_t in_step, out_step, residual_step; /* from one output of a line to the next */
    const int64_t *first;  /* pools: the first offset of each output, and at last their number */
    const double *factor;  /* means: of each output */
    int64_t tiles, tiles_together;
    const cx_map_tile *tile;
    int64_t in_row, out_row, residual_row; /* tiles: from one row to the next */
    /* Input and output: elements of the array from one item, channel and place of a row to the next,
       and of a plane, or 0 if its rows do not follow one another. */
    int64_t array_item, array_channel, array_step, array_plane;
} cx_layer;

/* A piece is some of the items. */
typedef struct {
    int64_t layers;
    const cx_layer *layer;
    int64_t batch, pieces;
    int64_t maps;          /* elements of all maps; behind them a piece has what layers need besides */
    const void *input;
    void *output;
    int8_t *failed;        /* of each item: 1 where Winograd's algorithm met what is not finite */
} cx_network;

/* A part of what a layer computes of some items: of its `cx_layer_units`, dealt evenly. */
typedef struct {
    int64_t first, items, part, parts;
} cx_layer_part;

/* What a layer can be divided into: blocks of channels where arrays are copied, tiles, places of one
   line of all items, or lines. */
static inline int64_t cx_layer_units(const cx_layer *layer, int64_t items)
{
    const cx_map *out = &layer->out;
    switch (layer->kind) {
    case CX_LAYER_INPUT:
    case CX_LAYER_OUTPUT:
        return items * ((out->channels + out->lanes - 1) / out->lanes);
    case CX_LAYER_POINTS:
        return items * layer->tiles;
    }
    return items * (layer->merged ? layer->length : layer->lines);
}

/* Weights that become those of a layer, of products or at the points of Winograd's algorithm. A piece
   is a vector of filters. */
typedef struct {
    const void *weights;
    void *packed;
    int64_t filters, channels, taps;
    int64_t filter_step, channel_step; /* elements from one to the next */
    const int64_t *place;              /* of each tap in a kernel */
    int64_t vectors;                   /* as in cx_layer */
} cx_filters_job;

/* The gradient of a convolution's weights, summed over places of two maps. A piece is a part of the
   batch, with sums of its own, [vector of filters][channel][tap][filter], where channels are whole
   blocks; in the end a piece is a vector of filters, whose parts are added up. */
typedef struct {
    const cx_layer *input, *outputs; /* what brings the input and the outputs' gradient into maps */
    int64_t maps;                    /* elements of both */
    int64_t batch, parts, items;     /* the most items that go together */
    int64_t places;          /* of an item that are summed over: outputs, or Winograd's tiles */
    const int64_t *in, *out; /* of each output in its map; tiles are neighbours at a point */
    int64_t taps;
    const int64_t *tap;      /* of each tap from an output's place in the input, without tiles */
    const cx_map_tile *tile; /* NULL without Winograd's algorithm */
    int64_t in_row, out_row; /* of tiles: from one row to the next */
    int64_t asks;            /* whether there is room in the cache for the items that come next */
    const void *x, *gradient;
    void *sums, *result;
    int8_t *failed; /* of each part: 1 where Winograd's algorithm met what is not finite */
} cx_map_gradient;

/* Where elements that are counted through lie: of items, lines and places along a line. */
typedef struct {
    int64_t items, item, lines, line, length, step;
} cx_sequence;

static inline int64_t cx_sequence_size(const cx_sequence *of)
{
    return of->items * of->lines * of->length;
}

/* A product of matrices: rows of the left one by columns of the right one, summed over the depth. */
typedef struct {
    const void *left, *right;
    void *out;
    int64_t rows, left_row, out_row; /* from one row to the next */
    cx_sequence left_depth, right_depth, columns, out_columns;
    int64_t depth, depth_block;      /* steps, and how many are summed before they are added up */
    int64_t row_block, column_block; /* of a piece: panels of rows, and columns in whole vectors */
    int64_t columns_together;        /* that are packed before they are multiplied, as many */
    int64_t far;                     /* whether outputs are stored past the caches: of one block of the depth */
    void *packed;                    /* the left matrix, or NULL where each piece packs it */
    const void *bias;                /* of each row, or NULL */
    const cx_call *finish;           /* what becomes of the outputs, or NULL; it has all of the residual */
    void (*finish_line)(const cx_call *call, int64_t outputs);
    int8_t *failed;                  /* becomes 1 where there is what is not finite, or out of range */
} cx_inner_product;

/* What one instruction set offers for one element type: pieces of a network, parts of a layer with
   the maps and what else it needs, how many elements that is, and a network's weights; gradients of
   weights, what they need besides their maps, and the sums of their parts; products by Winograd's inner
   products, what their scratch memory is, packing of the left matrix, and of a panel of it the rows and
   the elements of a step. */
typedef struct {
    void (*run)(const void *network, int64_t first, int64_t end, char *scratch);
    void (*run_layer)(const cx_network *network, int64_t layer, const cx_layer_part *part,
                      char *maps, char *space);
    int64_t (*space)(const cx_network *network);
    void (*pack_filters)(const void *job, int64_t first, int64_t end, char *scratch);
    void (*pack_points)(const void *job, int64_t first, int64_t end, char *scratch);
    void (*sum_gradient)(const void *job, int64_t first, int64_t end, char *scratch);
    int64_t (*gradient_space)(const cx_map_gradient *job);
    void (*add_gradients)(const void *job, int64_t first, int64_t end, char *scratch);
    void (*multiply_inner)(const void *job, int64_t first, int64_t end, char *scratch);
    int64_t (*inner_space_bytes)(const cx_inner_product *job);
    void (*pack_inner)(const void *job, int64_t first, int64_t end, char *scratch);
    int64_t inner_rows, inner_pitch;
} cx_networks;

enum { CX_NETWORK_F32, CX_NETWORK_F64, CX_NETWORK_DTYPES };

/* NULL for an instruction set that is not to be had. */
const cx_networks *cx_networks_of(const char *isa, int dtype);

#endif
