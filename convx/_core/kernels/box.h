/* Where the outputs of one box lie, and which input rows its tile holds: the part of a task that
   knows no element type. */

#ifndef CONVX_BOX_H
#define CONVX_BOX_H

#include "convx.h"

/* Outputs that are neighbours in the tile, in the panel and in the output. */
typedef struct {
    int64_t tile, out; /* offsets from the box's first position and first output */
    int64_t column, length;
} cx_run;

/* Outputs that one call of a product computes: `columns` of the panel's `width` are wanted. */
typedef struct {
    int64_t runs, columns, width;
    const cx_run *run;
    int whole; /* one stretch of memory in the output */
    int64_t tap, taps; /* the first tap that it cannot leave out, and how many there are */
} cx_panel;

/* In the place of an offset: there is no input, but zeros. Offsets may be negative. */
#define CX_ZEROS INT64_MIN

/* A stretch of a tile row: taken from the input with a step, or zeros. */
typedef struct {
    int64_t tile, source, length, step;
} cx_stretch;

typedef struct {
    int64_t origin[CX_MAX_RANK]; /* input coordinates of the first output */
    int64_t extent[CX_MAX_RANK];
    int64_t in, out; /* offsets of the box in an item's input (when in place) and output */
    int64_t panels;
    int edges; /* some panels may leave out taps */
    cx_panel *panel;
    cx_run *run;
    int64_t *row_source; /* offset of each tile row in a channel of the input, or CX_ZEROS */
    int64_t stretches;
    cx_stretch *stretch;
} cx_box;

/* What a task of a convolution computes: the outputs of some boxes for some items of the batch,
   groups and register blocks of their filters. */
typedef struct {
    int64_t box, end_box, item, end_item, group, end_group, block, end_block;
} cx_share;

static inline cx_share cx_find_share(const cx_pass *pass, int64_t task, int64_t filter_blocks)
{
    cx_share share;
    int64_t group_parts = (pass->groups + pass->task_groups - 1) / pass->task_groups;
    int64_t part = task % pass->filter_parts, rest = task / pass->filter_parts;
    int64_t box_parts = (pass->boxes + pass->boxes_together - 1) / pass->boxes_together;
    share.box = rest % box_parts * pass->boxes_together;
    share.end_box = cx_min(share.box + pass->boxes_together, pass->boxes);
    rest /= box_parts;
    share.group = rest % group_parts * pass->task_groups;
    share.item = rest / group_parts * pass->items;
    share.end_group = cx_min(share.group + pass->task_groups, pass->groups);
    share.end_item = cx_min(share.item + pass->items, pass->batch);
    share.block = cx_part(filter_blocks, pass->filter_parts, part);
    share.end_block = cx_part(filter_blocks, pass->filter_parts, part + 1);
    return share;
}

/* The same of a weight gradient: the weights of some channels and register blocks of filters,
   summed over the steps step … end_step - 1 of those of a row part, part_step … part_end - 1. A
   step goes over boxes_together boxes, the items' boxes being numbered as one sequence. */
typedef struct {
    int64_t row_part, group, end_group, channel, channels, block, end_block;
    int64_t part_step, step, end_step, part_end;
} cx_gradient_share;

static inline cx_gradient_share cx_find_gradient_share(const cx_pass *pass, const cx_call *call,
                                                       int64_t task, int64_t filter_blocks)
{
    cx_gradient_share share;
    int64_t channel_blocks = (pass->channels + pass->channel_block - 1) / pass->channel_block;
    int64_t group_parts = (pass->groups + pass->task_groups - 1) / pass->task_groups;
    int64_t part = task % pass->filter_parts, rest = task / pass->filter_parts;
    share.channel = rest % channel_blocks * pass->channel_block;
    rest /= channel_blocks;
    share.group = rest % group_parts * pass->task_groups;
    share.end_group = cx_min(share.group + pass->task_groups, pass->groups);
    share.row_part = rest / group_parts;
    share.channels = cx_min(pass->channel_block, pass->channels - share.channel);
    share.block = cx_part(filter_blocks, pass->filter_parts, part);
    share.end_block = cx_part(filter_blocks, pass->filter_parts, part + 1);
    int64_t boxes = pass->batch * pass->boxes;
    int64_t steps = (boxes + pass->boxes_together - 1) / pass->boxes_together;
    /* longer parts lie among shorter ones, so that threads have as much to do */
    share.part_step = steps * share.row_part / pass->row_parts;
    share.part_end = steps * (share.row_part + 1) / pass->row_parts;
    share.step = share.part_step + call->first_step;
    share.end_step = cx_min(share.step + call->steps, share.part_end);
    return share;
}

static inline void *cx_carve(char **scratch, int64_t bytes)
{
    void *start = *scratch;
    *scratch += (bytes + 63) / 64 * 64;
    return start;
}

