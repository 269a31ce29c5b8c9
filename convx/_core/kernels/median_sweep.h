/* Medians of windows with an odd number of elements, each at a place counted from where the row
   begins.

   Of half of the elements and two more, the least and the greatest are not the median of all: they
   are forgotten, and the next element takes their place, until three are left. There are no
   branches, so that every step is done for a stretch of outputs at once.

   Floats are compared as integers that are in the same order: these have a minimum and a maximum in
   every instruction set, and NaN has a place among them. */

#if !IS_FLOAT
typedef T NAME(key);
#define IN_ORDER(v) (v)
#elif VECTOR_BYTES / LANES == 4
typedef int32_t __attribute__((may_alias)) NAME(key);
#define IN_ORDER(v) ((v) ^ (((v) >> 31) & INT32_MAX)) /* and back */
#else
typedef int64_t __attribute__((may_alias)) NAME(key);
#define IN_ORDER(v) ((v) ^ (((v) >> 63) & INT64_MAX))
#endif
#define STRETCH (CX_MEDIAN_BYTES / (int64_t)sizeof(T))

CX_INLINE void NAME(put_in_order)(NAME(key) *low, NAME(key) *high)
{
    NAME(key) a = *low, b = *high;
    *low = b < a ? b : a;
    *high = b < a ? a : b;
}

/* The least of some values comes to the front, the greatest to the end. */
CX_INLINE void NAME(find_ends)(const int count, NAME(key) *v)
{
    CX_UNROLL for (int i = 0; i < count / 2; i++)
        NAME(put_in_order)(&v[i], &v[count - 1 - i]);
    CX_UNROLL for (int i = 1; i < (count + 1) / 2; i++)
        NAME(put_in_order)(&v[0], &v[i]);
    CX_UNROLL for (int i = count / 2; i < count - 1; i++)
        NAME(put_in_order)(&v[i], &v[count - 1]);
}

#define ELEMENT(t) IN_ORDER(x[offsets[t] + i])
/* Forgets both ends of some values for the next element. */
#define FORGET(count, next)                                                                       \
    NAME(find_ends)(count, v);                                                                    \
    v[0] = ELEMENT(next);

static CX_NOINLINE void NAME(median_of_25)(const int64_t *offsets, const NAME(key) *x,
                                           NAME(key) *restrict to, int64_t length)
{
    for (int64_t i = 0; i < length; i++) {
        NAME(key) v[14];
        CX_UNROLL for (int t = 0; t < 14; t++)
            v[t] = ELEMENT(t);
        FORGET(14, 14)
        FORGET(13, 15)
        FORGET(12, 16)
        FORGET(11, 17)
        FORGET(10, 18)
        FORGET(9, 19)
        FORGET(8, 20)
        FORGET(7, 21)
        FORGET(6, 22)
        FORGET(5, 23)
        FORGET(4, 24)
        NAME(find_ends)(3, v);
        to[i] = IN_ORDER(v[1]);
    }
}
#undef FORGET
#undef ELEMENT

/* The same with stretches in place of values. */
CX_INLINE void NAME(put_stretches_in_order)(NAME(key) *restrict low, NAME(key) *restrict high)
{
    for (int64_t i = 0; i < STRETCH; i++)
        NAME(put_in_order)(&low[i], &high[i]);
}

static CX_NOINLINE void NAME(find_end_stretches)(int64_t count, NAME(key) *v)
{
    NAME(key) *last = v + (count - 1) * STRETCH;
    for (int64_t i = 0; i < count / 2; i++)
        NAME(put_stretches_in_order)(v + i * STRETCH, last - i * STRETCH);
    for (int64_t i = 1; i < (count + 1) / 2; i++)
        NAME(put_stretches_in_order)(v, v + i * STRETCH);
    for (int64_t i = count / 2; i < count - 1; i++)
        NAME(put_stretches_in_order)(v + i * STRETCH, last);
}

CX_INLINE void NAME(load_stretch)(NAME(key) *restrict to, const NAME(key) *x)
{
    for (int64_t i = 0; i < STRETCH; i++)
        to[i] = IN_ORDER(x[i]);
}

/* x is read for whole stretches. */
static void NAME(median_of_many)(int64_t taps, const int64_t *offsets, const NAME(key) *x,
                                 NAME(key) *to, int64_t length, NAME(key) *v)
{
    for (int64_t at = 0; at < length; at += STRETCH) {
        int64_t count = taps / 2 + 2;
        for (int64_t t = 0; t < count; t++)
            NAME(load_stretch)(v + t * STRETCH, x + offsets[t] + at);
        for (int64_t t = count; t < taps; t++, count--) {
            NAME(find_end_stretches)(count, v);
            NAME(load_stretch)(v, x + offsets[t] + at);
        }
        NAME(find_end_stretches)(3, v);
        for (int64_t i = 0; i < cx_min(STRETCH, length - at); i++)
            to[at + i] = IN_ORDER(v[STRETCH + i]);
    }
}

