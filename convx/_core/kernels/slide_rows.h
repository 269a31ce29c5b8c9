/* Where slide.h, which includes this, finds the rows of inputs: in the input itself, or in a tile. */

/* Of so many bytes of inputs, in rows shorter than a page, rows to come are asked for. */
#define ASKED_BYTES (4 << 20)
#define PAGE_BYTES 4096

/* How a task finds its rows, the same for each of its groups. */
typedef struct {
    int in_place;  /* in the input itself, as far as it may be read */
    int64_t start; /* from where row_source points to a row's first place */
    int64_t reach; /* elements that are read from there on */
    int64_t first, last; /* the lowest and the highest row_source */
    int64_t span;  /* elements from the first of the input to its last, or 0: not known */
    T *zeros;
} NAME(row_finder);

static NAME(slide) NAME(find_slide)(const cx_pass *pass, const NAME(space) *space)
{
    int64_t taps = pass->slide_rows * pass->slide_columns, planes = pass->taps / taps;
    int64_t last = pass->rank - 1, length = pass->axes[last].tile_length;
    for (int64_t p = 0; p < pass->channels * planes; p++)
        space->slide_row[p] = p / planes * pass->tile_rows +
                              pass->tap_offset[p % planes * taps] / length;
    for (int64_t k = 0; k < pass->slide_columns; k++)
        space->offset[k] = pass->tap_offset[k] % length;
    int64_t down = (pass->tap_offset[pass->slide_columns] - pass->tap_offset[0]) / length;
    return (NAME(slide)){pass->channels * planes, pass->slide_rows, pass->slide_columns,
                         pass->axes[last].position_stride, down, space->slide_row, space->offset,
                         space->source, NULL, 0, 0, NULL, 0, pass->narrowest < LANES, 0, NULL};
}

/* Elements from the first of all the input to its last; 0 if the first is not the lowest. */
static int64_t NAME(input_span)(const cx_pass *pass)
{
    int64_t span = 1 + (pass->batch - 1) * pass->in_batch +
                   (pass->groups * pass->channels - 1) * pass->in_channel;
    int negative = pass->in_batch < 0 || pass->in_channel < 0;
    for (int64_t a = 0; a < pass->rank; a++) {
        span += (pass->axes[a].in_size - 1) * pass->axes[a].in_stride;
        negative |= pass->axes[a].in_stride < 0;
    }
    return negative ? 0 : span;
}

/* Rows are found in the input where zeros are padded along them; what so many of their outputs need
   is read. Mirrored 7 by 7 doubles were faster with a tile. */
static NAME(row_finder) NAME(find_row_finder)(const cx_pass *pass, const NAME(space) *space,
                                              NAME(slide) *slide, int64_t outputs)
{
    const cx_axis *axis = &pass->axes[pass->rank - 1];
    NAME(row_finder) finder = {0, space->box.origin[pass->rank - 1] + axis->strand_start[0],
                               axis->tile_length + slide->stride * (outputs - axis->block + 1),
                               INT64_MAX, INT64_MIN, NAME(input_span)(pass), space->zeros};
    finder.in_place = NAME(slide_kind)(slide) > 10 && finder.span > 0 && !axis->halo &&
                      !(slide->down < 0 && slide->rows == 7 && sizeof(T) == 8) &&
                      axis->strands == 1 && axis->step == 1 && axis->in_stride == 1 &&
                      axis[-1].in_stride * (int64_t)sizeof(T) % CX_L1_PERIOD != 0;
    if (!finder.in_place)
        return finder;
    for (int64_t row = 0; row < pass->tile_rows; row++)
        if (space->box.row_source[row] != CX_ZEROS) {
            finder.first = cx_min(finder.first, space->box.row_source[row]);
            finder.last = cx_max(finder.last, space->box.row_source[row]);
        }
    int64_t item = sizeof(T), pitch = axis[-1].in_stride;
    if (finder.span * item >= ASKED_BYTES && pitch * item < PAGE_BYTES && slide->down > 0 &&
        slide->stride == 1)
        slide->asked_pitch = pitch;
    int64_t room = SLIDE_ROOM(pass);
    NAME(clear)(space->zeros, room);
    NAME(clear)(space->inside, room);
    slide->inside = space->inside;
    slide->first = cx_max(0, cx_min(-finder.start, room));
    slide->end = cx_max(slide->first, cx_min(axis->in_size - finder.start, room));
    __builtin_memset(space->inside + slide->first, 0xff,
                     (slide->end - slide->first) * sizeof(T));
    return finder;
}

