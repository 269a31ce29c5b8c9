/* Softmax over the classes of logits (outer, classes, inner), as far as a loss needs it: of every
   column the maximum, the sum of exp(x - maximum), and the target's loss, log(sum) + (maximum -
   logit); and with `y` the gradient, factor * softmax, less `taken` at the target. */

#define EXP_GROUP 32 /* terms that are added up before they join the sum: few roundings each */

/* Columns side by side. */
static void NAME(loss_columns)(const cx_softmax_loss_job *job, int64_t outer, int64_t start)
{
    T peak[CX_COLUMNS], total[CX_COLUMNS], group[CX_COLUMNS];
    int64_t inner = job->inner, count = cx_min(CX_COLUMNS, inner - start);
    int64_t at = outer * job->classes * inner + start, column = outer * inner + start;
    const T *x = (const T *)job->x + at;
    T *y = job->y ? (T *)job->y + at : NULL;
    for (int64_t i = 0; i < count; i++) {
        peak[i] = x[i];
        total[i] = 0;
    }
    for (int64_t c = 1; c < job->classes; c++)
        for (int64_t i = 0; i < count; i++)
            peak[i] = x[c * inner + i] > peak[i] ? x[c * inner + i] : peak[i];
    for (int64_t first = 0; first < job->classes; first += EXP_GROUP) {
        for (int64_t i = 0; i < count; i++)
            group[i] = 0;
        for (int64_t c = first; c < cx_min(first + EXP_GROUP, job->classes); c++)
            for (int64_t i = 0; i < count; i += LANES) {
                NAME(vector) v = NAME(load_some)(x + c * inner + i, count - i);
                v = NAME(exp_negative)(v - NAME(load_some)(peak + i, count - i));
                NAME(store_some)(group + i, v + NAME(load_some)(group + i, count - i), count - i);
                if (y)
                    NAME(store_some)(y + c * inner + i, v, count - i);
            }
        for (int64_t i = 0; i < count; i++)
            total[i] += group[i];
    }
    for (int64_t i = 0; job->peak && i < count; i++) {
        ((T *)job->peak)[column + i] = peak[i];
        ((T *)job->total)[column + i] = total[i];
    }
    T *loss = job->loss ? (T *)job->loss + column : NULL;
    for (int64_t i = 0; loss && i < count; i += LANES) {
        T picked[LANES] = {0};
        for (int64_t k = 0; k < cx_min(LANES, count - i); k++)
            picked[k] = x[job->target[column + i + k] * inner + i + k];
        NAME(vector) more = NAME(load_some)(peak + i, count - i) - *(NAME(loose) *)picked;
        NAME(vector) v = NAME(log)(NAME(load_some)(total + i, count - i));
        NAME(store_some)(loss + i, v + more, count - i);
    }
    if (!y)
        return;
    const T *factor = (const T *)job->factor + column, *taken = job->taken;
    for (int64_t i = 0; i < count; i++)
        total[i] = factor[i] / total[i];
    for (int64_t c = 0; c < job->classes; c++)
        for (int64_t i = 0; i < count; i++)
            y[c * inner + i] *= total[i];
    for (int64_t i = 0; job->target && i < count; i++)
        y[job->target[column + i] * inner + i] -= taken[column + i];
}

/* A row of neighbours. Of 16 sums each takes every 16th element, whatever a vector's width. */
static void NAME(loss_row)(const cx_softmax_loss_job *job, int64_t row)
{
    int64_t classes = job->classes;
    const T *x = (const T *)job->x + row * classes;
    T *y = job->y ? (T *)job->y + row * classes : NULL;
    T lanes[LANES], peak = x[0];
    NAME(vector) most = peak - (NAME(vector)){0};
    int64_t i = 0;
    for (; i + LANES <= classes; i += LANES) {
        NAME(vector) v = *(const NAME(loose) *)(x + i);
        most = NAME(select)((NAME(mask))(v > most), v, most);
    }
    *(NAME(loose) *)lanes = most;
    for (int lane = 0; lane < LANES; lane++)
        peak = lanes[lane] > peak ? lanes[lane] : peak;
    for (; i < classes; i++)
        peak = x[i] > peak ? x[i] : peak;
    double total = 0;
    for (int64_t first = 0; first < classes; first += 16 * EXP_GROUP) {
        T sums[16] = {0};
        int64_t end = cx_min(first + 16 * EXP_GROUP, classes);
        for (i = first; i < end; i += LANES) {
            NAME(vector) v = NAME(exp_negative)(NAME(load_some)(x + i, end - i) - peak);
            T *sum = sums + (i - first) % 16;
            NAME(store_some)(sum, v + NAME(load_some)(sum, end - i), end - i);
            if (y)
                NAME(store_some)(y + i, v, end - i);
        }
        for (int half = 8; half; half /= 2)
            for (int lane = 0; lane < half; lane++)
                sums[lane] += sums[lane + half];
        total += sums[0];
    }
    if (job->peak) {
        ((T *)job->peak)[row] = peak;
        ((T *)job->total)[row] = (T)total;
    }
    if (job->loss) {
        NAME(vector) log = NAME(log)((T)total - (NAME(vector)){0});
        ((T *)job->loss)[row] = log[0] + (peak - x[job->target[row]]);
    }
    if (!y)
        return;
    T factor = (T)(((const T *)job->factor)[row] / total);
    for (i = 0; i < classes; i++)
        y[i] *= factor;
    if (job->target)
        y[job->target[row]] -= ((const T *)job->taken)[row];
}

static void NAME(sweep_softmax_loss)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_softmax_loss_job *job = of;
    (void)scratch;
    if (job->inner == 1) {
        for (int64_t row = first; row < end; row++)
            NAME(loss_row)(job, row);
        return;
    }
    int64_t blocks = (job->inner + CX_COLUMNS - 1) / CX_COLUMNS;
    for (int64_t piece = first; piece < end; piece++)
        NAME(loss_columns)(job, piece / blocks, piece % blocks * CX_COLUMNS);
}

#undef EXP_GROUP
