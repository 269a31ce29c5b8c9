/* Exponentials and logarithms of vectors of values, in arithmetic alone. Taylor series on short
   intervals have every coefficient in view and end where the next term is below a rounding. That of
   the exponential in float32 has one term less, for its coefficients are those of the polynomial
   with the least error. */

#if !defined T || !defined LANES || !defined NAME
#error "define T, LANES and NAME before including elementary.h"
#endif

#undef LOWEST /* those of the type before */
#undef DOWN
#undef MOST_DEVIATIONS

#if VECTOR_BYTES / LANES == 4
#define ROUND 0x1.8p23f /* added to a small number it leaves a whole one in the low bits */
#define SCALE_BIT 23    /* the lowest bit of the exponent, and what stands there for 2^0 */
#define SCALE_ONE 127
#define SPARE 64        /* powers of 2 are made so much greater, and are never subnormal */
#define EXP_TERMS {1, 1, 0.49999994f, 0.1666652f, 0.041668408f, 0.008368923f, 0.0013814174f}
#define DOWN 0x1p-64f
#define LEAST_NORMAL 0x1p-126f
#define LOWEST -112.0f  /* exp(v), and v exp(v) too, round to 0 from here on */
#define LN2_HIGH 0.693359375f /* so few bits that whole multiples are exact */
#define LN2_LOW -2.12194440e-4f
#define REST_FOR_SUM(v, whole) ((v) - (whole) * 0.693147181f)
#define EACH_TERM(X) X(5) X(4) X(3) X(2)
#define LAST_TERM 6
#define EACH_ODD_TERM(X) X(7) X(5) X(3)
#define LAST_ODD_TERM 9
#define LETTERS "ps"
#define LOW_HALF 0xfff /* the bits of a significand without which its square is exact */
#else
#define ROUND 0x1.8p52
#define SCALE_BIT 52
#define SCALE_ONE 1023
#define SPARE 512
#define EXP_TERMS                                                                                 \
    {1, 1, 1 / 2.0, 1 / 6.0, 1 / 24.0, 1 / 120.0, 1 / 720.0, 1 / 5040.0, 1 / 40320.0,             \
     1 / 362880.0, 1 / 3628800.0, 1 / 39916800.0, 1 / 479001600.0, 1 / 6227020800.0}
#define DOWN 0x1p-512
#define LEAST_NORMAL 0x1p-1022
#define LOWEST -760.0
#define LN2_HIGH 0.693145751953125
#define LN2_LOW 1.42860682030941723212e-6
#define REST_FOR_SUM(v, whole) ((v) - (whole) * LN2_HIGH - (whole) * LN2_LOW)
#define EACH_TERM(X) X(12) X(11) X(10) X(9) X(8) X(7) X(6) X(5) X(4) X(3) X(2)
#define LAST_TERM 13
#define EACH_ODD_TERM(X) X(19) X(17) X(15) X(13) X(11) X(9) X(7) X(5) X(3)
#define LAST_ODD_TERM 21
#define LETTERS "pd"
#define LOW_HALF 0x7ffffff
#endif

static const T NAME(exp_terms)[] = EXP_TERMS;

/* Lanes of `a` where a comparison holds, else of `b`. What is compared with 0 here, although it is 0 or
   -1 already, keeps GCC from making two exclusive-ors of it where masks have registers of their own. */
CX_INLINE NAME(vector) NAME(select)(NAME(mask) holds, NAME(vector) a, NAME(vector) b)
{
    NAME(mask) chosen = holds != 0;
    return (NAME(vector))((chosen & (NAME(mask))a) | (~chosen & (NAME(mask))b));
}

/* The greater lanes of two vectors, and the smaller: those of `b` where one is NaN or both are equal.
   Their instructions, which GCC does not find by itself, take a third of a comparison's time. */
CX_INLINE NAME(vector) NAME(greater)(NAME(vector) a, NAME(vector) b)
{
#if defined CX_PICK
    NAME(vector) picked;
    CX_PICK("vmax" LETTERS, picked, a, b);
    return picked;
#else
    return NAME(select)((NAME(mask))(a > b), a, b);
#endif
}

CX_INLINE NAME(vector) NAME(smaller)(NAME(vector) a, NAME(vector) b)
{
#if defined CX_PICK
    NAME(vector) picked;
    CX_PICK("vmin" LETTERS, picked, a, b);
    return picked;
#else
    return NAME(select)((NAME(mask))(a < b), a, b);
#endif
}

