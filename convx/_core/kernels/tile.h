/* Moving data into and out of a task's scratch memory: the padded tile, the panels, the staging
   of outputs that are not one stretch of memory. Scratch buffers end with room for the widest
   panel, so whole vectors may run over the end of what is wanted. */

/* Copies whole vectors: both sides may be touched up to a vector past `length`. */
CX_INLINE void NAME(copy_loose)(T *restrict to, const T *restrict from, int64_t length)
{
    for (int64_t i = 0; i < length; i += LANES)
        *(NAME(loose) *)(to + i) = *(const NAME(loose) *)(from + i);
}

CX_INLINE void NAME(copy_exact)(T *restrict to, const T *restrict from, int64_t length)
{
    int64_t i = 0;
    for (; i + LANES <= length; i += LANES)
        *(NAME(loose) *)(to + i) = *(const NAME(loose) *)(from + i);
    for (; i < length; i++)
        to[i] = from[i];
}

CX_INLINE void NAME(copy_every_other)(T *restrict to, const T *restrict from, int64_t length)
{
    for (int64_t i = 0; i < length; i++)
        to[i] = from[2 * i];
}

static void NAME(fill_tile)(const cx_pass *pass, const cx_box *box, const T *input, int64_t first,
                            int64_t channels, T *tile)
{
    int64_t length = pass->axes[pass->rank - 1].tile_length;
    for (int64_t c = first; c < first + channels; c++)
        for (int64_t row = 0; row < pass->tile_rows; row++, tile += length) {
            int64_t source = box->row_source[row];
            if (source < 0) {
                for (int64_t i = 0; i < length; i++)
                    tile[i] = 0;
                continue;
            }
            const T *from = input + c * pass->in_channel + source;
            for (int64_t s = 0; s < box->stretches; s++) {
                const cx_stretch *stretch = &box->stretch[s];
                T *to = tile + stretch->tile;
                const T *start = from + stretch->source;
                int64_t n = stretch->length;
                if (stretch->source < 0 && stretch->step == 0)
                    for (int64_t i = 0; i < n; i++)
                        to[i] = 0;
                else if (stretch->step == 1)
                    NAME(copy_exact)(to, start, n);
                else if (stretch->step == 2)
                    NAME(copy_every_other)(to, start, n);
                else
                    for (int64_t i = 0; i < n; i++)
                        to[i] = start[i * stretch->step];
            }
        }
}

/* Copies a step of the reduction to the panels of a box: panel[m][position]. */
static void NAME(gather)(const cx_pass *pass, const NAME(space) *space, const T *tile,
                         int64_t reduction)
{
    int64_t pitch = space->box.pitch;
    for (int64_t q = 0; q < space->box.panels; q++) {
        const cx_panel *panel = &space->box.panel[q];
        T *to = space->panels + q * reduction * pitch;
        for (int64_t m = 0; m < reduction; m++, to += pitch) {
            const T *from = tile + space->offset[m];
            for (const cx_run *run = panel->run; run < panel->run + panel->runs; run++)
                if (pass->in_place)
                    NAME(copy_exact)(to + run->column, from + run->tile, run->length);
                else
                    NAME(copy_loose)(to + run->column, from + run->tile, run->length);
        }
    }
}

/* Brings a panel's outputs of `rows` filters into the staging block, or back to the output. */
static void NAME(stage)(const cx_pass *pass, const cx_panel *panel, T *output, T *staged,
                        int64_t rows, int back)
{
    int64_t step = pass->axes[pass->rank - 1].out_stride;
    for (int64_t r = 0; r < rows; r++)
        for (const cx_run *run = panel->run; run < panel->run + panel->runs; run++) {
            T *out = output + r * pass->out_channel + run->out;
            T *here = staged + r * panel->width + run->column;
            if (back)
                for (int64_t i = 0; i < run->length; i++)
                    out[i * step] = here[i];
            else
                for (int64_t i = 0; i < run->length; i++)
                    here[i] = out[i * step];
        }
}
