/* Depthwise transposed convolutions, and gradients of the input, of 3 by 3 taps with a stride of 2 along
   both axes, by rows. Along an axis the outputs of one phase take two taps, from neighbouring inputs,
   those of the other the third tap, from one of these:

       lower input x     0 1 2 ...         phase with two taps:    w0 x[c + 1] + w2 x[c]
       upper input x     1 2 3 ...         phase with one:         w1 x[c] if it is the first, else
                                                                   w1 x[c + 1]

   So two vectors of each of two input rows give all that there is to sum for as many outputs of four
   phases, which are stored in turn. The sums are the chains that lanes.h has. */

typedef struct {
    const T *x[2];           /* the lower and the upper input row */
    const T *inside;         /* as a row, of bits: which places lie in the input; or NULL: all do */
    NAME(vector) first[2];   /* the same of the first vector of a row, and of its neighbours */
    NAME(vector) weights[9]; /* of the four phases, one after the other */
    NAME(vector) bias;
} NAME(phased);

/* sum[row phase][column phase] of a vector's inputs from place `at` on; `two_rows` and `two_columns`
   are the phases that have two taps. */
CX_INLINE void NAME(sum_phases)(const int two_rows, const int two_columns, const NAME(phased) *of,
                                int64_t at, NAME(vector) (*sum)[2])
{
    NAME(vector) x[2][2];
    CX_UNROLL for (int c = 0; c < 2; c++) {
        NAME(vector) inside = of->first[c];
        if (at > 0 && of->inside)
            inside = *(const NAME(loose) *)(of->inside + at + c);
        CX_UNROLL for (int r = 0; r < 2; r++)
            x[r][c] = NAME(mask_lanes)(*(const NAME(loose) *)(of->x[r] + at + c), inside);
    }
    int tap = 0;
    CX_UNROLL for (int a = 0; a < 2; a++)
        CX_UNROLL for (int b = 0; b < 2; b++) {
            sum[a][b] = of->bias;
            CX_UNROLL for (int i = 0; i < 2; i++)
                CX_UNROLL for (int j = 0; j < 2; j++) {
                    if ((i && a != two_rows) || (j && b != two_columns))
                        continue;
                    const int row = a == two_rows ? 1 - i : 1 - two_rows;
                    const int column = b == two_columns ? 1 - j : 1 - two_columns;
                    sum[a][b] += of->weights[tap++] * x[row][column];
                }
        }
}

/* Where the outputs of a box lie. */
typedef struct {
    T *output;
    int64_t inputs;          /* of a row, for the first column phase */
    int64_t width, height;   /* outputs of all phases */
    int64_t row_stride;
} NAME(phases_box);

/* Stores outputs of a row from column `at` on. What is too much is overwritten by the next rows, if
   there are some and this is all of the row; else only as many are stored as there are. */
CX_INLINE void NAME(store_phases)(const NAME(phases_box) *box, int64_t row, int64_t at,
                                  const NAME(vector) *v)
{
    T *to = box->output + row * box->row_stride + at, staged[2 * LANES];
    int64_t left = box->width - at, to_end = left + (box->height - 1 - row) * box->width;
    int may_run_on = at == 0 && box->row_stride == box->width && to_end >= 2 * LANES;
    if (left >= 2 * LANES || may_run_on) {
        NAME(join)(2, v, to);
        return;
    }
    NAME(join)(2, v, staged);
    NAME(copy)(to, staged, left);
}

/* Four rows of phases from two rows of inputs. */
CX_INLINE void NAME(phase_rows)(const int two_rows, const int two_columns, const NAME(phased) *of,
                                const NAME(phases_box) *box, int64_t row)
{
    for (int64_t at = 0; at < box->inputs; at += LANES) {
        NAME(vector) sum[2][2];
        NAME(sum_phases)(two_rows, two_columns, of, at, sum);
        for (int a = 0; a < 2; a++)
            if (row + a < box->height)
                NAME(store_phases)(box, row + a, 2 * at, sum[a]);
    }
}