CX_INLINE NAME(vector) NAME(at_least)(NAME(vector) v, T least)
{
    return NAME(greater)(least - (NAME(vector)){0}, v);
}

CX_INLINE NAME(vector) NAME(at_most)(NAME(vector) v, T most)
{
    return NAME(smaller)(most - (NAME(vector)){0}, v);
}

/* exp(v) = exp(rest) * scale * DOWN for LOWEST <= v <= 40: v = n ln 2 + rest, |rest| <= ln 2 / 2, and
   scale = 2^(n + SPARE). With the smallest factor last, subnormal results are rounded once. */
typedef struct {
    NAME(vector) rest, scale;
} NAME(power);

/* (exp(r) - 1 - r) / r^2; what is missing is at most a quarter of a rounding of exp(r). */
CX_INLINE NAME(vector) NAME(exp_curve)(NAME(vector) r)
{
    NAME(vector) sum = NAME(exp_terms)[LAST_TERM] - (NAME(vector)){0};
#define ADD_TERM(k) sum = sum * r + NAME(exp_terms)[k];
    EACH_TERM(ADD_TERM)
#undef ADD_TERM
    return sum;
}

CX_INLINE NAME(vector) NAME(exp_of_rest)(NAME(vector) r)
{
    return (NAME(exp_curve)(r) * r + 1) * r + 1;
}

CX_INLINE NAME(vector) NAME(expm1_of_rest)(NAME(vector) r)
{
    return NAME(exp_curve)(r) * r * r + r;
}

/* n and what makes it the exponent of 2^(n + SPARE), in the low bits of a number. */
#define ROUND_POWER (ROUND + (SCALE_ONE + SPARE))

CX_INLINE NAME(vector) NAME(spare_power)(NAME(vector) shifted)
{
    return (NAME(vector))((NAME(mask))shifted << SCALE_BIT);
}

CX_INLINE NAME(power) NAME(find_power)(NAME(vector) v)
{
    NAME(vector) shifted = v * (T)1.4426950408889634 + ROUND_POWER, whole = shifted - ROUND_POWER;
    NAME(vector) r = v - whole * LN2_HIGH - whole * LN2_LOW;
    return (NAME(power)){r, NAME(spare_power)(shifted)};
}

/* exp(v) = exp(rest) * scale for -40 <= v <= 0, where 1 will be added to it: then in float32 a whole
   multiple of ln 2 rounded to one number is near enough. */
CX_INLINE NAME(power) NAME(find_power_for_sum)(NAME(vector) v)
{
    NAME(vector) shifted = v * (T)1.4426950408889634 + (ROUND + SCALE_ONE);
    NAME(vector) whole = shifted - (ROUND + SCALE_ONE);
    return (NAME(power)){REST_FOR_SUM(v, whole), NAME(spare_power)(shifted)};
}

/* exp(v) for v <= 0, and NaN for NaN. */
CX_INLINE NAME(vector) NAME(exp_negative)(NAME(vector) v)
{
    NAME(power) power = NAME(find_power)(NAME(at_least)(v, LOWEST));
    return NAME(exp_of_rest)(power.rest) * power.scale * DOWN;
}

/* exp(v) = exp(rest) * scale * more for any v. Two factors, for one might overflow. */
typedef struct {
    NAME(vector) rest, scale, more, one_over_more;
} NAME(wide_power);

CX_INLINE NAME(wide_power) NAME(find_wide_power)(NAME(vector) v)
{
    v = NAME(at_most)(NAME(at_least)(v, LOWEST), -LOWEST);
    NAME(vector) shifted = v * (T)1.4426950408889634 + ROUND, whole = shifted - ROUND;
    NAME(vector) r = v - whole * LN2_HIGH - whole * LN2_LOW;
    NAME(mask) n = (NAME(mask))shifted - (NAME(mask))(ROUND - (NAME(vector)){0}), half = n >> 1;
    return (NAME(wide_power)){
        r,
        (NAME(vector))((half + SCALE_ONE) << SCALE_BIT),
        (NAME(vector))((n - half + SCALE_ONE) << SCALE_BIT),
        (NAME(vector))((half - n + SCALE_ONE) << SCALE_BIT),
    };
}

CX_INLINE NAME(vector) NAME(exp)(NAME(vector) v)
{
    NAME(wide_power) power = NAME(find_wide_power)(v);
    return NAME(exp_of_rest)(power.rest) * power.scale * power.more;
}

