/* The gradient of the weights with positions as the lanes of vectors: where rows of outputs fill
   vectors, both factors are read as they lie, and nothing is transposed.

       sum[k][column][i mod SUMS] += dY[k][i] * tile[place[row] + offset[column] + i]

   A weight has SUMS sums for each box, one for each place of its positions in a vector of 64 bytes,
   whatever the vectors are; narrow ones take several turns. They are added up by halves at the end
   of the box, and that sum is added to what is there. Rows that end within a vector are filled up
   with zeros, in both factors: what lies there in the tile may not be finite. */

#define SUMS (64 / (int64_t)sizeof(T))

/* The rows of a box's outputs. */
typedef struct {
    int64_t rows, length;
    const int64_t *place, *out;    /* of each row: in the tile, in a filter's gradient */
    NAME(mask) keep[SUMS / LANES]; /* all bits of what is wanted of a row's last vector */
} NAME(stretches);

/* The gradients of the filters of a product: where they lie, and the ends of their rows that do not
   fill a vector, filled up with zeros: [row][filter]. Those of `ahead` are asked for meanwhile. */
typedef struct {
    const T *rows, *ends, *ahead;
    int64_t stride;
} NAME(factors);

/* One vector of positions of some filters and columns. */
#define POSITIONS_STEP(ROWS, COLUMNS, FACTOR, KEPT)                                               \
    {                                                                                             \
        NAME(vector) factor[ROWS];                                                                \
        CX_UNROLL for (int r = 0; r < ROWS; r++)                                                  \
            factor[r] = *(const NAME(loose) *)(FACTOR);                                           \
        CX_UNROLL for (int c = 0; c < COLUMNS; c++) {                                             \
            NAME(vector) x = *(const NAME(loose) *)(from + offset[c] + i);                        \
            x = KEPT;                                                                             \
            CX_UNROLL for (int r = 0; r < ROWS; r++)                                              \
                sum[r][c] += factor[r] * x;                                                       \
        }                                                                                         \
    }

/* Adds up the sums of `count` weights, rows of `columns`, and adds them to those of the boxes before
   if there were any. */
CX_INLINE void NAME(end_positions)(const int count, const int columns,
                                 NAME(vector) (*sum)[SUMS / LANES], T *restrict y, int64_t stride,
                                 int start)
{
    T ends[(count + LANES - 1) / LANES * LANES];
    CX_UNROLL for (int i = 0; i < count; i += LANES) {
        NAME(vector) v[LANES];
        CX_UNROLL for (int r = 0; r < LANES; r++) {
            if (i + r >= count) {
                v[r] = (NAME(vector)){0};
                continue;
            }
            CX_UNROLL for (int half = SUMS / LANES / 2; half > 0; half /= 2)
                CX_UNROLL for (int p = 0; p < half; p++)
                    sum[i + r][p] += sum[i + r][p + half];
            v[r] = sum[i + r][0];
        }
        *(NAME(loose) *)(ends + i) = NAME(fold)(v);
    }
    CX_UNROLL for (int r = 0; r < count / columns; r++)
        CX_UNROLL for (int c = 0; c < columns; c++) {
            T *to = y + r * stride + c;
            *to = ends[r * columns + c] + (start ? (T)0 : *to);
        }
}

