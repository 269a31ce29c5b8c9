/* The outputs of a single filter, several rows at a time: an input row is loaded once for all the
   output rows that its taps reach. Each output remains one chain of multiply-adds in the order of
   (channel, tap).

   Rows are read through a table of pointers. Where nothing but zeros is padded and rows lie in
   memory without gaps, they are those of the input itself: lanes that lie beside it are masked, and
   rows above and below it are one row of zeros. So there is no tile to fill. Else the table points
   to the rows of the tile. */

/* What a band of output rows is computed from. Row r of it takes tap row k from input row
   r * stride + k. */
typedef struct {
    int64_t planes;        /* channels by taps of the axes before the last two */
    int64_t rows, columns; /* taps along the last two axes */
    int64_t stride;
    int64_t down;          /* entries of the table from an input row to the next: negative for a
                              mirrored kernel */
    const int64_t *row;    /* of each plane: the entry of its first row, for the first output row */
    const int64_t *column; /* of each tap of a row: its place there */
    const T **source;      /* the table of input rows */
    const T *inside;       /* as a row, of bits: which places lie in the input; or NULL: all do */
    int64_t first, end;    /* these places */
    const T *weights;      /* in the order of (plane, tap) */
    T bias;
    int halves;            /* half a vector takes half the time */
    int64_t asked_pitch;   /* between rows of the input, where those to come are asked for; or 0 */
    const T *below;        /* the row of the input below a tile, where it is asked for; or NULL */
} NAME(slide);

/* One input row, for the output rows low … high. */
CX_INLINE void NAME(slide_row)(const int low, const int high, const NAME(slide) *slide,
                               const T *weights, const T *x, NAME(vector) *sum)
{
    for (int64_t k = 0; k < slide->columns; k++) {
        NAME(vector) pixels = *(const NAME(loose) *)(x + slide->column[k]);
        CX_HOLD(pixels);
        CX_UNROLL for (int r = 0; r < CX_SLIDE_ROWS; r++)
            if (low <= r && r <= high)
                sum[r] += weights[k - r * slide->columns] * pixels;
    }
}

/* Where a plane's outputs belong. */
typedef struct {
    T *output;
    int64_t row_stride, out_stride; /* between rows, in a row */
    int64_t height, length;
    int dense; /* rows follow one another in memory */
} NAME(plane);

/* Where the rows of a block are stored, in whole vectors. */
typedef struct {
    T *first, *last; /* the last may lie apart from the others */
    int64_t stride;
} NAME(target);

CX_INLINE T *NAME(target_row)(const NAME(target) *target, int r)
{
    return r == CX_SLIDE_ROWS - 1 ? target->last : target->first + r * target->stride;
}

/* Finds where a block is stored, from column `at` on of the rows from `row` on. Of rows shorter than
   a vector the next one overwrites what is too much; the last has none, and after it the outputs of
   another task may lie. It, or whatever is not stored in place, goes to `staged`. */
CX_INLINE NAME(target) NAME(find_target)(const NAME(plane) *plane, int mirrored, int64_t row,
                                         int64_t at, int64_t lanes, T *staged)
{
    int64_t stride = mirrored ? -plane->row_stride : plane->row_stride;
    T *first = plane->output + at + (mirrored ? row + CX_SLIDE_ROWS - 1 : row) * plane->row_stride;
    T *last = first + (CX_SLIDE_ROWS - 1) * stride, *staged_last = staged + (CX_SLIDE_ROWS - 1) * LANES;
    if (plane->out_stride == 1 && at + lanes <= plane->length)
        return (NAME(target)){first, last, stride};
    if (plane->dense && !mirrored)
        return (NAME(target)){first, staged_last, stride};
    return (NAME(target)){staged, staged_last, LANES};
}