/* Where the rows of a channel are read, whose input begins at `from`: `*row` tells where each of them
   begins from the place that is returned, or CX_ZEROS. */
CX_INLINE const T *NAME(place_rows)(const cx_pass *pass, const NAME(space) *space,
                                    const NAME(row_finder) *finder, const T *input, int64_t from,
                                    const int64_t **row)
{
    int64_t start = from + finder->start;
    if (finder->in_place && start + finder->first >= 0 &&
        start + finder->last + finder->reach <= finder->span) {
        *row = space->box.row_source;
        return input + start;
    }
    NAME(fill_tile)(pass, &space->box, input + from, 0, 1, space->tile);
    for (int64_t i = 0; i < pass->tile_rows; i++)
        space->tile_row[i] = i * pass->axes[pass->rank - 1].tile_length;
    *row = space->tile_row;
    return space->tile;
}

/* The table of the rows of a group, whose input begins at `at`. */
static void NAME(find_input_rows)(const cx_pass *pass, const NAME(space) *space,
                                  const NAME(row_finder) *finder, const T *input, int64_t at)
{
    const int64_t *row_source = space->box.row_source;
    int64_t length = pass->axes[pass->rank - 1].tile_length;
    const T **source = space->source;
    if (!finder->in_place) {
        NAME(fill_tile)(pass, &space->box, input + at, 0, pass->channels, space->tile);
        for (int64_t c = 0; c < pass->channels; c++)
            for (int64_t row = 0; row < pass->tile_rows; row++)
                *source++ = space->tile + c * pass->tile_size + row * length;
        return;
    }
    for (int64_t c = 0; c < pass->channels;
         c++, at += pass->in_channel, source += pass->tile_rows) {
        T *tile = space->tile + c * pass->tile_size;
        int64_t start = at + finder->start;
        int safe = start + finder->first >= 0 &&
                   start + finder->last + finder->reach <= finder->span;
        for (int64_t row = 0; row < pass->tile_rows; row++)
            source[row] = row_source[row] == CX_ZEROS ? finder->zeros
                                                      : input + (start + row_source[row]);
        for (int64_t row = 0; row < pass->tile_rows && !safe; row++, tile += length) {
            int64_t from = start + row_source[row];
            if (row_source[row] != CX_ZEROS && (from < 0 || from + finder->reach > finder->span)) {
                NAME(fill_row)(&space->box, input + at + row_source[row], 0, tile);
                source[row] = tile;
            }
        }
    }
}

/* Finds the rows below the tile of a large image, lest copying them to the next one has to wait. */
static void NAME(find_rows_below)(const cx_pass *pass, const NAME(space) *space,
                                  const NAME(row_finder) *finder, const T *image,
                                  NAME(slide) *slide)
{
    const cx_axis *rows = &pass->axes[0], *columns = rows + 1;
    int64_t last = space->box.row_source[pass->tile_rows - 1];
    if (finder->in_place || last == CX_ZEROS || slide->down < 0 || slide->stride > 1 ||
        finder->span * (int64_t)sizeof(T) < ASKED_BYTES || pass->groups * pass->channels > 1 ||
        pass->rank != 2 || columns->in_stride != 1)
        return;
    slide->asked_pitch = rows->in_stride;
    slide->below = image + finder->start + last + slide->asked_pitch;
}
