/* Products of matrices by Winograd's inner products (S. Winograd, "A new algorithm for inner product",
   IEEE Transactions on Computers C-17, 1968). Two steps of a sum over the depth become

       a₁ b₁ + a₂ b₂ = (a₁ + b₂) (a₂ + b₁) - a₁ a₂ - b₁ b₂

   where a₁ a₂ belongs to a row of the left matrix and b₁ b₂ to a column of the right one: both are
   summed once, while they are packed. What is left is one multiply-add and two additions. These take
   other units than multiply-adds on some processors (AMD's Zen 4): there a third of the steps is computed
   plainly, so that all units are busy, and three steps take the time of two.

   The two matrices have to be of one size, or the smaller numbers would be lost. So rows and columns are
   packed multiplied by powers of two (inner_pack.h), by which the sums are divided at last. Errors are
   those of sums of the largest element of a row times that of a column. Where a factor is no number the
   call is computed again by another algorithm. */

#include "inner_pack.h"

/* Two steps at once and one plainly, row by row: so additions and multiply-adds take turns. Rows are
   counted by a constant before anything is inlined, or Clang would keep sums in memory. */
#define ADD_STEPS(COUNT)                                                                          \
    NAME(vector) column[NAME(INNER_STEPS)];                                                       \
    CX_UNROLL for (int i = 0; i < NAME(INNER_STEPS); i++)                                         \
        column[i] = *(const NAME(loose) *)(right + i * LANES);                                    \
    const T *next = left + NAME(INNER_PITCH), *last = next + NAME(INNER_PITCH);                   \
    CX_UNROLL for (int r = 0; r < COUNT; r++) {                                                   \
        sum[r] += (column[1] + left[r]) * (column[0] + next[r]);                                  \
        CX_HOLD(sum[r]);                                                                          \
        sum[r] += (last[r] - (NAME(vector)){0}) * column[2];                                      \
        CX_HOLD(sum[r]);                                                                          \
    }

/* The outputs of a row: sums that begin with the bias, or go on. */
CX_INLINE void NAME(end_row)(const int start, NAME(vector) sum, const T *bias, T *y)
{
    if (start == CX_CONTINUE)
        *(NAME(loose) *)y += sum;
    else {
        sum += bias ? *bias : (T)0;
        if (start == CX_FAR)
            CX_STORE_FAR((NAME(vector) *)y, sum);
        else
            *(NAME(loose) *)y = sum;
    }
}

#define END_ROWS(COUNT, START)                                                                    \
    CX_UNROLL for (int r = 0; r < COUNT; r++) {                                                   \
        NAME(end_row)(START, sum[r] * (factor[r] * column_factor), bias ? bias + r : NULL, y);    \
        y += y_stride;                                                                            \
    }

/* A panel of rows and one of columns. */
#define INNER_PRODUCT(COUNT)                                                                      \
    static CX_NOINLINE void NAME(inner_product_##COUNT)(int64_t depth, const T *restrict left,    \
                                                        const T *restrict right, int start,       \
                                                        const T *bias, T *y, int64_t y_stride)    \
    {                                                                                             \
        NAME(vector) sum[COUNT], column_factor = *(const NAME(loose) *)right;                     \
        const T *factor = left;                                                                   \
        CX_UNROLL for (int r = 0; r < COUNT; r++) {                                               \
            sum[r] = -left[NAME(INNER_PITCH) + r] - *(const NAME(loose) *)(right + LANES);        \
            if (start != CX_FAR)                                                                  \
                __builtin_prefetch(y + r * y_stride, 1);                                          \
        }                                                                                         \
        left += 2 * NAME(INNER_PITCH), right += 2 * LANES;                                        \
        for (int64_t step = 0; step < depth; step += NAME(INNER_STEPS)) {                         \
            ADD_STEPS(COUNT)                                                                      \
            left += NAME(INNER_STEPS) * NAME(INNER_PITCH), right += NAME(INNER_STEPS) * LANES;    \
        }                                                                                         \
        if (start == CX_CONTINUE)                                                                 \
            END_ROWS(COUNT, CX_CONTINUE)                                                          \
        else if (start == CX_FAR)                                                                 \
            END_ROWS(COUNT, CX_FAR)                                                               \
        else                                                                                      \
            END_ROWS(COUNT, CX_START)                                                             \
    }
EACH_INNER_ROW(INNER_PRODUCT)

typedef void (*NAME(inner_product))(int64_t depth, const T *left, const T *right, int start,
                                    const T *bias, T *y, int64_t y_stride);
static const NAME(inner_product) NAME(inner_products)[INNER_ROWS + 1] = {
#define INNER_ENTRY(COUNT) [COUNT] = NAME(inner_product_##COUNT),
    EACH_INNER_ROW(INNER_ENTRY)
};

