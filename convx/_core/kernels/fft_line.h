/* Fourier transforms of lines, whose neighbouring points are the lanes of vectors, and products with
   spectra on the way.

   A line of n points is a matrix of n / LANES places by LANES lanes. Places are transformed in all
   lanes at once, as those of columns are; then points are turned by powers of the line's root, and
   the lanes of each place are transformed: two neighbouring places exchange halves, so that what is
   added stands in the same lanes of two vectors, then quarters, and so on. The order of what comes
   out is whatever it is, for the way back begins with it.

   The last step of the places, the lanes, the product, and the same back are done while up to eight
   places are in registers. What comes before goes through the parts of a step one after the other,
   there and back, each in L1. */

#if !defined EVERY_LANE
#error "include square.h before fft_line.h"
#endif

typedef struct {
    int how;
    int64_t pitch;        /* elements from a place to the next */
    const T *roots;       /* of the places: cos and -sin of each angle */
    const T *turns;       /* of a line, for each place: cos of its lanes, then -sin */
    const T *lane_roots;  /* the same for exchanges of pairs, of quadruples, ... of halves */
    const T *spectrum;    /* for each place: real parts of its lanes, then imaginary; or of all lanes */
    T scale;              /* of a kernel's spectrum */
} NAME(way);

/* A vector of complex numbers times others, or times their conjugates. */
CX_INLINE void NAME(turn_by)(const int backward, NAME(vector) *re, NAME(vector) *im, const T *by)
{
    NAME(vector) cos = *(const NAME(loose) *)by, sin = *(const NAME(loose) *)(by + LANES);
    NAME(vector) turned = backward ? *re * cos + *im * sin : *re * cos - *im * sin;
    *im = backward ? *im * cos - *re * sin : *re * sin + *im * cos;
    *re = turned;
}

#define EXCHANGE_TWO(v, bit)                                                                      \
    {                                                                                             \
        NAME(vector) low = CX_SHUFFLE((v)[0], (v)[1], EVERY_LANE(LOW, bit));                      \
        (v)[1] = CX_SHUFFLE((v)[0], (v)[1], EVERY_LANE(HIGH, bit));                               \
        (v)[0] = low;                                                                             \
    }

#define LANES_FORWARD(bit, level)                                                                 \
    EXCHANGE_TWO(r, bit)                                                                          \
    EXCHANGE_TWO(i, bit)                                                                          \
    NAME(transform_2)(r, i, 0, 1);                                                                \
    if ((bit) > 1)                                                                                \
        NAME(turn_by)(0, &r[1], &i[1], roots + 2 * LANES * (level));

#define LANES_BACK(bit, level)                                                                    \
    if ((bit) > 1)                                                                                \
        NAME(turn_by)(1, &r[1], &i[1], roots + 2 * LANES * (level));                              \
    NAME(transform_2)(r, i, 0, 1);                                                                \
    EXCHANGE_TWO(r, bit)                                                                          \
    EXCHANGE_TWO(i, bit)

/* The lanes of two places, each of which is transformed. */
CX_INLINE void NAME(lanes_forward)(NAME(vector) *r, NAME(vector) *i, const T *roots)
{
#if LANES > 8
    LANES_FORWARD(8, 2)
#endif
#if LANES > 4
    LANES_FORWARD(4, 1)
#endif
#if LANES > 2
    LANES_FORWARD(2, 0)
#endif
    LANES_FORWARD(1, 0)
}

CX_INLINE void NAME(lanes_back)(NAME(vector) *r, NAME(vector) *i, const T *roots)
{
    LANES_BACK(1, 0)
#if LANES > 2
    LANES_BACK(2, 0)
#endif
#if LANES > 4
    LANES_BACK(4, 1)
#endif
#if LANES > 8
    LANES_BACK(8, 2)
#endif
}

#undef LANES_BACK
#undef LANES_FORWARD
#undef EXCHANGE_TWO

/* The last step of as many places as the radix, and what is done between the ways. */
CX_INLINE void NAME(last_step)(const int how, const int radix, const NAME(way) *way, T *re, T *im,
                               const T *turns, const T *spectrum, const cx_multiples *pitch)
{
    const int columns = cx_goes_down(how), back = cx_goes_back(how);
    const int forward = how != CX_LINE_BACK;
    NAME(vector) r[8], i[8];
    NAME(load_values)(radix, r, re, pitch);
    NAME(load_values)(radix, i, im, pitch);
    if (forward)
        NAME(transform_values)(0, radix, r, i);
    CX_UNROLL for (int m = 0; m < radix; m++)
    {
        if (forward && !columns)
            NAME(turn_by)(0, &r[m], &i[m], turns + 2 * LANES * m);
        if (forward && !columns && m % 2)
            NAME(lanes_forward)(r + m - 1, i + m - 1, way->lane_roots);
    }
    CX_UNROLL for (int m = 0; m < radix; m++)
    {
        if (how == CX_COLUMN_FILTER)
            NAME(turn)(&r[m], &i[m], spectrum + 2 * m);
        else if (forward && back)
            NAME(turn_by)(0, &r[m], &i[m], spectrum + 2 * LANES * m);
        else if (how == CX_LINE_KERNEL || how == CX_COLUMNS_KERNEL) {
            r[m] *= way->scale;
            i[m] *= -way->scale;
        }
    }
    CX_UNROLL for (int m = 0; m < radix; m++)
    {
        if (back && !columns && m % 2 == 0)
            NAME(lanes_back)(r + m, i + m, way->lane_roots);
        if (back && !columns)
            NAME(turn_by)(1, &r[m], &i[m], turns + 2 * LANES * m);
    }
    if (back)
        NAME(transform_values)(1, radix, r, i);
    NAME(store_values)(radix, r, re, pitch);
    NAME(store_values)(radix, i, im, pitch);
}

