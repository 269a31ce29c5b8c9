/* The gradient of the weights of depthwise kernels of 3 by 3 taps, by rows: an input row is loaded
   once for the gradients of all output rows that its taps reach. Planes are read where they lie, one
   after the other; only those at the very ends of the arrays, beside which nothing may be read, and
   those with a border other than zeros are copied.

   Column i of every row has the sum of i mod `width`, whatever the vectors are; they go on from plane
   to plane and are added up by halves at last. Lanes beside the input, and past the end of a row of
   outputs, are masked in both factors: what lies there need not be finite. */

typedef struct {
    const T *x, *zeros;  /* the input, where rows begin; a row that is not there */
    const int64_t *row;  /* of each row, from the first output's on: where it begins, or CX_ZEROS */
    const int64_t *column; /* of each tap of a row: its place there */
    const T *inside;     /* as a row, of bits: which places lie in the input; or NULL: all do */
    const T *keep;       /* the same for a row of outputs */
    const T *gradient;
    int64_t gradient_stride, height, length;
} NAME(summed);

CX_INLINE const T *NAME(summed_row)(const NAME(summed) *plane, int64_t row)
{
    int64_t at = plane->row[row];
    return at == CX_ZEROS ? plane->zeros : plane->x + at;
}

/* Elements from a weight's sums to the next one's: whole vectors. */
#define SUMS_PITCH(width) cx_max(LANES, width)

#define BLOCK(name) NAME(name)
#define BLOCK_LANES LANES
#include "slide_sums.h"
#if CX_HALF_VECTORS
#define BLOCK(name) NAME(half_##name)
#define BLOCK_LANES (LANES / 2)
#include "slide_sums.h"
#endif

/* Sums of a weight: rows of half as many columns do without the other half. */
CX_INLINE int64_t NAME(sums_of_weight)(const cx_pass *pass)
{
    int64_t sums = 64 / (int64_t)sizeof(T), last = pass->rank - 1;
    int short_rows = pass->axes[last].outputs <= sums / 2 && pass->axes[last].stride == 1;
    return short_rows ? sums / 2 : sums;
}

/* Elements from the first gradient of all to the last; 0 if rows are not read where they lie. */
static int64_t NAME(gradient_span)(const cx_pass *pass)
{
    int64_t span = 1 + (pass->batch - 1) * pass->out_batch + (pass->groups - 1) * pass->out_channel;
    int in_order = pass->out_batch >= 0 && pass->out_channel >= 0 &&
                   pass->axes[pass->rank - 1].out_stride == 1;
    for (int64_t a = 0; a < pass->rank; a++) {
        span += (pass->axes[a].outputs - 1) * pass->axes[a].out_stride;
        in_order &= pass->axes[a].out_stride >= 0;
    }
    return in_order ? span : 0;
}

typedef struct {
    NAME(space) common;
    T *keep, *gradient;    /* copied */
    int64_t room;          /* of a row in these */
    int64_t gradient_span; /* elements of all gradients that may be read where they lie, … */
    int64_t gradient_reach; /* … and of a box */
} NAME(slide_gradient_space);

static NAME(slide_gradient_space) NAME(carve_slide_gradient)(const cx_pass *pass, char **scratch)
{
    NAME(slide_gradient_space) space;
    int64_t length = pass->axes[pass->rank - 1].block;
    space.gradient_span = NAME(gradient_span)(pass);
    space.room = (length / LANES + 2) * LANES;
    space.common = NAME(carve)(pass, CX_FORWARD, scratch);
    space.keep = NAME(carve_elements)(scratch, space.room);
    space.gradient = NAME(carve_elements)(scratch, pass->positions / length * space.room);
    return space;
}

static void NAME(sum_plane_of)(const cx_pass *pass, const NAME(summed) *plane, int64_t width, T *sums)
{
    if (pass->axes[pass->rank - 1].stride == 2)
        NAME(sum_plane_of_every_other)(plane, width, sums);
#if CX_HALF_VECTORS
    else if (width < LANES)
        NAME(half_sum_plane_of_3)(plane, width, sums);
#endif
    else
        NAME(sum_plane_of_3)(plane, width, sums);
}

/* The planes of a box of one group, for each of its outputs along the outer axes those of all taps
   there. Gradients that were copied follow one another. */
static void NAME(sum_planes)(const cx_pass *pass, const cx_box *box, const NAME(slide) *slide,
                             const NAME(summed) *first_plane, int is_copied, int64_t width, T *sums)
{
    int64_t outer = pass->rank - 2, index[CX_MAX_RANK] = {0}, before = 0;
    int64_t length = pass->axes[pass->rank - 1].tile_length;
    NAME(summed) plane = *first_plane;
    do {
        int64_t first = 0, out = 0;
        for (int64_t a = 0; a < outer; a++) {
            first += index[a] * pass->axes[a].position_stride / length;
            out += index[a] * pass->axes[a].out_stride;
        }
        plane.gradient = first_plane->gradient + (is_copied ? before : out);
        before += plane.height * plane.gradient_stride;
        for (int64_t p = 0; p < slide->planes; p++) {
            plane.row = first_plane->row + slide->row[p] + first;
            NAME(sum_plane_of)(pass, &plane, width, sums + p * 9 * SUMS_PITCH(width));
        }
    } while (cx_next(index, box->extent, outer));
}