/* Brings what was staged to where it belongs. */
CX_INLINE void NAME(unstage)(const NAME(plane) *plane, int mirrored, int64_t row, int64_t at,
                             const NAME(target) *target, const T *staged)
{
    const T *staged_last = staged + (CX_SLIDE_ROWS - 1) * LANES;
    if (target->last != staged_last)
        return;
    int64_t length = cx_min(LANES, plane->length - at);
    T *to = plane->output + at * plane->out_stride + row * plane->row_stride;
    if (target->first != staged) {
        NAME(copy)(to + (CX_SLIDE_ROWS - 1) * plane->row_stride, staged_last, length);
        return;
    }
    for (int64_t i = 0; i < CX_SLIDE_ROWS; i++) {
        const T *from = staged + (mirrored ? CX_SLIDE_ROWS - 1 - i : i) * LANES;
        if (plane->dense && i < CX_SLIDE_ROWS - 1) /* in order: the next row overwrites */
            *(NAME(loose) *)(to + i * plane->row_stride) = *(const NAME(loose) *)from;
        else
            NAME(put)(to + i * plane->row_stride, plane->out_stride, from, length);
    }
}

/* A block for a kernel of any size. */
static void NAME(slide_any)(const NAME(slide) *slide, int64_t row, int64_t at,
                            const NAME(target) *target)
{
    NAME(vector) sum[CX_SLIDE_ROWS];
    CX_UNROLL for (int r = 0; r < CX_SLIDE_ROWS; r++)
        sum[r] = slide->bias - (NAME(vector)){0};
    for (int64_t p = 0; p < slide->planes; p++) {
        const T *weights = slide->weights + p * slide->rows * slide->columns;
        const T **source = slide->source + slide->row[p] + row;
        for (int64_t i = 0; i < slide->rows + CX_SLIDE_ROWS - 1; i++) {
            int64_t low = cx_max(0, i - slide->rows + 1);
            int64_t high = cx_min(i, CX_SLIDE_ROWS - 1);
            switch (low * CX_SLIDE_ROWS + high) {
#define SLIDE(LOW, HIGH)                                                                          \
    case LOW * CX_SLIDE_ROWS + HIGH:                                                              \
        NAME(slide_row)(LOW, HIGH, slide, weights, *source + at, sum);                            \
        break;
                SLIDE(0, 0) SLIDE(0, 1) SLIDE(0, 2) SLIDE(0, 3) SLIDE(0, 4) SLIDE(0, 5) SLIDE(0, 6)
                SLIDE(1, 1) SLIDE(1, 2) SLIDE(1, 3) SLIDE(1, 4) SLIDE(1, 5) SLIDE(1, 6)
                SLIDE(2, 2) SLIDE(2, 3) SLIDE(2, 4) SLIDE(2, 5) SLIDE(2, 6)
                SLIDE(3, 3) SLIDE(3, 4) SLIDE(3, 5) SLIDE(3, 6)
                SLIDE(4, 4) SLIDE(4, 5) SLIDE(4, 6)
                SLIDE(5, 5) SLIDE(5, 6)
                SLIDE(6, 6)
#undef SLIDE
            }
            source += slide->down;
            weights += slide->columns;
        }
    }
    CX_UNROLL for (int r = 0; r < CX_SLIDE_ROWS; r++)
        *(NAME(loose) *)NAME(target_row)(target, r) = sum[r];
}

#define BLOCK(name) NAME(name)
#define BLOCK_LANES LANES
#include "slide_block.h"
#if CX_HALF_VECTORS
#define BLOCK(name) NAME(half_##name)
#define BLOCK_LANES (LANES / 2)
#include "slide_block.h"
#endif

/* Whether a block needs places beside the input. */
CX_INLINE int NAME(is_masked)(const NAME(slide) *slide, int64_t at, int64_t lanes)
{
    if (!slide->inside)
        return 0;
    int64_t low = cx_min(slide->column[0], slide->column[slide->columns - 1]);
    int64_t high = cx_max(slide->column[0], slide->column[slide->columns - 1]);
    at *= slide->stride;
    return at + low < slide->first || at + high + (lanes - 1) * slide->stride >= slide->end;
}

/* Asks for what the bands after these `count` ones need of a vector's columns: the last plane's rows,
   which no other has brought, and the rows of outputs. Processors foresee a few long streams of
   memory, but not a dozen short ones. */
