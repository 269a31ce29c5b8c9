/* Exponentials and logarithms of vectors of values, in arithmetic alone. Taylor series on short
   intervals have every coefficient in view and end where the next term is below a rounding. */

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
#define DOWN 0x1p-64f
#define LOWEST -112.0f  /* exp(v), and v exp(v) too, round to 0 from here on */
#define LN2_HIGH 0.693359375f /* so few bits that whole multiples are exact */
#define LN2_LOW -2.12194440e-4f
#define EACH_TERM(X) X(6) X(5) X(4) X(3) X(2)
#define LAST_TERM 7
#define EACH_ODD_TERM(X) X(7) X(5) X(3)
#define LAST_ODD_TERM 9
#define LOW_HALF 0xfff /* the bits of a significand without which its square is exact */
#else
#define ROUND 0x1.8p52
#define SCALE_BIT 52
#define SCALE_ONE 1023
#define SPARE 512
#define DOWN 0x1p-512
#define LOWEST -760.0
#define LN2_HIGH 0.693145751953125
#define LN2_LOW 1.42860682030941723212e-6
#define EACH_TERM(X) X(12) X(11) X(10) X(9) X(8) X(7) X(6) X(5) X(4) X(3) X(2)
#define LAST_TERM 13
#define EACH_ODD_TERM(X) X(19) X(17) X(15) X(13) X(11) X(9) X(7) X(5) X(3)
#define LAST_ODD_TERM 21
#define LOW_HALF 0x7ffffff
#endif

static const T NAME(one_over_factorial)[] = {
    0, 0,
    (T)(1 / 2.0), (T)(1 / 6.0), (T)(1 / 24.0), (T)(1 / 120.0), (T)(1 / 720.0), (T)(1 / 5040.0),
    (T)(1 / 40320.0), (T)(1 / 362880.0), (T)(1 / 3628800.0), (T)(1 / 39916800.0),
    (T)(1 / 479001600.0), (T)(1 / 6227020800.0),
};

/* Lanes of `a` where a comparison holds, else of `b`. */
CX_INLINE NAME(vector) NAME(select)(NAME(mask) holds, NAME(vector) a, NAME(vector) b)
{
    return (NAME(vector))((holds & (NAME(mask))a) | (~holds & (NAME(mask))b));
}

CX_INLINE NAME(vector) NAME(at_least)(NAME(vector) v, T least)
{
    return NAME(select)((NAME(mask))(v < least), least - (NAME(vector)){0}, v);
}

CX_INLINE NAME(vector) NAME(at_most)(NAME(vector) v, T most)
{
    return NAME(select)((NAME(mask))(v > most), most - (NAME(vector)){0}, v);
}

/* exp(v) = (1 + rest) * scale * DOWN for LOWEST <= v <= 0: v = n ln 2 + r with |r| <= ln 2 / 2,
   rest = exp(r) - 1 by its Taylor series, whose next term is at most a quarter of a rounding, and
   scale = 2^(n + SPARE). With the smallest factor last, subnormal results are rounded once. */
typedef struct {
    NAME(vector) rest, scale;
} NAME(power);

CX_INLINE NAME(vector) NAME(exp_of_rest)(NAME(vector) r)
{
    NAME(vector) sum = NAME(one_over_factorial)[LAST_TERM] - (NAME(vector)){0};
#define ADD_TERM(k) sum = sum * r + NAME(one_over_factorial)[k];
    EACH_TERM(ADD_TERM)
#undef ADD_TERM
    return sum * r * r + r;
}

/* 2^(n + SPARE), where `shifted` is n + ROUND. */
CX_INLINE NAME(vector) NAME(spare_power)(NAME(vector) shifted)
{
    NAME(mask) exponent = (NAME(mask))shifted + (SCALE_ONE + SPARE);
    return (NAME(vector))(exponent << SCALE_BIT);
}

CX_INLINE NAME(power) NAME(find_power)(NAME(vector) v)
{
    NAME(vector) shifted = v * (T)1.4426950408889634 + ROUND, whole = shifted - ROUND;
    NAME(vector) r = v - whole * LN2_HIGH - whole * LN2_LOW;
    return (NAME(power)){NAME(exp_of_rest)(r), NAME(spare_power)(shifted)};
}

