/* How a task walks over the reduction and over the filters, and the scratch memory it works in. */

/* One step of the reduction: channels by taps, from (channel, tap) on. */
typedef struct {
    int64_t channel, channels, tap, taps;
} NAME(step);

CX_INLINE NAME(step) NAME(first_step)(const cx_pass *pass)
{
    return (NAME(step)){0, cx_min(pass->channel_block, pass->channels), 0,
                        cx_min(pass->tap_block, pass->taps)};
}

/* Goes to the next step, 0 when it is over. A pass without channels or taps still has its first
   step, which writes the bias. */
CX_INLINE int NAME(next_step)(const cx_pass *pass, NAME(step) *s)
{
    s->tap += s->taps;
    if (s->tap >= pass->taps) {
        s->tap = 0;
        s->channel += s->channels;
        if (s->channel >= pass->channels)
            return 0;
    }
    s->channels = cx_min(pass->channel_block, pass->channels - s->channel);
    s->taps = cx_min(pass->tap_block, pass->taps - s->tap);
    return 1;
}

CX_INLINE int NAME(is_last_step)(const cx_pass *pass, const NAME(step) *s)
{
    return s->channel + s->channels == pass->channels && s->tap + s->taps == pass->taps;
}

/* A group's filters are dealt evenly into register blocks, or into vectors where they are lanes;
   part `index` of them: its first. */
CX_INLINE int64_t NAME(filter_blocks)(const cx_pass *pass)
{
    int64_t width = pass->filter_vectors ? pass->filter_vectors * LANES : ROWS;
    return (pass->filters + width - 1) / width;
}

CX_INLINE int64_t NAME(first_filter)(const cx_pass *pass, int64_t block)
{
    if (pass->filter_vectors)
        return cx_min(block * pass->filter_vectors * LANES, pass->filters);
    return cx_part(pass->filters, NAME(filter_blocks)(pass), block);
}

/* Elements from one row of a panel to the next: the panel's greatest width. */
#define PANEL_PITCH (2 * LANES)

/* A panel with one row more than it has steps, which keeps the rows of neighbouring panels out of
   one another's cache sets; and how much of panels is gathered at a time. */
#define PANEL_SIZE(steps) (((steps) + 1) * PANEL_PITCH)
#define PANELS_SIZE (96 * 1024 / (int64_t)sizeof(T))

/* Elements from one filter's outputs to the next where they are computed flat. */
#define FLAT_PITCH(pass) ((pass)->tile_size + CX_MOST_VECTORS * LANES)

/* Panels that all filters go over before the next, where the input is read in place. */
#define STREAMED_PANELS 2

/* Lines of panels to come that are asked for at most. */
#define MOST_LINES 64

/* One vector's way from the tile into the panels. */
typedef struct {
    int64_t from, to;
} NAME(move);

/* Where a box's input lies: its tile, the end of what may be read, and the tile of the item after
   it, if that is in the input too, else NULL. */
typedef struct {
    const T *tile, *end, *next;
} NAME(inputs);

/* Lines of the input, the same of each channel, that panels to come are gathered from. */
typedef struct {
    const T *tile;
    int64_t count, offset[MOST_LINES];
} NAME(lines);

/* What a thread's scratch memory holds. Buffers of elements end with room for the widest panel,
   so that whole vectors may run over the end of what is wanted. */
typedef struct {
    cx_box box;
    int64_t *offset;       /* in the tile of each step of the reduction, or column of a panel */
    int64_t *panel_offset; /* of each step in a panel */
    int64_t *weight_offset; /* and in the weights, where they are strided */
    NAME(move) *moves; /* of gathering */
    int64_t *tile_row;  /* where rows of the tile begin */
    int64_t *slide_row; /* of rows that share their input, see slide.h; and so on */
    const T **source;
    T *tile, *panel, *weights, *kernels, *staged, *zeros, *inside;
} NAME(space);