/* The outputs of some rows and a panel of columns that are no neighbours in memory. */
static void NAME(put_apart)(const cx_inner_product *job, const NAME(inner_space) *space, int start,
                            int64_t row, int64_t rows, const int64_t *place, int64_t columns)
{
    for (int64_t r = 0; r < rows; r++) {
        T *y = (T *)job->out + (row + r) * job->out_row;
        for (int64_t i = 0; i < columns; i++) {
            T value = space->outputs[r * LANES + i];
            y[place[i]] = start == CX_START ? value : y[place[i]] + value;
        }
    }
}

/* Whether rows of a panel are whole lines, that can be stored past the caches. */
CX_INLINE int NAME(goes_far)(const T *y, int64_t y_stride)
{
    return VECTOR_BYTES == CX_FAR_BYTES && cx_are_lines(y, y_stride * (int64_t)sizeof(T));
}

/* Finishes the outputs of some rows, which are in the cache, by stretches of neighbours. */
static void NAME(finish_panel)(const cx_inner_product *job, int64_t row, int64_t rows,
                               const int64_t *place, int64_t columns)
{
    for (int64_t i = 0, length; i < columns; i += length) {
        for (length = 1; i + length < columns && place[i + length] == place[i] + length;)
            length++;
        for (int64_t r = row; r < row + rows; r++) {
            int64_t at = r * job->out_row + place[i];
            cx_call call = *job->finish;
            call.output = (T *)job->out + at;
            if (call.residual)
                call.residual = (const T *)call.residual + at;
            job->finish_line(&call, length);
        }
    }
}

/* The product of some panels of rows and columns, for a block of the depth. */
static void NAME(multiply_panels)(const cx_inner_product *job, const NAME(inner_space) *space,
                                 int64_t first_step, int64_t first_panel, int64_t end_panel,
                                 int64_t first_column, int64_t end_column, const T *left)
{
    int64_t depth = NAME(depth_from)(job, first_step), steps = NAME(panel_steps)(depth);
    int64_t panels = NAME(inner_panels)(job->rows);
    int start = first_step ? CX_CONTINUE : CX_START;
    const cx_call *finish = first_step + job->depth_block < job->depth ? NULL : job->finish;
    NAME(find_places)(&job->out_columns, first_column, end_column - first_column, space->out);
    for (int64_t panel = first_panel; panel < end_panel; panel++) {
        int64_t row = panel * job->rows / panels, rows = (panel + 1) * job->rows / panels - row;
        const T *bias = job->bias ? (const T *)job->bias + row : NULL, *right = space->right;
        if (!NAME(are_numbers)(left, rows))
            *job->failed = 1;
        for (int64_t column = first_column; column < end_column; column += LANES) {
            int64_t columns = cx_min(LANES, end_column - column);
            const int64_t *place = space->out + column - first_column;
            if (finish && finish->residual) /* it comes from memory, which it is asked for early */
                for (int64_t r = row; r < row + rows; r++)
                    __builtin_prefetch((const T *)finish->residual + r * job->out_row + place[0]);
            if (columns == LANES && place[LANES - 1] - place[0] == LANES - 1) {
                T *y = (T *)job->out + row * job->out_row + place[0];
                int far = job->far && NAME(goes_far)(y, job->out_row);
                NAME(inner_products)[rows](steps - 2, left, right, far ? CX_FAR : start, bias, y,
                                           job->out_row);
            } else {
                NAME(inner_products)[rows](steps - 2, left, right, CX_START, start ? NULL : bias,
                                           space->outputs, LANES);
                NAME(put_apart)(job, space, start, row, rows, place, columns);
            }
            right += steps * LANES;
        }
        if (finish)
            NAME(finish_panel)(job, row, rows, space->out, end_column - first_column);
        left += steps * NAME(INNER_PITCH);
    }
}

/* A piece is a block of columns for a block of rows. */
static void NAME(multiply_inner)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_inner_product *job = of;
    NAME(inner_space) space = NAME(carve_inner)(job, &scratch);
    int64_t panels = NAME(inner_panels)(job->rows);
    int64_t row_blocks = (panels + job->row_block - 1) / job->row_block;
    for (int64_t piece = first; piece < end; piece++) {
        int64_t panel = piece % row_blocks * job->row_block;
        int64_t end_panel = cx_min(panel + job->row_block, panels);
        int64_t column = piece / row_blocks * job->column_block;
        int64_t end_column = cx_min(column + job->column_block, cx_sequence_size(&job->columns));
        for (int64_t step = 0; step < job->depth; step += job->depth_block) {
            const T *left = space.left;
            if (job->packed)
                left = (const T *)job->packed + NAME(packed_place)(job, step, panel);
            else
                NAME(pack_rows)(job, &space, step, panel, end_panel, space.left);
            for (int64_t some = column; some < end_column; some += job->columns_together) {
                int64_t end_some = cx_min(some + job->columns_together, end_column);
                if (!NAME(pack_columns)(job, &space, step, some, end_some))
                    *job->failed = 1;
                NAME(multiply_panels)(job, &space, step, panel, end_panel, some, end_some, left);
            }
        }
    }
    if (job->far)
        CX_END_FAR();
}

#undef INNER_ENTRY
#undef INNER_PRODUCT
#undef END_ROWS
#undef ADD_STEPS
#undef EACH_INNER_ROW