/* Copies a box's rows of gradients, `room` apart. */
static void NAME(copy_gradients)(const cx_pass *pass, const cx_box *box, const T *from, int64_t room,
                                 T *to)
{
    int64_t last = pass->rank - 1, index[CX_MAX_RANK] = {0};
    do {
        const T *row = from;
        for (int64_t a = 0; a < last; a++)
            row += index[a] * pass->axes[a].out_stride;
        for (int64_t i = 0; i < box->extent[last]; i++)
            to[i] = row[i * pass->axes[last].out_stride];
        to += room;
    } while (cx_next(index, box->extent, last));
}

/* A box of one group of an item, which begins with elements `from` of the input and `to` of the
   gradients. */
static void NAME(sum_box_of_group)(const cx_pass *pass, const cx_call *call,
                                   const NAME(slide_gradient_space) *space,
                                   const NAME(slide) *slide, const NAME(row_finder) *finder,
                                   NAME(summed) *plane, int64_t from, int64_t to, int64_t width,
                                   T *sums)
{
    const cx_box *box = &space->common.box;
    int64_t outer = pass->rank - 2;
    plane->gradient = (const T *)call->weight + to;
    plane->gradient_stride = pass->axes[outer].out_stride;
    plane->x = NAME(place_rows)(pass, &space->common, finder, call->input, from, &plane->row);
    int is_copied = to + space->gradient_reach > space->gradient_span;
    if (is_copied) {
        NAME(copy_gradients)(pass, box, plane->gradient, space->room, space->gradient);
        plane->gradient = space->gradient;
        plane->gradient_stride = space->room;
    }
    if (outer == 0)
        NAME(sum_plane_of)(pass, plane, width, sums);
    else
        NAME(sum_planes)(pass, box, slide, plane, is_copied, width, sums);
}

/* A step's box of all groups of a task. */
static void NAME(sum_slide_box)(const cx_pass *pass, const cx_call *call, const cx_gradient_share *share,
                          int64_t step, NAME(slide_gradient_space) *space, NAME(slide) *slide,
                          int64_t width, T *sums)
{
    cx_box *box = &space->common.box;
    int64_t last = pass->rank - 1, item = step / pass->boxes;
    cx_place_box(pass, step % pass->boxes, box);
    cx_find_rows(pass, box);
    cx_find_stretches(pass, box);
    int64_t length = box->extent[last];
    NAME(row_finder) finder =
        NAME(find_row_finder)(pass, &space->common, slide, length + LANES);
    NAME(clear)(space->keep, space->room);
    __builtin_memset(space->keep, 0xff, length * sizeof(T));
    space->gradient_reach = LANES;
    for (int64_t a = 0; a <= last; a++)
        space->gradient_reach += (box->extent[a] - 1) * pass->axes[a].out_stride;
    NAME(summed) plane = {.zeros = finder.zeros, .column = slide->column, .inside = slide->inside,
                          .keep = space->keep, .height = box->extent[last - 1], .length = length};
    for (int64_t group = share->group; group < share->end_group; group++) {
        NAME(sum_box_of_group)(pass, call, space, slide, &finder, &plane,
                               item * pass->in_batch + group * pass->in_channel,
                               item * pass->out_batch + group * pass->out_channel + box->out, width,
                               sums);
        sums += pass->taps * SUMS_PITCH(width);
    }
}

/* The sums of a weight, as a vector's lanes. */
CX_INLINE NAME(vector) NAME(lanes_of_sums)(const T *sums, int64_t width)
{
    NAME(vector) part[4];
    int64_t parts = SUMS_PITCH(width) / LANES;
    for (int64_t p = 0; p < parts; p++)
        part[p] = *(const NAME(loose) *)(sums + p * LANES);
    for (; parts > 1; parts /= 2)
        for (int64_t p = 0; p < parts / 2; p++)
            part[p] += part[p + parts / 2];
    return part[0];
}

/* Adds up the sums of `count` weights. */
static void NAME(end_slide_sums)(const T *sums, int64_t width, int64_t count, T *to)
{
    for (int64_t i = 0; i < count; i += LANES) {
        NAME(vector) v[LANES];
        T ended[LANES];
        CX_UNROLL for (int64_t r = 0; r < LANES; r++)
            v[r] = NAME(lanes_of_sums)(sums + cx_min(i + r, count - 1) * SUMS_PITCH(width), width);
        *(NAME(loose) *)ended = NAME(fold)(v);
        NAME(copy)(to + i, ended, cx_min(LANES, count - i));
    }
}

static void NAME(gradient_slide)(const cx_pass *pass, const cx_call *call,
                                 const cx_gradient_share *share, int64_t task, char *scratch)
{
    NAME(slide_gradient_space) space = NAME(carve_slide_gradient)(pass, &scratch);
    int64_t width = NAME(sums_of_weight)(pass);
    int64_t size = pass->task_groups * pass->taps * SUMS_PITCH(width);
    T *sums = (T *)call->sums + task * size;
    NAME(slide) slide = NAME(find_slide)(pass, &space.common);
    if (share->step == share->part_step)
        NAME(clear)(sums, size);
    for (int64_t step = share->step; step < share->end_step; step++)
        NAME(sum_slide_box)(pass, call, share, step, &space, &slide, width, sums);
    if (share->end_step == share->part_end)
        NAME(end_slide_sums)(sums, width, (share->end_group - share->group) * pass->taps,
                             (T *)call->output +
                                 (share->row_part * pass->groups + share->group) * pass->taps);
}

#undef SUMS_PITCH
