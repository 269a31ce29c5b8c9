/* Activations of whole arrays, y = f(x), and their gradients, y = f'(x) grad. y may be x or grad:
   an element is read before it is written. */

CX_INLINE NAME(vector) NAME(apply)(const int activation, const int gradient, NAME(vector) v,
                                   NAME(vector) g, const T *given)
{
    switch (activation) {
#define APPLY(ACTIVATION, name)                                                                   \
    case ACTIVATION:                                                                              \
        return gradient ? NAME(name##_gradient)(v, g, given) : NAME(name)(v, given);
        EACH_SWEPT_ACTIVATION(APPLY)
#undef APPLY
    default:
        return v;
    }
}

CX_INLINE void NAME(activate_some)(const int activation, const int gradient, const T *x,
                                   const T *grad, T *y, int64_t count, const T *given)
{
    NAME(vector) g = gradient ? NAME(load_some)(grad, count) : NAME(zero)();
    NAME(vector) v = NAME(load_some)(x, count);
    NAME(store_some)(y, NAME(apply)(activation, gradient, v, g, given), count);
}

/* Two vectors side by side: the processor waits less for the results of one. */
CX_INLINE void NAME(activate_two)(const int activation, const int gradient, const T *x,
                                  const T *grad, T *y, const T *given, int far)
{
    NAME(vector) v = NAME(load_some)(x, LANES), w = NAME(load_some)(x + LANES, LANES);
    NAME(vector) g = gradient ? NAME(load_some)(grad, LANES) : NAME(zero)();
    NAME(vector) h = gradient ? NAME(load_some)(grad + LANES, LANES) : NAME(zero)();
    v = NAME(apply)(activation, gradient, v, g, given);
    w = NAME(apply)(activation, gradient, w, h, given);
    NAME(store_vector)(far, y, v);
    NAME(store_vector)(far, y + LANES, w);
}

CX_INLINE void NAME(activate_stretch)(const int activation, const int gradient,
                                      const cx_activation_job *job, int64_t from, int64_t to)
{
    const T *x = job->x, *grad = gradient ? job->grad : job->x;
    T *y = job->y, given[] = {(T)job->given[0], (T)job->given[1], (T)job->given[2]};
    int far = NAME(is_far)(y, job->length * (int64_t)sizeof(T));
    int64_t i = from;
    for (; i + 2 * LANES <= to; i += 2 * LANES)
        NAME(activate_two)(activation, gradient, x + i, grad + i, y + i, given, far);
    if (far)
        CX_END_FAR();
    for (; i + LANES <= to; i += LANES)
        NAME(activate_some)(activation, gradient, x + i, grad + i, y + i, LANES, given);
    if (i < to)
        NAME(activate_some)(activation, gradient, x + i, grad + i, y + i, to - i, given);
}

static void NAME(sweep_activation)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_activation_job *job = of;
    (void)scratch;
    int64_t from = first * CX_STRETCH, to = cx_min(end * CX_STRETCH, job->length);
    switch (job->activation) {
#define ACTIVATE(ACTIVATION, name)                                                                \
    case ACTIVATION:                                                                              \
        NAME(activate_stretch)(ACTIVATION, 0, job, from, to);                                     \
        break;
        EACH_SWEPT_ACTIVATION(ACTIVATE)
#undef ACTIVATE
    }
}

static void NAME(sweep_activation_gradient)(const void *of, int64_t first, int64_t end,
                                            char *scratch)
{
    const cx_activation_job *job = of;
    (void)scratch;
    int64_t from = first * CX_STRETCH, to = cx_min(end * CX_STRETCH, job->length);
    switch (job->activation) {
#define ACTIVATE(ACTIVATION, name)                                                                \
    case ACTIVATION:                                                                              \
        NAME(activate_stretch)(ACTIVATION, 1, job, from, to);                                     \
        break;
        EACH_SWEPT_ACTIVATION(ACTIVATE)
#undef ACTIVATE
    }
}

/* y = v where x > 0, else v times a slope, for v = x or a gradient. The slopes are those of the
   elements, or of rows that take turns. */