CX_INLINE void NAME(ask_for_next_rows)(const int count, const NAME(slide) *slide,
                                       const NAME(plane) *plane, const int64_t *row, int64_t at)
{
    const T **source = slide->source + slide->row[slide->planes - 1];
    int64_t ahead = at + (count * CX_SLIDE_ROWS + slide->rows - 1) * slide->asked_pitch;
    T *output = plane->output + at + count * CX_SLIDE_ROWS * plane->row_stride;
    CX_UNROLL for (int b = 0; b < count; b++)
        CX_UNROLL for (int r = 0; r < CX_SLIDE_ROWS; r++)
        {
            __builtin_prefetch(source[row[b] + r] + ahead);
            __builtin_prefetch(output + (row[b] + r) * plane->row_stride, 1);
        }
}

/* Asks for what the next tile needs of a vector's columns: of its rows as many as these bands make.
   They are to wait in L2; in L1, rows that are a multiple of 4096 bytes apart would fill one set. */
CX_INLINE void NAME(ask_for_next_tile)(const int count, const NAME(slide) *slide,
                                       const int64_t *row, int64_t at)
{
    CX_UNROLL for (int b = 0; b < count; b++)
        CX_UNROLL for (int r = 0; r < CX_SLIDE_ROWS; r++)
            __builtin_prefetch(slide->below + (row[b] + r) * slide->asked_pitch + at, 0, 2);
}

/* Blocks one or two below one another, from left to right. The last may compute outputs for the
   second time: to the same result. */
CX_INLINE void NAME(slide_bands)(const int size, const int stride, const int count,
                                 const NAME(slide) *slide, const NAME(vector) *held,
                                 const NAME(plane) *plane, const int64_t *row)
{
    int mirrored = slide->down < 0;
    int64_t last = cx_max(0, plane->length - LANES), first_row[2];
#if CX_HALF_VECTORS
    int halved = size > 0 && stride == 1 && slide->halves && plane->out_stride == 1 &&
                 plane->length >= LANES;
#endif
    for (int b = 0; b < count; b++)
        first_row[b] = (mirrored ? row[b] + CX_SLIDE_ROWS - 1 : row[b]) * stride;
    for (int64_t column = 0; column < plane->length; column += LANES) {
        T staged[2][CX_SLIDE_ROWS * LANES];
        NAME(target) target[2];
        int64_t at = cx_min(column, last);
#if CX_HALF_VECTORS
        if (halved && column + LANES / 2 >= plane->length) {
            at = plane->length - LANES / 2;
            for (int b = 0; b < count; b++)
                target[b] = NAME(find_target)(plane, mirrored, row[b], at, LANES / 2, staged[b]);
            if (NAME(is_masked)(slide, at, LANES / 2))
                NAME(half_slide_blocks)(size, 1, count, 1, slide, NULL, first_row, at, target);
            else
                NAME(half_slide_blocks)(size, 1, count, 0, slide, NULL, first_row, at, target);
            return;
        }
#endif
        for (int b = 0; b < count; b++)
            target[b] = NAME(find_target)(plane, mirrored, row[b], at, LANES, staged[b]);
        if (slide->below)
            NAME(ask_for_next_tile)(count, slide, row, at);
        else if (!held && slide->asked_pitch)
            NAME(ask_for_next_rows)(count, slide, plane, row, at);
        if (size == 0)
            NAME(slide_any)(slide, first_row[0], at, target);
        else if (NAME(is_masked)(slide, at, LANES))
            NAME(slide_blocks)(size, stride, count, 1, slide, held, first_row, at * stride, target);
        else
            NAME(slide_blocks)(size, stride, count, 0, slide, held, first_row, at * stride, target);
        for (int b = 0; b < count; b++)
            NAME(unstage)(plane, mirrored, row[b], at, &target[b], staged[b]);
    }
}

/* Whether planes, and bands of them, are gone through from the last one to the first: with a
   mirrored kernel rows of the input are read upwards, and processors foresee what is read in one
   direction. A tile is filled downwards. */
CX_INLINE int NAME(goes_upwards)(const NAME(slide) *slide)
{
    return slide->down < 0 && slide->inside;
}