static inline void cx_carve_box(const cx_pass *pass, cx_box *box, char **scratch)
{
    const cx_axis *last = &pass->axes[pass->rank - 1];
    int64_t stretches = last->halo ? 2 * last->tile_length : 3 * last->strands;
    int panels = !(pass->flat || pass->lanes || pass->position_lanes || pass->filter_vectors ||
                   pass->winograd_tile || pass->fft_axes);
    int64_t positions = panels ? pass->positions : 0;
    box->panel = cx_carve(scratch, (positions + 1) * (int64_t)sizeof(cx_panel));
    box->run = cx_carve(scratch, (2 * positions + 1) * (int64_t)sizeof(cx_run));
    box->row_source = cx_carve(scratch, pass->tile_rows * (int64_t)sizeof(int64_t));
    box->stretch = cx_carve(scratch, stretches * (int64_t)sizeof(cx_stretch));
}

/* Returns whether there are outputs: the last box of a phase may have none. */
static inline int cx_place_box(const cx_pass *pass, int64_t index, cx_box *box)
{
    int any = 1;
    box->in = 0;
    box->out = pass->out_origin;
    for (int64_t a = pass->rank - 1; a >= 0; a--) {
        const cx_axis *axis = &pass->axes[a];
        int64_t blocks = axis->blocks / axis->phases, at = index % axis->blocks;
        int64_t phase = at / blocks, first = at % blocks * axis->block;
        int64_t outputs = (axis->outputs - phase + axis->phases - 1) / axis->phases;
        index /= axis->blocks;
        box->origin[a] = first * axis->stride + phase * (axis->stride / axis->phases);
        box->extent[a] = cx_min(axis->block, outputs - first);
        box->in += first * axis->position_stride;
        box->out += first * axis->out_stride + phase * (axis->out_stride / axis->phases);
        any &= box->extent[a] > 0;
    }
    return any;
}

/* The input index of a padded coordinate, or -1 where the padding is zero. */
static inline int64_t cx_source(const cx_axis *axis, int64_t coordinate)
{
    if (coordinate >= 0 && coordinate < axis->in_size)
        return coordinate;
    if (!axis->halo)
        return -1;
    coordinate += axis->halo_low - (coordinate < 0 ? 0 : axis->in_size);
    return coordinate >= 0 && coordinate < axis->halo_length ? axis->halo[coordinate] : -1;
}

/* Next index of a box of the given extents, last axis fastest; 0 when it is over. */
static inline int cx_next(int64_t *index, const int64_t *extent, int64_t rank)
{
    for (int64_t a = rank - 1; a >= 0; a--) {
        if (++index[a] < extent[a])
            return 1;
        index[a] = 0;
    }
    return 0;
}

static inline void cx_find_rows(const cx_pass *pass, cx_box *box)
{
    int64_t outer = pass->rank - 1, index[CX_MAX_RANK] = {0}, extent[CX_MAX_RANK];
    int64_t strand[CX_MAX_RANK] = {0}, within[CX_MAX_RANK] = {0};
    for (int64_t a = 0; a < outer; a++)
        extent[a] = pass->axes[a].tile_length;
    int64_t row = 0;
    do {
        int64_t source = 0;
        for (int64_t a = 0; a < outer; a++) {
            const cx_axis *axis = &pass->axes[a];
            if (index[a] == 0)
                strand[a] = within[a] = 0;
            while (within[a] + axis->strand_length[strand[a]] <= index[a])
                within[a] += axis->strand_length[strand[a]++];
            int64_t at = cx_source(axis, box->origin[a] + axis->strand_start[strand[a]] +
                                             (index[a] - within[a]) * axis->step);
            source = at < 0 || source == CX_ZEROS ? CX_ZEROS : source + at * axis->in_stride;
        }
        box->row_source[row++] = source;
    } while (cx_next(index, extent, outer));
}

static inline void cx_add_stretch(cx_box *box, int64_t tile, int64_t source, int64_t length,
                                  int64_t step)
{
    if (length > 0)
        box->stretch[box->stretches++] = (cx_stretch){tile, source, length, step};
}

/* How a row of the tile is put together: for each strand the border before the input, the
   inside, the border after it. */
static inline void cx_find_stretches(const cx_pass *pass, cx_box *box)
{
    const cx_axis *axis = &pass->axes[pass->rank - 1];
    int64_t step = axis->step, tile = 0;
    box->stretches = 0;
    for (int64_t m = 0; m < axis->strands; m++) {
        int64_t start = axis->strand_start[m] + box->origin[pass->rank - 1];
        int64_t length = axis->strand_length[m];
        int64_t before = start < 0 ? cx_min((-start + step - 1) / step, length) : 0;
        int64_t end = axis->in_size - start; /* coordinates below in_size: i * step < end */
        int64_t inside = end > 0 ? cx_min((end + step - 1) / step, length) : 0;
        inside = cx_max(inside, before);
        int64_t border[2][2] = {{0, before}, {inside, length}};
        cx_add_stretch(box, tile + before, (start + before * step) * axis->in_stride,
                       inside - before, step * axis->in_stride);
        for (int side = 0; side < 2; side++)
            for (int64_t i = border[side][0], n; i < border[side][1]; i += n) {
                int64_t at = cx_source(axis, start + i * step);
                n = axis->halo ? 1 : border[side][1] - i;
                cx_add_stretch(box, tile + i, at < 0 ? CX_ZEROS : at * axis->in_stride, n, 0);
            }
        tile += length;
    }
}

