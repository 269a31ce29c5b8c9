/* Products of matrices of moderate size, y = a b + bias: linear layers and their gradients. An element
   of y is one chain of multiply-adds in the order of the depth: its bits hang on nothing else. Blocks of
   rows by vectors of columns stay in registers. A piece is CX_MATRIX_COLUMNS bytes of columns, the last
   one what is left, of all rows. Columns of b that lie apart are turned first, into scratch memory; their
   last piece may be as short as half of the others, for no vectors overlap those of another piece. Where
   a is the smaller one, its rows are turned instead, and what comes of them turned back. */

#define MATRIX_ROWS 6
#if VECTOR_BYTES == 64
#define MATRIX_VECTORS 4
#else
#define MATRIX_VECTORS 2 /* 16 registers hold no more */
#endif

/* Where a block begins, and how its factors lie. */
typedef struct {
    const T *a, *b, *bias;
    const T *row_bias; /* one for each row, where there is no bias of columns */
    T *y;
    int64_t a_row, a_step, b_step, y_row, depth;
    int64_t columns; /* that are stored */
} NAME(matrix_block);

CX_INLINE void NAME(multiply_block)(const int rows, const int vectors, const NAME(matrix_block) *m)
{
    NAME(vector) sum[MATRIX_ROWS][MATRIX_VECTORS] = {0};
    for (int64_t k = 0; k < m->depth; k++) {
        const T *a = m->a + k * m->a_step, *b = m->b + k * m->b_step;
        NAME(vector) column[MATRIX_VECTORS];
        CX_UNROLL for (int v = 0; v < vectors; v++)
            column[v] = *(const NAME(loose) *)(b + v * LANES);
        CX_UNROLL for (int r = 0; r < rows; r++)
            CX_UNROLL for (int v = 0; v < vectors; v++)
                sum[r][v] += column[v] * a[r * m->a_row];
    }
    CX_UNROLL for (int v = 0; v < vectors; v++) {
        int64_t count = m->columns - v * LANES;
        NAME(vector) bias = {0};
        if (m->bias)
            bias = NAME(load_some)(m->bias + v * LANES, count);
        CX_UNROLL for (int r = 0; r < rows; r++) {
            if (m->row_bias)
                bias = m->row_bias[r] - (NAME(vector)){0};
            NAME(vector) y = m->bias || m->row_bias ? sum[r][v] + bias : sum[r][v];
            NAME(store_some)(m->y + r * m->y_row + v * LANES, y, count);
        }
    }
}

#define OF_ROWS(rows, vectors)                                                                    \
    case rows:                                                                                    \
        NAME(multiply_block)(rows, vectors, m);                                                   \
        break;
#define EACH_ROWS(vectors)                                                                        \
    switch (rows) {                                                                               \
        OF_ROWS(1, vectors)                                                                       \
        OF_ROWS(2, vectors)                                                                       \
        OF_ROWS(3, vectors)                                                                       \
        OF_ROWS(4, vectors)                                                                       \
        OF_ROWS(5, vectors)                                                                       \
        OF_ROWS(6, vectors)                                                                       \
    }

static void NAME(multiply_rows)(int64_t rows, int64_t vectors, const NAME(matrix_block) *m)
{
#if MATRIX_VECTORS == 4
    if (vectors == 4)
        EACH_ROWS(4)
    else if (vectors == 3)
        EACH_ROWS(3)
    else
#endif
    if (vectors == 2)
        EACH_ROWS(2)
    else
        EACH_ROWS(1)
}

#undef EACH_ROWS
#undef OF_ROWS

/* Rows of some columns, in blocks of rows that are dealt evenly. */
static void NAME(multiply_columns)(int64_t rows, NAME(matrix_block) m, int64_t vectors)
{
    int64_t blocks = (rows + MATRIX_ROWS - 1) / MATRIX_ROWS, row = 0;
    for (int64_t block = 0; block < blocks; block++) {
        int64_t end = (block + 1) * rows / blocks;
        NAME(matrix_block) some = m;
        some.a += row * m.a_row, some.y += row * m.y_row;
        if (m.row_bias)
            some.row_bias += row;
        NAME(multiply_rows)(end - row, vectors, &some);
        row = end;
    }
}