/* A plane of outputs in bands, of which the lowest may compute rows for the second time. */
CX_INLINE void NAME(slide_over)(const int size, const int stride, const int held,
                                const NAME(slide) *slide, const NAME(plane) *plane)
{
    /* registers enough; 7 by 7 doubles were faster one by one */
    const int pairs = ROWS >= 8 && size > 0 && (size < 7 || sizeof(T) == 4);
    int64_t end = plane->height - CX_SLIDE_ROWS, bands = 1 + (end + CX_SLIDE_ROWS - 1) / CX_SLIDE_ROWS;
    int upwards = NAME(goes_upwards)(slide);
    NAME(vector) weights[9];
    for (int tap = 0; held && tap < 9; tap++)
        weights[tap] = slide->weights[tap] - (NAME(vector)){0};
    for (int64_t band = 0; band < bands; band++) {
        int64_t first = upwards ? bands - 1 - band : band;
        int64_t next = upwards ? first - 1 : first + 1;
        int64_t row[2] = {cx_min(first * CX_SLIDE_ROWS, end), cx_min(next * CX_SLIDE_ROWS, end)};
        if (pairs && band + 1 < bands) {
            NAME(slide_bands)(size, stride, 2, slide, held ? weights : NULL, plane, row);
            band++;
        } else
            NAME(slide_bands)(size, stride, 1, slide, held ? weights : NULL, plane, row);
    }
}

/* Functions of their own: compilers spill registers where they are parts of a large one. */
#define SLIDE_PLANE(SIZE, STRIDE, HELD)                                                           \
    CX_NOINLINE static void NAME(slide_plane_##SIZE##_##STRIDE##_##HELD)(                         \
        const NAME(slide) *slide, const NAME(plane) *plane)                                       \
    {                                                                                             \
        NAME(slide_over)(SIZE, STRIDE, HELD, slide, plane);                                       \
    }
SLIDE_PLANE(0, 1, 0)
#if IS_FLOAT
SLIDE_PLANE(3, 1, 0)
SLIDE_PLANE(3, 1, 1)
SLIDE_PLANE(5, 1, 0)
SLIDE_PLANE(7, 1, 0)
SLIDE_PLANE(3, 2, 0)
SLIDE_PLANE(3, 2, 1)
SLIDE_PLANE(5, 2, 0)
#endif
#undef SLIDE_PLANE

/* Kernels of size by size taps that have a function of their own: 10 * size + stride, else 1. */
CX_INLINE int64_t NAME(slide_kind)(const NAME(slide) *slide)
{
    int64_t size = slide->rows;
    int sized = IS_FLOAT && size == slide->columns && (size == 3 || size == 5 || size == 7);
    return sized ? 10 * size + slide->stride : slide->stride;
}

static void NAME(slide_plane)(const NAME(slide) *slide, const NAME(plane) *plane)
{
    switch (NAME(slide_kind)(slide)) {
#if IS_FLOAT
    case 31:
        if (slide->planes == 1)
            NAME(slide_plane_3_1_1)(slide, plane);
        else
            NAME(slide_plane_3_1_0)(slide, plane);
        break;
    case 51:
        NAME(slide_plane_5_1_0)(slide, plane);
        break;
    case 71:
        NAME(slide_plane_7_1_0)(slide, plane);
        break;
    case 32:
        if (slide->planes == 1)
            NAME(slide_plane_3_2_1)(slide, plane);
        else
            NAME(slide_plane_3_2_0)(slide, plane);
        break;
    case 52:
        NAME(slide_plane_5_2_0)(slide, plane);
        break;
#endif
    default:
        NAME(slide_plane_0_1_0)(slide, plane);
    }
}

/* Planes of 5 by 5 or 7 by 7 taps with at most so many outputs, and at least so many rows, for which
   slide_down.h was faster. */
#define LARGER_PLANE 4096
#define LEAST_ROWS(size) ((size) == 5 ? 14 : 35)

/* Whether the planes of a box are small ones: see slide_small.h. Of 5 by 5 and 7 by 7 taps those are
   with rows of a vector or more, and so many of them that the first and the last, whose sums wait for
   one another, matter little; and their sums take 32 registers. */