/* The widest panel that the columns ahead fill, counted in units of the narrowest. `widths` falls,
   ends with 0, and each is a multiple of the last. */
static inline int64_t cx_fitting_width(const int64_t *widths, int64_t ahead)
{
    int64_t unit = widths[0];
    for (const int64_t *w = widths; *w; w++)
        unit = *w;
    while (*widths > (ahead + unit - 1) / unit * unit)
        widths++;
    return *widths;
}

/* The last axes whose outputs lie so close in the tile that they are computed as one stretch, gaps
   included: *outer axes remain. Returns the length of a stretch. */
static inline int64_t cx_flatten(const cx_pass *pass, const cx_box *box, int64_t *outer)
{
    int64_t a = pass->rank - 1, length = box->extent[a];
    for (; a > 0; a--) {
        int64_t pitch = pass->axes[a - 1].position_stride;
        if (box->extent[a - 1] > 1 && 4 * length < 3 * pitch)
            break;
        length += (box->extent[a - 1] - 1) * pitch;
    }
    *outer = a;
    return length;
}

/* Find where rows of outputs begin, in the tile and in the output; return how many there are. */
static inline int64_t cx_find_output_rows(const cx_pass *pass, const int64_t *extent,
                                          int64_t *row_place, int64_t *row_out)
{
    int64_t index[CX_MAX_RANK] = {0}, last = pass->rank - 1, rows = 0;
    do {
        int64_t place = 0, out = 0;
        for (int64_t a = 0; a < last; a++) {
            place += index[a] * pass->axes[a].position_stride;
            out += index[a] * pass->axes[a].out_stride;
        }
        row_place[rows] = place;
        row_out[rows++] = out;
    } while (cx_next(index, extent, last));
    return rows;
}

/* Cut the box's outputs into panels. Where panels are gathered they run on over the rows of the
   box, otherwise each row is cut by itself. */
static inline void cx_cut_panels(const cx_pass *pass, cx_box *box, const int64_t *widths)
{
    int64_t last = pass->rank - 1, index[CX_MAX_RANK] = {0}, left = 1, room = 0;
    int64_t out_step = pass->axes[last].out_stride, step = pass->axes[last].position_stride;
    for (int64_t a = 0; a < pass->rank; a++)
        left *= box->extent[a];
    cx_run *run = box->run;
    cx_panel *panel = box->panel - 1;
    do {
        int64_t tile = 0, out = 0;
        for (int64_t a = 0; a < last; a++) {
            tile += index[a] * pass->axes[a].position_stride;
            out += index[a] * pass->axes[a].out_stride;
        }
        for (int64_t at = 0, length; at < box->extent[last]; at += length, left -= length) {
            if (room == 0) {
                int64_t ahead = pass->gathered ? left : box->extent[last] - at;
                room = cx_fitting_width(widths, ahead);
                *++panel = (cx_panel){0, 0, room, run, out_step == 1};
            }
            length = cx_min(room, box->extent[last] - at);
            int64_t here = out + at * out_step;
            *run++ = (cx_run){tile + at * step, here, panel->columns, length};
            panel->whole &= here - panel->run->out == panel->columns;
            panel->columns += length;
            panel->runs++;
            room = pass->gathered || at + length < box->extent[last] ? room - length : 0;
        }
    } while (cx_next(index, box->extent, last));
    box->panels = panel - box->panel + 1;
}

/* Find the taps of each panel, a piece of one row, from the first to the last that reaches a row of
   the input: beside a padded plane the others reach nothing but zeros. */
static inline void cx_find_taps(const cx_pass *pass, cx_box *box)
{
    int64_t length = pass->axes[pass->rank - 1].tile_length;
    for (cx_panel *panel = box->panel; panel < box->panel + box->panels; panel++) {
        const int64_t *row = box->row_source, place = panel->run->tile;
        int64_t first = 0, end = pass->taps;
        while (first < end && row[(place + pass->tap_offset[first]) / length] == CX_ZEROS)
            first++;
        while (first < end && row[(place + pass->tap_offset[end - 1]) / length] == CX_ZEROS)
            end--;
        panel->tap = first;
        panel->taps = end - first;
        box->edges |= panel->taps < pass->taps;
    }
}

#endif