#define POSITIONS_PRODUCT(ROWS, COLUMNS)                                                          \
    static void NAME(positions_##ROWS##x##COLUMNS)(                                               \
        const NAME(stretches) *rows, const T *restrict x, const int64_t *column,                  \
        NAME(factors) factors, T *restrict y, int64_t stride, int start)                          \
    {                                                                                             \
        int64_t whole = rows->length / SUMS * SUMS, offset[COLUMNS];                              \
        NAME(vector) total[(ROWS) * (COLUMNS)][SUMS / LANES];                                     \
        CX_UNROLL for (int c = 0; c < COLUMNS; c++)                                               \
            offset[c] = column[c];                                                                \
        for (int64_t part = 0; part < SUMS / LANES; part++) {                                     \
            NAME(vector) sum[ROWS][COLUMNS];                                                      \
            NAME(mask) keep = rows->keep[part];                                                   \
            CX_UNROLL for (int r = 0; r < ROWS; r++)                                              \
                CX_UNROLL for (int c = 0; c < COLUMNS; c++)                                       \
                    sum[r][c] = (NAME(vector)){0};                                                \
            for (int64_t row = 0; row < rows->rows; row++) {                                      \
                const T *from = x + rows->place[row] + part * LANES;                              \
                const T *restrict gradient = factors.rows + rows->out[row] + part * LANES;        \
                const T *restrict end = factors.ends + row * ROWS * SUMS + part * LANES;          \
                const T *ahead = factors.ahead + rows->out[row];                                  \
                int64_t i = 0;                                                                    \
                for (; i < whole; i += SUMS) {                                                    \
                    __builtin_prefetch(ahead + i);                                                \
                    POSITIONS_STEP(ROWS, COLUMNS, gradient + r * factors.stride + i, x)           \
                }                                                                                 \
                if (i < rows->length)                                                             \
                    POSITIONS_STEP(ROWS, COLUMNS, end + r * SUMS,                                 \
                                   (NAME(vector))((NAME(mask))x & keep))                          \
            }                                                                                     \
            CX_UNROLL for (int r = 0; r < ROWS; r++)                                              \
                CX_UNROLL for (int c = 0; c < COLUMNS; c++)                                       \
                    total[r * COLUMNS + c][part] = sum[r][c];                                     \
        }                                                                                         \
        NAME(end_positions)((ROWS) * (COLUMNS), COLUMNS, total, y, stride, start);                  \
    }

CX_EACH_POSITIONS_PRODUCT(POSITIONS_PRODUCT)

typedef void (*NAME(positions_product))(const NAME(stretches) *rows, const T *x,
                                        const int64_t *column, NAME(factors) factors, T *y,
                                        int64_t stride, int start);

static const NAME(positions_product) NAME(positions_products)[POSITIONS_ROWS + 1]
                                                             [POSITIONS_COLUMNS + 1] = {
#define POSITIONS_ENTRY(ROWS, COLUMNS) [ROWS][COLUMNS] = NAME(positions_##ROWS##x##COLUMNS),
    CX_EACH_POSITIONS_PRODUCT(POSITIONS_ENTRY)
};

typedef struct {
    cx_box box;
    NAME(stretches) rows;
    int64_t *place, *out, *offset;
    T *tile, *ends;
} NAME(positions_space);

static NAME(positions_space) NAME(carve_positions)(const cx_pass *pass, char **scratch)
{
    NAME(positions_space) space;
    int64_t rows = pass->positions / pass->axes[pass->rank - 1].block;
    cx_carve_box(pass, &space.box, scratch);
    space.place = cx_carve(scratch, rows * (int64_t)sizeof(int64_t));
    space.out = cx_carve(scratch, rows * (int64_t)sizeof(int64_t));
    space.offset = cx_carve(scratch, pass->channel_block * pass->taps * (int64_t)sizeof(int64_t));
    space.tile = NAME(carve_elements)(scratch, pass->channel_block * pass->tile_size);
    space.ends = NAME(carve_elements)(scratch, rows * POSITIONS_ROWS * SUMS);
    return space;
}

/* Places a box, and fills its tile. */
static void NAME(place_positions)(const cx_pass *pass, const T *input, int64_t index,
                                  const cx_gradient_share *share, NAME(positions_space) *space)
{
    cx_place_box(pass, index, &space->box);
    cx_find_rows(pass, &space->box);
    cx_find_stretches(pass, &space->box);
    NAME(stretches) *rows = &space->rows;
    rows->rows = cx_find_output_rows(pass, space->box.extent, space->place, space->out);
    rows->length = space->box.extent[pass->rank - 1];
    rows->place = space->place;
    rows->out = space->out;
    for (int64_t i = 0; i < SUMS; i++)
        rows->keep[i / LANES][i % LANES] = i < rows->length % SUMS ? -1 : 0;
    NAME(fill_tile)(pass, &space->box, input, share->channel, share->channels, space->tile);
}

/* Copies what does not fill a vector at the end of each row: ends[row][filter]. */
static void NAME(copy_ends)(const cx_pass *pass, const NAME(stretches) *rows, const T *gradient,
                            int64_t filters, T *ends)
{
    int64_t some = rows->length % SUMS;
    if (some == 0)
        return;
    for (int64_t row = 0; row < rows->rows; row++)
        for (int64_t r = 0; r < filters; r++, ends += SUMS) {
            NAME(clear)(ends, SUMS);
            const T *row_end = gradient + r * pass->out_channel + rows->out[row] + rows->length;
            NAME(copy)(ends, row_end - some, some);
        }
}

