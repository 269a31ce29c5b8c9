/* Many numbers divided by one, to the bits of a division.

   Multiplied with the inverse of a power of 2, which is exact, quotients are the same.

   An odd integer d has Markstein's correction of a quotient. With r = 1 / d and q = s r, which is off by
   less than two units in its last place, q d - s has few bits and is found exactly by a fused
   multiplication, and q - (q d - s) r misses s / d by some 2^-22 units. From what lies halfway between
   two numbers s / d is 1 / 2 d units away at least, for the product of that with d has more bits than s
   can have. So both are rounded to the same. It holds for subnormal quotients, whose units are coarser,
   too; those by an even d may lie halfway. As d is at least 1, nothing overflows, and -0 stays, for
   nothing is taken from it but 0. Of an infinite s, q d - s is NaN: any finite number in its place
   leaves q as it is.

   Or its inverse is in two parts, r rounded towards 0 and the rest t of it, which is greater than 0 so
   that infinities stay: s r + (s t) by a product and a fused one misses s / d by less than 2^-22 units as
   well, as long as s t is rounded as a normal number is. Where it is not, a flag of the processor tells
   so, and whoever looks at it divides again. That takes half as long, but the flag is that of many. */

#if defined __x86_64__ && !defined CX_UNDERFLOW
#define CX_UNDERFLOW (1u << 4)

CX_INLINE unsigned cx_float_flags(void)
{
    unsigned flags;
    __asm__ volatile("stmxcsr %0" : "=m"(flags)::"memory");
    return flags;
}

CX_INLINE int cx_has_underflowed(void) { return (cx_float_flags() & CX_UNDERFLOW) != 0; }

CX_INLINE void cx_clear_underflow(void)
{
    unsigned flags = cx_float_flags();
    if (!(flags & CX_UNDERFLOW))
        return; /* setting flags takes long */
    flags &= ~CX_UNDERFLOW;
    __asm__ volatile("ldmxcsr %0" ::"m"(flags) : "memory");
}
#endif

#if VECTOR_BYTES / LANES == 4
#define LOWEST_FINITE (-__FLT_MAX__)
#define HALF_EPSILON (__FLT_EPSILON__ / 2)
#else
#define LOWEST_FINITE (-__DBL_MAX__)
#define HALF_EPSILON (__DBL_EPSILON__ / 2)
#endif

/* How to divide, and by what. */
typedef struct {
    int how;
    union {
        T divisor, rest; /* of an inverse in two parts the other one */
    };
    T inverse;
} NAME(division);

static NAME(division) NAME(division_by)(T divisor)
{
    NAME(division) by = {.how = CX_DIVIDES, .divisor = divisor, .inverse = 1 / divisor};
    int exponent;
    if (__builtin_frexp((double)divisor, &exponent) == 0.5)
        by.how = CX_SCALES;
#if defined CX_PICK
    else if (divisor >= 1 && divisor < CX_MOST_ODD_DIVISOR && (T)((int64_t)divisor | 1) == divisor)
        by.how = CX_CORRECTS;
#endif
    return by;
}

#if defined CX_PICK
/* The same by an inverse in two parts, of a divisor by which products may be corrected. */
static NAME(division) NAME(split_division)(T divisor)
{
    NAME(division) by = {.how = CX_SPLITS, .inverse = 1 / divisor};
    if (__builtin_fma(by.inverse, divisor, -1) > 0)
        by.inverse -= by.inverse * HALF_EPSILON;
    by.rest = (T)-__builtin_fma(by.inverse, divisor, -1) / divisor;
    return by;
}
#endif

CX_INLINE NAME(vector) NAME(quotient)(const int how, NAME(vector) v, NAME(division) by)
{
    if (how == CX_DIVIDES)
        return v / by.divisor;
    if (how == CX_SPLITS) {
        NAME(vector) rest = v * by.rest;
        CX_HOLD(rest);
        return v * by.inverse + rest;
    }
    NAME(vector) q = v * by.inverse;
    if (how == CX_SCALES)
        return q;
    CX_HOLD(q);
    NAME(vector) excess = q * by.divisor - v;
    return q - NAME(greater)(excess, LOWEST_FINITE - (NAME(vector)){0}) * by.inverse;
}

CX_INLINE T NAME(quotient_of_one)(T v, NAME(division) by)
{
    return by.how == CX_SCALES ? v * by.inverse : v / by.divisor;
}

CX_INLINE void NAME(divide_line_how)(const int how, const T *from, int64_t count,
                                     NAME(division) by, T *to)
{
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        *(NAME(loose) *)(to + i) = NAME(quotient)(how, *(const NAME(loose) *)(from + i), by);
    for (; i < count; i++)
        to[i] = NAME(quotient_of_one)(from[i], by);
}

/* to[i] = from[i], divided. Both may be the same. */
static CX_NOINLINE void NAME(divide_line)(const T *from, int64_t count, NAME(division) by, T *to)
{
    if (by.how == CX_SCALES)
        NAME(divide_line_how)(CX_SCALES, from, count, by, to);
    else if (by.how == CX_CORRECTS)
        NAME(divide_line_how)(CX_CORRECTS, from, count, by, to);
    else
        NAME(divide_line_how)(CX_DIVIDES, from, count, by, to);
}

#undef LOWEST_FINITE
#undef HALF_EPSILON