/* The last steps of so many places from one on. */
CX_INLINE void NAME(last_steps_of)(const int how, const int radix, const NAME(way) *way, T *re, T *im,
                                   int64_t place, int64_t count)
{
    const int columns = cx_goes_down(how);
    const int product = how != CX_LINE_BACK && cx_goes_back(how);
    const int of_place = how == CX_COLUMN_FILTER ? 2 : 2 * LANES;
    cx_multiples pitch = cx_multiples_of(way->pitch * (int64_t)sizeof(T));
    for (int64_t p = place; p < place + count; p += radix)
        NAME(last_step)(how, radix, way, re + p * way->pitch, im + p * way->pitch,
                        columns ? NULL : way->turns + 2 * LANES * p,
                        product ? way->spectrum + of_place * p : NULL, &pitch);
}

#define LAST_STEPS(how)                                                                           \
    static CX_NOINLINE void NAME(last_steps_##how)(int64_t radix, const NAME(way) *way, T *re,     \
                                                   T *im, int64_t place, int64_t count)           \
    {                                                                                             \
        if (radix == 8)                                                                           \
            NAME(last_steps_of)(how, 8, way, re, im, place, count);                               \
        else if (radix == 4)                                                                      \
            NAME(last_steps_of)(how, 4, way, re, im, place, count);                               \
        else                                                                                      \
            NAME(last_steps_of)(how, 2, way, re, im, place, count);                               \
    }
LAST_STEPS(CX_LINE_FORWARD)
LAST_STEPS(CX_LINE_BACK)
LAST_STEPS(CX_LINE_FILTER)
LAST_STEPS(CX_COLUMNS_FILTER)
LAST_STEPS(CX_COLUMN_FILTER)
LAST_STEPS(CX_LINE_KERNEL)
LAST_STEPS(CX_COLUMNS_KERNEL)
#undef LAST_STEPS

static void NAME(last_steps)(int64_t radix, const NAME(way) *way, T *re, T *im, int64_t place,
                             int64_t count)
{
    if (way->how == CX_LINE_FORWARD)
        NAME(last_steps_CX_LINE_FORWARD)(radix, way, re, im, place, count);
    else if (way->how == CX_LINE_BACK)
        NAME(last_steps_CX_LINE_BACK)(radix, way, re, im, place, count);
    else if (way->how == CX_LINE_FILTER)
        NAME(last_steps_CX_LINE_FILTER)(radix, way, re, im, place, count);
    else if (way->how == CX_COLUMNS_FILTER)
        NAME(last_steps_CX_COLUMNS_FILTER)(radix, way, re, im, place, count);
    else if (way->how == CX_COLUMN_FILTER)
        NAME(last_steps_CX_COLUMN_FILTER)(radix, way, re, im, place, count);
    else if (way->how == CX_LINE_KERNEL)
        NAME(last_steps_CX_LINE_KERNEL)(radix, way, re, im, place, count);
    else
        NAME(last_steps_CX_COLUMNS_KERNEL)(radix, way, re, im, place, count);
}

/* From a place on, a part of so many, whose roots are every `apart`th. */
static void NAME(go_through)(const NAME(way) *way, T *re, T *im, int64_t place, int64_t length,
                             int64_t apart)
{
    int64_t radix = cx_radix(length), part = length / radix, start = place * way->pitch;
    if (part == 1) {
        NAME(last_steps)(radix, way, re, im, place, length);
        return;
    }
    if (way->how != CX_LINE_BACK)
        NAME(one_step)(0, radix, re + start, im + start, length, way->pitch, way->roots, apart);
    if (cx_radix(part) == part)
        NAME(last_steps)(part, way, re, im, place, length);
    for (int64_t m = 0; cx_radix(part) < part && m < radix; m++)
        NAME(go_through)(way, re, im, place + m * part, part, apart * radix);
    if (cx_goes_back(way->how))
        NAME(one_step)(1, radix, re + start, im + start, length, way->pitch, way->roots, apart);
}