/* exp(v) for v <= 0, and NaN for NaN. */
CX_INLINE NAME(vector) NAME(exp_negative)(NAME(vector) v)
{
    NAME(power) power = NAME(find_power)(NAME(at_least)(v, LOWEST));
    return (1 + power.rest) * power.scale * DOWN;
}

/* exp(v) = (1 + rest) * scale * more for any v. Two factors, for one might overflow. */
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
        NAME(exp_of_rest)(r),
        (NAME(vector))((half + SCALE_ONE) << SCALE_BIT),
        (NAME(vector))((n - half + SCALE_ONE) << SCALE_BIT),
        (NAME(vector))((half - n + SCALE_ONE) << SCALE_BIT),
    };
}

CX_INLINE NAME(vector) NAME(exp)(NAME(vector) v)
{
    NAME(wide_power) power = NAME(find_wide_power)(v);
    return (1 + power.rest) * power.scale * power.more;
}

/* exp(v) - 1: nothing is lost near 0. */
CX_INLINE NAME(vector) NAME(expm1)(NAME(vector) v)
{
    NAME(wide_power) power = NAME(find_wide_power)(v);
    NAME(vector) less = power.scale - power.one_over_more;
    return (power.rest * power.scale + less) * power.more;
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

/* log(v) for 1 <= v that is finite, and NaN for NaN. */
CX_INLINE NAME(vector) NAME(log)(NAME(vector) v)
{
    NAME(mask) root = (NAME(mask))((T)0.7071067811865476 - (NAME(vector)){0});
    NAME(mask) n = ((NAME(mask))v - root) >> SCALE_BIT;
    NAME(vector) m = (NAME(vector))((NAME(mask))v - (n << SCALE_BIT));
    NAME(vector) whole = __builtin_convertvector(n, NAME(vector));
    NAME(vector) small = NAME(log_of_ratio)((m - 1) / (m + 1)) + whole * LN2_LOW;
    return NAME(select)((NAME(mask))(v >= 1), small + whole * LN2_HIGH, v);
}

/* The tail of the normal distribution beyond t, and its density there,

       tail = density_part * mills,  density = density_part / sqrt(2 pi),
       density_part = exp(-t t / 2) = (1 + rest) * scale * DOWN,

   for 0 <= t <= MOST_DEVIATIONS, where the tail times t rounds to 0. Mills' ratio is a polynomial in
   u = (t - 5) / (t + 5) over t + 5; it goes through the values at Chebyshev's nodes, and is nearer
   to them everywhere than a quarter of a rounding. The square is exact in two parts. */
#if VECTOR_BYTES / LANES == 4
#define MOST_DEVIATIONS 14.9f
static const T NAME(mills)[] = {
    0.000109390882f, 0.0006607486973f, -0.0008526515826f, -0.003071442164f, 0.02079227911f,
    -0.06910232541f, 0.1650225092f, -0.3135344644f, 0.4953054637f, -0.6653824723f, 0.7691930511f,
};
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
#endif

typedef struct {
    NAME(power) density_part;
    NAME(vector) mills;
} NAME(tail);

CX_INLINE NAME(tail) NAME(normal_tail)(NAME(vector) t)
{
    NAME(vector) high = (NAME(vector))((NAME(mask))t & ~LOW_HALF);
    NAME(vector) square = high * high * (T)-0.5, less = (t - high) * (t + high) * (T)-0.5;
    NAME(vector) shifted = square * (T)1.4426950408889634 + ROUND, whole = shifted - ROUND;
    NAME(vector) r = square - whole * LN2_HIGH - whole * LN2_LOW + less;
    NAME(vector) one_over = 1 / (t + 5), u = (t - 5) * one_over, sum = NAME(mills)[0] - (NAME(vector)){0};
    CX_UNROLL
    for (size_t k = 1; k < sizeof NAME(mills) / sizeof *NAME(mills); k++)
        sum = sum * u + NAME(mills)[k];
    return (NAME(tail)){
        {NAME(exp_of_rest)(r), NAME(spare_power)(shifted)},
        sum * one_over,
    };
}

#undef ROUND
#undef SCALE_BIT
#undef SCALE_ONE
#undef SPARE
#undef LN2_HIGH
#undef LN2_LOW
#undef EACH_TERM
#undef LAST_TERM
#undef EACH_ODD_TERM
#undef LAST_ODD_TERM
#undef LOW_HALF