/* exp(v) - 1: nothing is lost near 0. */
CX_INLINE NAME(vector) NAME(expm1)(NAME(vector) v)
{
    NAME(wide_power) power = NAME(find_wide_power)(v);
    NAME(vector) less = power.scale - power.one_over_more;
    return (NAME(expm1_of_rest)(power.rest) * power.scale + less) * power.more;
}

/* log((1 + s) / (1 - s)) for |s| <= 0.1716, which is (sqrt(2) - 1) / (sqrt(2) + 1). */
CX_INLINE NAME(vector) NAME(log_of_ratio)(NAME(vector) s)
{
    NAME(vector) square = s * s, sum = (T)(2.0 / LAST_ODD_TERM) - (NAME(vector)){0};
#define ADD_TERM(k) sum = sum * square + (T)(2.0 / k);
    EACH_ODD_TERM(ADD_TERM)
#undef ADD_TERM
    return sum * (square * s) + 2 * s;
}

/* log(1 + v) for 0 <= v <= 1. Above the square root of 2, of half of it. */
CX_INLINE NAME(vector) NAME(log1p)(NAME(vector) v)
{
    NAME(mask) above = (NAME(mask))(v > (T)0.4142135623730950);
    NAME(vector) s = NAME(select)(above, v - 1, v) / NAME(select)(above, v + 3, v + 2);
    NAME(vector) more = NAME(select)(above, (T)0.6931471805599453 - (NAME(vector)){0},
                                     (NAME(vector)){0});
    return NAME(log_of_ratio)(s) + more;
}

/* v = 2^n m, with m between the square root of 1/2 and that of 2; v is positive and not subnormal. */
typedef struct {
    NAME(mask) n;
    NAME(vector) less; /* m - 1 */
} NAME(parts_of_log);

CX_INLINE NAME(parts_of_log) NAME(split_for_log)(NAME(vector) v)
{
    NAME(mask) root = (NAME(mask))((T)0.7071067811865476 - (NAME(vector)){0});
    NAME(mask) n = ((NAME(mask))v - root) >> SCALE_BIT;
    return (NAME(parts_of_log)){n, (NAME(vector))((NAME(mask))v - (n << SCALE_BIT)) - 1};
}

CX_INLINE NAME(vector) NAME(join_log)(NAME(mask) n, NAME(vector) less)
{
    NAME(vector) whole = __builtin_convertvector(n, NAME(vector));
    NAME(vector) small = NAME(log_of_ratio)(less / (less + 2)) + whole * LN2_LOW;
    return small + whole * LN2_HIGH;
}

/* log(v) for 1 <= v that is finite, and NaN for NaN. */
CX_INLINE NAME(vector) NAME(log)(NAME(vector) v)
{
    NAME(parts_of_log) parts = NAME(split_for_log)(v);
    return NAME(select)((NAME(mask))(v >= 1), NAME(join_log)(parts.n, parts.less), v);
}

/* log(v) for 0 < v that is finite, of 0 too, and NaN for NaN. Subnormal numbers are made greater. */
CX_INLINE NAME(vector) NAME(log_of_share)(NAME(vector) v)
{
    NAME(mask) tiny = (NAME(mask))(v < LEAST_NORMAL);
    NAME(parts_of_log) parts = NAME(split_for_log)(NAME(select)(tiny, v * (1 / DOWN), v));
    NAME(vector) log = NAME(join_log)(parts.n - (tiny & SPARE), parts.less);
    log = NAME(select)((NAME(mask))(v > 0), log, (T)-__builtin_inf() - (NAME(vector)){0});
    return NAME(select)((NAME(mask))(v == v), log, v);
}

/* log(1 - v) for 0 <= v <= 1, and NaN for NaN: nothing is lost near 0. */
CX_INLINE NAME(vector) NAME(log_of_rest)(NAME(vector) v)
{
    NAME(vector) rest = 1 - v;
    NAME(parts_of_log) parts = NAME(split_for_log)(rest);
    NAME(vector) less = NAME(select)(parts.n == 0, -v, parts.less);
    NAME(vector) none = (T)-__builtin_inf() - (NAME(vector)){0};
    NAME(vector) log = NAME(select)((NAME(mask))(rest > 0), NAME(join_log)(parts.n, less), none);
    return NAME(select)((NAME(mask))(v == v), log, v);
}

/* exp(-r / 2) for |r| <= ln 2: the powers of -1/2 are in the coefficients, where they cost nothing. */
CX_INLINE NAME(vector) NAME(exp_of_minus_half)(NAME(vector) r)
{
#define SCALED_TERM(k) (NAME(exp_terms)[k] * ((T)(k % 2 ? -1 : 1) / (1 << k)))
#define ADD_TERM(k) sum = sum * r + SCALED_TERM(k);
    NAME(vector) sum = SCALED_TERM(LAST_TERM) - (NAME(vector)){0};
    EACH_TERM(ADD_TERM)
    ADD_TERM(1)
    ADD_TERM(0)
#undef ADD_TERM
#undef SCALED_TERM
    return sum;
}