#define PHASES(ROWS, COLUMNS)                                                                     \
    CX_NOINLINE static void NAME(phases_##ROWS##_##COLUMNS)(                                      \
        NAME(phased) of, const NAME(phases_box) *box, const T *x, const int64_t *source,          \
        const T *zeros)                                                                           \
    {                                                                                             \
        for (int64_t row = 0; row < box->height; row += 2, source++) {                            \
            for (int r = 0; r < 2; r++)                                                           \
                of.x[r] = source[r] == CX_ZEROS ? zeros : x + source[r];                          \
            NAME(phase_rows)(ROWS, COLUMNS, &of, box, row);                                       \
        }                                                                                         \
    }
PHASES(0, 0)
PHASES(0, 1)
PHASES(1, 0)
PHASES(1, 1)
#undef PHASES

/* The box of one group of an item, whose input begins at `from`. */
static void NAME(phases_of_group)(const cx_pass *pass, const NAME(space) *space,
                                  const NAME(row_finder) *finder, const NAME(phased) *of,
                                  const NAME(phases_box) *box, const T *input, int64_t from)
{
    int64_t taps[4];
    const int64_t *source = space->box.row_source;
    const T *x = NAME(place_rows)(pass, space, finder, input, from, &source);
    for (int part = 0; part < 4; part++)
        taps[part] = pass->part[part * 5 + 1];
    switch (2 * (taps[2] > taps[0]) + (taps[1] > taps[0])) {
    case 0:
        NAME(phases_0_0)(*of, box, x, source, finder->zeros);
        break;
    case 1:
        NAME(phases_0_1)(*of, box, x, source, finder->zeros);
        break;
    case 2:
        NAME(phases_1_0)(*of, box, x, source, finder->zeros);
        break;
    case 3:
        NAME(phases_1_1)(*of, box, x, source, finder->zeros);
        break;
    }
}

/* Outputs of both phases along an axis, of a box. */
CX_INLINE int64_t NAME(outputs_of_phases)(const cx_pass *pass, const cx_box *box, int axis)
{
    int64_t first = box->origin[axis] / pass->axes[axis].stride, outputs = 0;
    for (int phase = 0; phase < 2; phase++) {
        int64_t of_pass = pass->part[(axis ? phase : 2 * phase) * 5 + 3 + axis];
        outputs += cx_max(0, cx_min(box->extent[axis], of_pass - first));
    }
    return outputs;
}

static void NAME(forward_phases)(const cx_pass *pass, const cx_call *call, const cx_share *share,
                                 char *scratch)
{
    NAME(space) space = NAME(carve)(pass, CX_FORWARD, &scratch);
    cx_box *box = &space.box;
    NAME(slide) slide = {.rows = 3, .columns = 3, .stride = 1, .down = 1};
    cx_place_box(pass, share->box, box);
    cx_find_rows(pass, box);
    cx_find_stretches(pass, box);
    NAME(row_finder) finder = NAME(find_row_finder)(pass, &space, &slide, box->extent[1] + LANES);
    NAME(phased) of = {.inside = slide.inside};
    __builtin_memset(of.first, 0xff, sizeof(of.first));
    for (int c = 0; c < 2 && slide.inside; c++)
        of.first[c] = *(const NAME(loose) *)(slide.inside + c);
    NAME(phases_box) outputs = {.inputs = box->extent[1],
                                .width = NAME(outputs_of_phases)(pass, box, 1),
                                .height = NAME(outputs_of_phases)(pass, box, 0),
                                .row_stride = pass->axes[0].out_stride / 2};
    for (int64_t n = share->item; n < share->end_item; n++)
        for (int64_t group = share->group; group < share->end_group; group++) {
            const T *kernel = (const T *)call->weight + group * pass->weight_group;
            for (int t = 0; t < 9; t++)
                of.weights[t] = kernel[pass->tap_weight[t]] - (NAME(vector)){0};
            of.bias = (call->bias ? ((const T *)call->bias)[group] : (T)0) - (NAME(vector)){0};
            outputs.output = (T *)call->output + n * pass->out_batch + group * pass->out_channel +
                             box->out;
            NAME(phases_of_group)(pass, &space, &finder, &of, &outputs, call->input,
                                  n * pass->in_batch + group * pass->in_channel);
        }
}