/* Places of a row where rows share their input, and room for whole vectors. */
#define SLIDE_ROOM(pass)                                                                          \
    ((pass)->axes[(pass)->rank - 1].tile_length +                                                 \
     3 * LANES * (pass)->axes[(pass)->rank - 1].position_stride)

CX_INLINE T *NAME(carve_elements)(char **scratch, int64_t elements)
{
    return cx_carve(scratch, (elements + CX_MOST_VECTORS * LANES) * (int64_t)sizeof(T));
}

CX_INLINE NAME(space) NAME(carve)(const cx_pass *pass, int kind, char **scratch)
{
    NAME(space) space;
    int64_t columns = CX_MOST_VECTORS * LANES, reduction = pass->channel_block * pass->tap_block;
    /* a product's steps: of the reduction, which for the weight gradient goes over positions */
    int64_t steps = reduction;
    int64_t panels = cx_max(PANEL_SIZE(steps), PANELS_SIZE), boxes = 1;
    if (kind == CX_WEIGHT_GRADIENT) {
        boxes = pass->boxes_together;
        steps = boxes * pass->positions;
        panels = steps * 3 / 2 * PANEL_PITCH; /* with gaps between rows, see weight_gradient.h */
    } else if (!pass->gathered)
        panels = 0;
    int64_t filters = pass->filters / pass->filter_parts + 2 * ROWS;
    cx_carve_box(pass, &space.box, scratch);
    int64_t offsets = kind == CX_WEIGHT_GRADIENT ? PANEL_PITCH : reduction;
    space.offset = cx_carve(scratch, offsets * (int64_t)sizeof(int64_t));
    space.panel_offset = cx_carve(scratch, steps * (int64_t)sizeof(int64_t));
    space.weight_offset = cx_carve(
        scratch, pass->strided ? (steps + CX_AHEAD) * (int64_t)sizeof(int64_t) : 0);
    space.moves = cx_carve(
        scratch, pass->gathered ? 2 * (pass->positions + 2) * (int64_t)sizeof(*space.moves) : 0);
    space.tile = NAME(carve_elements)(
        scratch, pass->in_place ? 0 : boxes * pass->channel_block * pass->tile_size);
    space.panel = NAME(carve_elements)(scratch, panels);
    space.weights = NAME(carve_elements)(scratch, (pass->strided ? ROWS : filters) * steps);
    space.kernels = NAME(carve_elements)(
        scratch, pass->kernel_taps <= CX_MOST_KERNEL_TAPS ? ROWS * (pass->kernel_taps + 1) : 0);
    space.staged = NAME(carve_elements)(
        scratch, pass->flat ? pass->filters * FLAT_PITCH(pass) : ROWS * columns);
    int64_t sources = pass->slide_rows ? pass->channels * pass->tile_rows : 0;
    int64_t planes = pass->slide_rows ? pass->channels * pass->taps : 0;
    int64_t room = pass->slide_rows ? SLIDE_ROOM(pass) : 0;
    space.tile_row =
        cx_carve(scratch, pass->slide_rows ? pass->tile_rows * (int64_t)sizeof(int64_t) : 0);
    space.slide_row = cx_carve(scratch, planes * (int64_t)sizeof(int64_t));
    space.source = cx_carve(scratch, sources * (int64_t)sizeof(T *));
    space.zeros = NAME(carve_elements)(scratch, room);
    space.inside = NAME(carve_elements)(scratch, room);
    return space;
}

static void NAME(find_offsets)(const cx_pass *pass, const NAME(step) *s, int64_t channel_stride,
                               int64_t *offset)
{
    for (int64_t c = 0; c < s->channels; c++)
        for (int64_t t = s->tap; t < s->tap + s->taps; t++)
            *offset++ = c * channel_stride + pass->tap_offset[t];
}

static void NAME(find_panel_offsets)(int64_t steps, int64_t *offset)
{
    for (int64_t m = 0; m < steps; m++)
        offset[m] = m * PANEL_PITCH;
}