/* The tail of the normal distribution beyond t, and its density there,

       tail = density_part / DOWN * above / below,  density = density_part / sqrt(2 pi),
       density_part = exp(-t t / 2) / DOWN,

   for 0 <= t <= MOST_DEVIATIONS, where the tail times t rounds to 0. Mills' ratio, above / below, is in
   float32 the quotient of the polynomials of degrees 4 and 5 with the least relative error, a twentieth
   of a rounding. In float64 it is a polynomial in u = (t - 5) / (t + 5) over t + 5 that goes through the
   values at Chebyshev's nodes, and is nearer to them everywhere than a quarter of a rounding. `below` is
   so much greater that DOWN is in it. Where t is NaN, so is `above`. */
typedef struct {
    NAME(vector) density_part, above, below;
} NAME(tail);

/* The square is exact in two parts. The whole power of 2 is added to the exponent of what is between
   1/2 and 2, which is no product. */
CX_INLINE NAME(vector) NAME(normal_density_part)(NAME(vector) t)
{
    NAME(vector) high = (NAME(vector))((NAME(mask))t & ~LOW_HALF), square = high * high;
    NAME(vector) shifted = square * (T)-0.72134752044448170 + (ROUND + SPARE);
    NAME(vector) whole = shifted - (ROUND + SPARE);
    NAME(vector) r = square + whole * (2 * LN2_HIGH) + whole * (2 * LN2_LOW);
    r = (t - high) * (t + high) + r;
    return (NAME(vector))((NAME(mask))NAME(exp_of_minus_half)(r) +
                          ((NAME(mask))shifted << SCALE_BIT));
}

#if VECTOR_BYTES / LANES == 4
#define MOST_DEVIATIONS 14.9f

CX_INLINE NAME(tail) NAME(normal_tail)(NAME(vector) t)
{
    NAME(vector) above = t * 0.004145970332f + 0.04083246393f;
    above = ((above * t + 0.1838251869f) * t + 0.4390898f) * t + 0.5f;
    NAME(vector) below = t * (0.01039229325f / DOWN) + 0.1023579881f / DOWN;
    below = (below * t + 0.4710285729f / DOWN) * t + 1.204951438f / DOWN;
    below = (below * t + 1.676064602f / DOWN) * t + 1 / DOWN;
    return (NAME(tail)){NAME(normal_density_part)(t), above, below};
}
#else
#define MOST_DEVIATIONS 38.9
static const T NAME(mills)[] = {
    -1.58774688274733654e-10, 1.75304840140823198e-9, 7.66307180076004105e-9,
    -9.31356099432605914e-9, -6.59422166247722304e-8, 4.22749937400653484e-8,
    4.33141035686258495e-7, -3.36615368101247117e-7, -2.76926709599743025e-6,
    3.98090215786804112e-6, 0.0000166812137420420615, -0.0000497628142705858052,
    -0.0000593757280099158637, 0.000544899064773129894, -0.000797869398466070105,
    -0.00299337677050854244, 0.0207950667998831796, -0.0691186387063101636, 0.165020366170384718,
    -0.313533156671304545, 0.495305615969976413, -0.6653825028900567, 0.769193049750062959,
};

CX_INLINE NAME(tail) NAME(normal_tail)(NAME(vector) t)
{
    NAME(vector) u = (t - 5) / (t + 5), sum = NAME(mills)[0] - (NAME(vector)){0};
    CX_UNROLL
    for (size_t k = 1; k < sizeof NAME(mills) / sizeof *NAME(mills); k++)
        sum = sum * u + NAME(mills)[k];
    return (NAME(tail)){NAME(normal_density_part)(t), sum, t * (1 / DOWN) + 5 / DOWN};
}
#endif

#undef ROUND
#undef ROUND_POWER
#undef SCALE_BIT
#undef SCALE_ONE
#undef SPARE
#undef EXP_TERMS
#undef LN2_HIGH
#undef LN2_LOW
#undef REST_FOR_SUM
#undef LEAST_NORMAL
#undef EACH_TERM
#undef LAST_TERM
#undef EACH_ODD_TERM
#undef LAST_ODD_TERM
#undef LETTERS
#undef LOW_HALF