CX_INLINE int NAME(is_small)(const cx_pass *pass, const cx_box *box)
{
    const cx_axis *rows = &pass->axes[0], *columns = rows + 1;
    int64_t size = pass->slide_rows, height = box->extent[0], length = box->extent[1];
    int fits = size == 3 && height * length <= CX_SMALL_PLANE;
    if (size == 5 || size == 7)
        fits = ROWS >= 8 && length >= LANES && height * length <= LARGER_PLANE &&
               height >= LEAST_ROWS(size);
    return IS_FLOAT && pass->rank == 2 && fits && pass->slide_columns == size &&
           pass->channels == 1 && columns->position_stride == 1 && columns->out_stride == 1 &&
           rows->out_stride == length;
}

/* Whether a box is worth it: enough rows, and rows that fill most of their vectors, or of half of one
   if planes are small. */
CX_INLINE int NAME(slides)(const cx_pass *pass, const cx_box *box)
{
    int64_t last = pass->rank - 1;
    if (pass->slide_rows == 0 || box->extent[last - 1] < CX_SLIDE_ROWS)
        return 0;
    int64_t length = box->extent[last], lanes = LANES;
    if (length <= pass->narrowest && NAME(is_small)(pass, box))
        lanes = pass->narrowest;
    return 4 * length >= 3 * ((length + lanes - 1) / lanes * lanes);
}

/* All the outputs of a box. */
static void NAME(slide_box)(const cx_pass *pass, const cx_box *box, NAME(slide) *slide, T *output)
{
    int64_t last = pass->rank - 1, index[CX_MAX_RANK] = {0};
    int64_t length = pass->axes[last].tile_length;
    const cx_axis *rows = &pass->axes[last - 1], *columns = &pass->axes[last];
    NAME(plane) plane = {output, rows->out_stride, columns->out_stride,
                         box->extent[last - 1], box->extent[last], 0};
    plane.dense = columns->out_stride == 1 && rows->out_stride == plane.length;
    const T **source = slide->source;
    do {
        slide->source = source;
        plane.output = output;
        for (int64_t a = 0; a < last - 1; a++) {
            slide->source += index[a] * pass->axes[a].position_stride / length;
            plane.output += index[a] * pass->axes[a].out_stride;
        }
        NAME(slide_plane)(slide, &plane);
    } while (cx_next(index, box->extent, last - 1));
    slide->source = source;
}

#include "slide_rows.h"
#if IS_FLOAT
#include "slide_small.h"
#endif

/* The outputs of a box, group by group. */
static void NAME(forward_slide)(const cx_pass *pass, const cx_call *call, const cx_share *share,
                                const NAME(space) *space)
{
    NAME(slide) slide = NAME(find_slide)(pass, space);
    NAME(row_finder) finder = NAME(find_row_finder)(
        pass, space, &slide, cx_max(space->box.extent[pass->rank - 1], LANES));
#if IS_FLOAT
    if (NAME(is_small)(pass, &space->box)) {
        NAME(forward_small)(pass, call, share, space, &slide, &finder);
        return;
    }
#endif
    int upwards = NAME(goes_upwards)(&slide);
    NAME(step) s = NAME(first_step)(pass);
    int in_order = pass->taps_in_order && pass->weight_channel == pass->kernel_taps;
    for (int64_t n = share->item; n < share->end_item; n++)
        for (int64_t i = 0; i < share->end_group - share->group; i++) {
            int64_t group = upwards ? share->end_group - 1 - i : share->group + i;
            slide.weights = in_order ? (const T *)call->weight + group * pass->weight_group
                                     : NAME(find_weights)(pass, call, group, 0, 1, &s, space).weights;
            slide.bias = call->bias ? ((const T *)call->bias)[group] : (T)0;
            NAME(find_input_rows)(pass, space, &finder, call->input,
                                  n * pass->in_batch + group * pass->channels * pass->in_channel);
            NAME(find_rows_below)(pass, space, &finder,
                                  (const T *)call->input + n * pass->in_batch, &slide);
            NAME(slide_box)(pass, &space->box, &slide,
                            (T *)call->output + n * pass->out_batch + group * pass->out_channel +
                                space->box.out);
            NAME(finish_box)(pass, call, &space->box, n, n + 1, group, group + 1);
        }
}
