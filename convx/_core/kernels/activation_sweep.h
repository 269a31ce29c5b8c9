/* Activations of whole arrays: y = activation(x). */

CX_INLINE void NAME(activate_stretch)(const int activation, T slope, const T *x, T *y,
                                      int64_t length)
{
    int64_t i = 0;
    for (; i + LANES <= length; i += LANES)
        *(NAME(loose) *)(y + i) =
            NAME(activate)(activation, *(const NAME(loose) *)(x + i), slope);
    if (i == length)
        return;
    T rest[LANES] = {0}; /* a vector with lanes to spare */
    for (int64_t j = i; j < length; j++)
        rest[j - i] = x[j];
    NAME(vector) v = NAME(activate)(activation, *(const NAME(loose) *)rest, slope);
    for (int64_t j = i; j < length; j++)
        y[j] = v[j - i];
}

static void NAME(sweep_activation)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_activation_job *job = of;
    (void)scratch;
    int64_t from = first * CX_STRETCH, to = cx_min(end * CX_STRETCH, job->length);
    const T *x = (const T *)job->x + from;
    T *y = (T *)job->y + from;
    switch (job->activation) {
#define ACTIVATE(ACTIVATION)                                                                      \
    case ACTIVATION:                                                                              \
        NAME(activate_stretch)(ACTIVATION, (T)job->slope, x, y, to - from);                       \
        break;
        EACH_ACTIVATION(ACTIVATE)
#undef ACTIVATE
    }
}