/* Where the box after this one reads what this one does not, in a channel of the input; NULL where
   that is more than a stretch of a row. */
static const T *NAME(next_input)(const cx_pass *pass, const T *input, int64_t step)
{
    cx_box box;
    const cx_axis *last = &pass->axes[pass->rank - 1];
    if (pass->tile_rows > 1 || last->strands > 1)
        return NULL;
    cx_place_box(pass, (step + 1) % pass->boxes, &box);
    input += (step + 1) / pass->boxes * pass->in_batch + last->tile_length - last->block;
    for (int64_t a = 0; a < pass->rank; a++)
        input += box.origin[a] * pass->axes[a].in_stride;
    return input;
}

/* The gradients of the box after this one, of the last one its own: behind those may lie memory that
   another thread writes. */
static const T *NAME(next_gradient)(const cx_pass *pass, const T *gradient, int64_t step)
{
    cx_box box;
    step = cx_min(step + 1, pass->batch * pass->boxes - 1);
    cx_place_box(pass, step % pass->boxes, &box);
    return gradient + step / pass->boxes * pass->out_batch + box.out;
}

/* A few filters by all columns of a task, for one box. Meanwhile each product asks for a row: of the
   gradients of the next filters, or of the next box, then of the next box's input, which goes on
   from channel to channel. */
static void NAME(multiply_positions)(const cx_pass *pass, const NAME(positions_space) *space,
                                     const T *gradient, const T *ahead, const T **input,
                                     int64_t filters, int64_t columns, T *y, int64_t stride,
                                     int start)
{
    int64_t pieces = (columns + POSITIONS_COLUMNS - 1) / POSITIONS_COLUMNS;
    NAME(factors) factors = {gradient, space->ends, ahead, pass->out_channel};
    NAME(copy_ends)(pass, &space->rows, gradient, filters, space->ends);
    for (int64_t piece = 0; piece < pieces; piece++) {
        int64_t first = cx_part(columns, pieces, piece);
        int64_t count = cx_part(columns, pieces, piece + 1) - first;
        factors.ahead = ahead + cx_min(piece, filters - 1) * pass->out_channel;
        if (piece >= filters && *input) {
            factors.ahead = *input;
            *input += pass->in_channel;
        }
        NAME(positions_products)[filters][count](&space->rows, space->tile, space->offset + first,
                                                 factors, y + first, stride, start);
    }
}

static void NAME(gradient_positions)(const cx_pass *pass, const cx_call *call,
                                     const cx_gradient_share *share, char *scratch)
{
    NAME(positions_space) space = NAME(carve_positions)(pass, &scratch);
    int64_t kernel = pass->channels * pass->taps, columns = share->channels * pass->taps;
    int64_t first_filter = NAME(first_filter)(pass, share->block);
    int64_t filters = NAME(first_filter)(pass, share->end_block) - first_filter;
    int64_t blocks = (filters + POSITIONS_ROWS - 1) / POSITIONS_ROWS;
    const T *input = (const T *)call->input + share->group * pass->channels * pass->in_channel;
    const T *gradient = (const T *)call->weight +
                        (share->group * pass->filters + first_filter) * pass->out_channel;
    T *output = (T *)call->output + share->channel * pass->taps +
                ((share->row_part * pass->groups + share->group) * pass->filters + first_filter) *
                    kernel;
    NAME(find_column_offsets)(pass, 0, columns, space.offset);
    for (int64_t step = share->step; step < share->end_step; step++) {
        int64_t item = step / pass->boxes;
        NAME(place_positions)(pass, input + item * pass->in_batch, step % pass->boxes, share,
                              &space);
        const T *from = gradient + item * pass->out_batch + space.box.out;
        const T *next = NAME(next_input)(pass, input + share->channel * pass->in_channel, step);
        for (int64_t b = 0; b < blocks; b++) {
            int64_t first = cx_part(filters, blocks, b), end = cx_part(filters, blocks, b + 1);
            const T *ahead = end < filters ? from + end * pass->out_channel
                                           : NAME(next_gradient)(pass, gradient, step);
            NAME(multiply_positions)(pass, &space, from + first * pass->out_channel, ahead, &next,
                                     end - first, columns, output + first * kernel, kernel,
                                     step == share->part_step);
        }
    }
}

#undef SUMS
#undef POSITIONS_STEP
#undef POSITIONS_PRODUCT
#undef POSITIONS_ENTRY