CX_INLINE void NAME(slope_stretch)(const int each, const cx_slopes_job *job, const T *slopes,
                                   int64_t from, int64_t to)
{
    const T *x = job->x, *v = job->v;
    T *y = job->y;
    for (int64_t i = from; i < to; i += LANES) {
        NAME(vector) slope = *slopes + NAME(zero)();
        if (each)
            slope = NAME(load_some)(slopes + i, to - i);
        NAME(vector) value = NAME(load_some)(v + i, to - i);
        NAME(mask) positive = (NAME(mask))(NAME(load_some)(x + i, to - i) > 0);
        NAME(store_some)(y + i, NAME(select)(positive, value, value * slope), to - i);
    }
}

static void NAME(sweep_slopes)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_slopes_job *job = of;
    const T *slopes = job->slopes;
    (void)scratch;
    int64_t from = first * CX_STRETCH, to = cx_min(end * CX_STRETCH, job->length);
    if (job->row == 1)
        NAME(slope_stretch)(1, job, slopes, from, to);
    else
        for (int64_t i = from, stop; i < to; i = stop) {
            int64_t row = i / job->row;
            stop = cx_min((row + 1) * job->row, to);
            NAME(slope_stretch)(0, job, slopes + row % job->slopes_count, i, stop);
        }
}

/* Dropout: y = x times a factor, or 0 where chance has it. Chance is a function of the key and of
   the element's number, the cipher Threefry-2x32 in 20 rounds of Salmon, Moraes, Dror and Shaw,
   "Parallel random numbers: as easy as 1, 2, 3" (2011), so that it does not matter who computes
   which elements. Of 32 elements the first 16 take the first words of ciphers. */

typedef uint32_t NAME(words) __attribute__((vector_size(VECTOR_BYTES)));

CX_INLINE void NAME(draw)(const uint32_t *key, int64_t block, uint32_t *drawn)
{
    static const int turns[] = {13, 15, 26, 6, 17, 29, 16, 24};
    const uint32_t keys[] = {key[0], key[1], key[0] ^ key[1] ^ 0x1bd11bda};
    uint64_t first = (uint64_t)block * (CX_DRAWS / 2);
    for (int at = 0; at < CX_DRAWS / 2; at += VECTOR_BYTES / 4) {
        NAME(words) low, high;
        for (int i = 0; i < VECTOR_BYTES / 4; i++)
            low[i] = (uint32_t)first + at + i;
        low += keys[0];
        high = (NAME(words)){0} + ((uint32_t)(first >> 32) + keys[1]);
        CX_UNROLL
        for (int round = 0; round < 20; round++) {
            low += high;
            high = (high << turns[round % 8]) | (high >> (32 - turns[round % 8]));
            high ^= low;
            if (round % 4 == 3) {
                int turn = round / 4 + 1;
                low += keys[turn % 3];
                high += keys[(turn + 1) % 3] + (uint32_t)turn;
            }
        }
        __builtin_memcpy(drawn + at, &low, VECTOR_BYTES);
        __builtin_memcpy(drawn + CX_DRAWS / 2 + at, &high, VECTOR_BYTES);
    }
}

static void NAME(sweep_dropout)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_dropout_job *job = of;
    const T *x = job->x, factor = (T)job->factor;
    T *y = job->y;
    uint32_t dropped = (uint32_t)job->dropped;
    (void)scratch;
    int64_t to = cx_min(end * CX_STRETCH, job->length);
    for (int64_t i = first * CX_STRETCH; i < to; i += CX_DRAWS) {
        uint32_t drawn[CX_DRAWS];
        T factors[CX_DRAWS];
        NAME(draw)(job->key, i / CX_DRAWS, drawn);
        for (int k = 0; k < CX_DRAWS; k++)
            factors[k] = drawn[k] < dropped ? 0 : factor;
        for (int k = 0; k < CX_DRAWS && i + k < to; k += LANES) {
            NAME(vector) v = NAME(load_some)(x + i + k, to - i - k);
            v *= *(const NAME(loose) *)(factors + k);
            NAME(store_some)(y + i + k, v, to - i - k);
        }
    }
}