/* to[k][column] = from[column][k] of `filled` columns; those that are not there are zeros. */
static void NAME(turn_columns)(const T *from, int64_t columns, int64_t depth, int64_t row, T *to,
                               int64_t pitch, int64_t filled)
{
    int64_t c = 0;
    for (; c + LANES <= columns && depth >= LANES; c += LANES)
        for (int64_t k = 0; k < depth; k += LANES) {
            int64_t at = cx_min(k, depth - LANES);
            NAME(turn_square)(to + at * pitch + c, pitch, from + c * row + at, row);
        }
    for (int64_t k = 0; k < depth; k++)
        for (int64_t i = c; i < filled; i++)
            to[k * pitch + i] = i < columns ? from[i * row + k] : 0;
}

/* Columns of b that are turned: their last vector is filled up with zeros. */
static void NAME(multiply_turned)(const cx_matrix_job *job, NAME(matrix_block) m, int64_t column,
                                  int64_t columns)
{
    int64_t pitch = (columns + LANES - 1) / LANES * LANES;
    T *turned = (T *)job->turned + column * job->depth;
    NAME(turn_columns)((const T *)job->b + column * job->b_step, columns, job->depth, job->b_step,
                       turned, pitch, pitch);
    m.b_step = pitch;
    for (int64_t c = 0; c < columns; c += MATRIX_VECTORS * LANES) {
        m.b = turned + c, m.y = (T *)job->y + column + c;
        m.bias = job->bias ? (const T *)job->bias + column + c : NULL;
        m.columns = columns - c;
        NAME(multiply_columns)(job->rows, m, cx_min(MATRIX_VECTORS, (pitch - c) / LANES));
    }
}

/* Some columns of y as rows, with those of a turned to lanes, and back. */
static void NAME(multiply_by_turned)(const cx_matrix_job *job, int64_t piece)
{
    int64_t first = cx_part(job->columns, job->parts, piece);
    int64_t columns = cx_part(job->columns, job->parts, piece + 1) - first;
    int64_t pitch = (job->rows + LANES - 1) / LANES * LANES;
    T *turned = (T *)job->turned + piece * job->room, *result = turned + pitch * job->depth;
    NAME(turn_columns)(job->a, job->rows, job->depth, job->depth, turned, pitch, pitch);
    for (int64_t c = 0; c < pitch; c += MATRIX_VECTORS * LANES) {
        NAME(matrix_block) m = {.a = (const T *)job->b + first * job->depth, .b = turned + c,
                                .row_bias = job->bias ? (const T *)job->bias + first : NULL,
                                .y = result + c, .a_row = job->depth, .a_step = 1, .b_step = pitch,
                                .y_row = pitch, .depth = job->depth, .columns = pitch - c};
        NAME(multiply_columns)(columns, m, cx_min(MATRIX_VECTORS, (pitch - c) / LANES));
    }
    NAME(turn_columns)(result, columns, job->rows, pitch, (T *)job->y + first, job->columns, columns);
}

/* Columns of b where they lie. The last vectors of a row overlap those before them: nothing is read
   beyond. */
static void NAME(multiply_in_place)(const cx_matrix_job *job, NAME(matrix_block) m, int64_t column,
                                    int64_t columns)
{
    int64_t vectors = (columns + LANES - 1) / LANES;
    m.b_step = job->b_step;
    for (int64_t v = 0, together; v < vectors; v += together) {
        together = cx_min(MATRIX_VECTORS, vectors - v);
        if (together * LANES > job->columns)
            together = 1;
        int64_t at = cx_min(column + v * LANES, job->columns - together * LANES);
        m.b = (const T *)job->b + at, m.y = (T *)job->y + at, m.columns = together * LANES;
        m.bias = job->bias ? (const T *)job->bias + at : NULL;
        NAME(multiply_columns)(job->rows, m, together);
    }
}

static void NAME(sweep_matrix)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_matrix_job *job = of;
    int64_t together = CX_MATRIX_COLUMNS / (int64_t)sizeof(T);
    int64_t most = job->turned ? together * 3 / 2 : 2 * together;
    (void)scratch;
    for (int64_t piece = first; piece < end; piece++) {
        if (job->parts) {
            NAME(multiply_by_turned)(job, piece);
            continue;
        }
        NAME(matrix_block) m = {.a = job->a, .a_row = job->a_row, .a_step = job->a_step,
                                .y_row = job->columns, .depth = job->depth};
        int64_t column = piece * together, rest = job->columns - column;
        int64_t columns = rest < most ? rest : together;
        if (job->turned)
            NAME(multiply_turned)(job, m, column, columns);
        else
            NAME(multiply_in_place)(job, m, column, columns);
    }
}

#undef MATRIX_ROWS
#undef MATRIX_VECTORS
