/* Small planes, for which the tables and blocks of slide.h, which includes this, cost too much: of 3
   by 3 taps as much as the sums. A vector's columns go through all rows of a plane: an input row,
   loaded for each of the three tap columns, takes part in the sums of three output rows, one after the
   other, of which one is complete then. Mirrored kernels begin with the last row: so each sum is the
   same chain. */

typedef struct {
    const T *x, *zeros;    /* the input, where rows begin; a row that is not there */
    const int64_t *row;    /* of each row: where it begins, or CX_ZEROS */
    const int64_t *column; /* of each tap of a row: its place there */
    const T *inside;       /* as a row, of bits: which places lie in the input; or NULL: all do */
    const T *weights;
    T bias;
    T *output;
    int64_t height, length; /* of outputs, whose rows follow one another */
    int64_t in_ahead, out_ahead; /* from a row to that of a later plane that is asked for, or 0 */
} NAME(small);

/* How many planes further on is the one that is asked for while a plane is computed: rows are too
   short for processors to foresee what comes next, but not where planes are so short that they follow
   one another like a stream. */
CX_INLINE int64_t NAME(planes_ahead)(const cx_pass *pass)
{
    int64_t bytes = pass->in_channel * (int64_t)sizeof(T);
    return bytes < 512 ? 0 : 3072 / bytes + 1;
}

#define BLOCK(name) NAME(name)
#define BLOCK_LANES LANES
#include "slide_columns.h"
#include "slide_down.h"
#undef BLOCK
#undef BLOCK_LANES
#if CX_HALF_VECTORS
#define BLOCK(name) NAME(half_##name)
#define BLOCK_LANES (LANES / 2)
#include "slide_columns.h"
#include "slide_down.h"
#undef BLOCK
#undef BLOCK_LANES
#endif

/* A plane. The last vector of a row lies over the one before it if there is one; of short rows half
   a vector may do. */
CX_INLINE void NAME(slide_rows_of)(const int mirrored, const NAME(small) *of, int halves)
{
    int64_t at = 0;
    for (; at + LANES <= of->length; at += LANES)
        NAME(slide_columns)(mirrored, 0, of, at);
#if CX_HALF_VECTORS
    if (halves && at < of->length && of->length - at <= LANES / 2) {
        if (at)
            NAME(half_slide_columns)(mirrored, 0, of, of->length - LANES / 2);
        else
            NAME(half_slide_columns)(mirrored, 1, of, 0);
        return;
    }
#endif
    if (at && at < of->length)
        NAME(slide_columns)(mirrored, 0, of, of->length - LANES);
    else if (at < of->length)
        NAME(slide_columns)(mirrored, 1, of, 0);
}

CX_NOINLINE static void NAME(slide_small)(const NAME(small) *of, int halves)
{
    NAME(slide_rows_of)(0, of, halves);
}

CX_NOINLINE static void NAME(slide_small_mirrored)(const NAME(small) *of, int halves)
{
    NAME(slide_rows_of)(1, of, halves);
}

/* A plane of 5 by 5 or 7 by 7 taps, whose rows are at least a vector long. The last half of a vector,
   with half of the rows beside the other half, takes two thirds of the time of a whole one. */
CX_INLINE void NAME(slide_down_rows_of)(const int size, const NAME(small) *of, int mirrored, int halves)
{
    int64_t at = 0, rest = of->length % LANES;
    for (; at + LANES <= of->length; at += LANES)
        NAME(slide_down)(size, 1, mirrored, of, at);
    if (!rest)
        return;
#if CX_HALF_VECTORS
    if (halves && rest <= LANES / 2) { /* and there are rows enough for two halves */
        NAME(half_slide_down)(size, 2, mirrored, of, of->length - LANES / 2);
        return;
    }
#endif
    (void)halves;
    NAME(slide_down)(size, 1, mirrored, of, of->length - LANES);
}

#define SLIDE_DOWN(SIZE)                                                                          \
    CX_NOINLINE static void NAME(slide_down_##SIZE)(const NAME(small) *of, int mirrored,          \
                                                    int halves)                                   \
    {                                                                                             \
        NAME(slide_down_rows_of)(SIZE, of, mirrored, halves);                                     \
    }
SLIDE_DOWN(5)
SLIDE_DOWN(7)
#undef SLIDE_DOWN

/* The outputs of small planes, group by group: those of mirrored kernels from the last one on, for
   processors foresee what is read in one direction. */
static void NAME(forward_small)(const cx_pass *pass, const cx_call *call, const cx_share *share,
                                const NAME(space) *space, const NAME(slide) *slide,
                                const NAME(row_finder) *finder)
{
    NAME(step) s = NAME(first_step)(pass);
    int in_order = pass->taps_in_order && pass->weight_channel == pass->kernel_taps;
    NAME(small) of = {.zeros = finder->zeros, .column = slide->column, .inside = slide->inside,
                      .height = space->box.extent[0], .length = space->box.extent[1]};
    int64_t planes = slide->down * NAME(planes_ahead)(pass);
    of.in_ahead = planes * pass->in_channel;
    of.out_ahead = planes * pass->out_channel;
    for (int64_t n = share->item; n < share->end_item; n++)
        for (int64_t i = 0; i < share->end_group - share->group; i++) {
            int64_t group = slide->down < 0 ? share->end_group - 1 - i : share->group + i;
            of.weights = in_order ? (const T *)call->weight + group * pass->weight_group
                                  : NAME(find_weights)(pass, call, group, 0, 1, &s, space).weights;
            of.bias = call->bias ? ((const T *)call->bias)[group] : (T)0;
            of.x = NAME(place_rows)(pass, space, finder, call->input,
                                    n * pass->in_batch + group * pass->in_channel, &of.row);
            of.output = (T *)call->output + n * pass->out_batch + group * pass->out_channel +
                        space->box.out;
            if (slide->rows == 5)
                NAME(slide_down_5)(&of, slide->down < 0, slide->halves);
            else if (slide->rows == 7)
                NAME(slide_down_7)(&of, slide->down < 0, slide->halves);
            else if (slide->down < 0)
                NAME(slide_small_mirrored)(&of, slide->halves);
            else
                NAME(slide_small)(&of, slide->halves);
            NAME(finish_box)(pass, call, &space->box, n, n + 1, group, group + 1);
        }
}