CX_INLINE NAME(key) NAME(least_key)(NAME(key) a, NAME(key) b)
{
    return b < a ? b : a;
}

CX_INLINE NAME(key) NAME(greatest_key)(NAME(key) a, NAME(key) b)
{
    return b < a ? a : b;
}

CX_INLINE NAME(key) NAME(middle_key)(NAME(key) a, NAME(key) b, NAME(key) c)
{
    NAME(put_in_order)(&a, &b);
    return NAME(greatest_key)(a, NAME(least_key)(b, c));
}

/* The columns of three rows, each of them in order. */
static CX_NOINLINE void NAME(sort_columns)(const NAME(key) *const *rows, NAME(key) *restrict low,
                                           NAME(key) *restrict middle, NAME(key) *restrict high,
                                           int64_t length)
{
    const NAME(key) *above = rows[0], *row = rows[1], *below = rows[2];
    for (int64_t i = 0; i < length; i++) {
        NAME(key) v[3] = {IN_ORDER(above[i]), IN_ORDER(row[i]), IN_ORDER(below[i])};
        NAME(put_in_order)(&v[0], &v[2]);
        NAME(put_in_order)(&v[0], &v[1]);
        NAME(put_in_order)(&v[1], &v[2]);
        low[i] = v[0], middle[i] = v[1], high[i] = v[2];
    }
}

/* The median of three such columns: of the greatest of their first, the middle one of their second, and
   the least of their last elements. */
static CX_NOINLINE void NAME(median_of_columns)(const NAME(key) *low, const NAME(key) *middle,
                                                const NAME(key) *high, NAME(key) *restrict to,
                                                int64_t length)
{
    for (int64_t i = 0; i < length; i++) {
        NAME(key) a = NAME(greatest_key)(NAME(greatest_key)(low[i], low[i + 1]), low[i + 2]);
        NAME(key) b = NAME(middle_key)(middle[i], middle[i + 1], middle[i + 2]);
        NAME(key) c = NAME(least_key)(NAME(least_key)(high[i], high[i + 1]), high[i + 2]);
        NAME(key) v = NAME(middle_key)(a, b, c);
        to[i] = IN_ORDER(v);
    }
}

/* Of windows of 3 by 3, columns are sorted once, and x has no frame: there is a row of zeros and a
   column of them at either end. The first column that is sorted lies where a line of the cache begins. */
static void NAME(median_of_3_rows)(const cx_footprint_job *job, int64_t row, char *scratch)
{
    int64_t length = job->length, line = 64 / (int64_t)sizeof(T);
    int64_t pitch = (length + 2 + line) / line * line; /* of which the first element is not used */
    NAME(key) *low = (NAME(key) *)scratch + line - 1, *middle = low + pitch, *high = middle + pitch;
    NAME(key) *zeros = high + pitch;
    const NAME(key) *rows[3];
    for (int64_t i = 0; i < 3; i++) {
        int64_t source = row - 1 + i;
        int inside = source >= 0 && source < job->rows;
        rows[i] = inside ? (const NAME(key) *)job->x + source * length : zeros;
    }
    for (int64_t i = 0; i < length + 2; i += length + 1)
        low[i] = middle[i] = high[i] = 0;
    for (int64_t i = 0; i < length && (row == 0 || row == job->rows - 1); i++)
        zeros[i] = 0;
    NAME(sort_columns)(rows, low + 1, middle + 1, high + 1, length);
    NAME(median_of_columns)(low, middle, high, (NAME(key) *)job->y + row * length, length);
}

static void NAME(sweep_median)(const void *given, int64_t first, int64_t end, char *scratch)
{
    const cx_footprint_job *job = given;
    int64_t length = job->length;
    for (int64_t piece = first; piece < end; piece++) {
        if (!job->starts) {
            NAME(median_of_3_rows)(job, piece, scratch);
            continue;
        }
        const NAME(key) *x = (const NAME(key) *)job->x + job->starts[piece];
        NAME(key) *to = (NAME(key) *)job->y + piece * length;
        if (job->taps == 25)
            NAME(median_of_25)(job->offsets, x, to, length);
        else
            NAME(median_of_many)(job->taps, job->offsets, x, to, length, (NAME(key) *)scratch);
    }
}

#undef STRETCH
#undef IN_ORDER
