/* The activations that a convolution may end with, of a vector of values; activation_table.h has
   the others. NaN passes through every one of them. `given` are the numbers that some take. */

#if !defined T || !defined LANES || !defined NAME
#error "define T, LANES and NAME before including activations.h"
#endif

#if IS_FLOAT

#include "elementary.h"

/* 1 / (1 + exp(-v)) as exp(v) / (1 + exp(v)), which is accurate where it is small. At 40 it has long
   been 1. Both parts are greater by 1 / DOWN, so that a subnormal result is rounded once. */
CX_INLINE NAME(vector) NAME(logistic)(NAME(vector) v)
{
    NAME(power) power = NAME(find_power)(NAME(at_most)(NAME(at_least)(v, LOWEST), 40));
    NAME(vector) scaled = NAME(exp_of_rest)(power.rest) * power.scale;
    return scaled / (1 / DOWN + scaled);
}

/* The factor over 1 + exp(-v). It stands inside, for exp(v) alone is rounded where it is subnormal;
   where v is at most 40 the factor must be so too. */
CX_INLINE NAME(vector) NAME(times_logistic)(NAME(vector) v, NAME(vector) factor)
{
    NAME(vector) least = NAME(at_least)(v, LOWEST), few = NAME(at_most)(factor, 40);
    NAME(power) power = NAME(find_power)(NAME(at_most)(least, 40));
    NAME(vector) scaled = NAME(exp_of_rest)(power.rest) * power.scale;
    NAME(vector) curved = few * scaled / (1 / DOWN + scaled);
    return NAME(select)((NAME(mask))(v > 40), factor, curved);
}

/* With more = 1 - exp(-2 |v|), tanh |v| = more / (2 - more): nothing is lost near 0. */
CX_INLINE NAME(vector) NAME(tanh)(NAME(vector) v, const T *given)
{
    NAME(mask) signs = (NAME(mask))(-(T)0 - (NAME(vector)){0}), sign = (NAME(mask))v & signs;
    NAME(vector) minus = (NAME(vector))((NAME(mask))v | signs);
    NAME(power) power = NAME(find_power_for_sum)(NAME(at_least)(minus + minus, -40));
    NAME(vector) more = (1 - power.scale) - NAME(expm1_of_rest)(power.rest) * power.scale;
    return (NAME(vector))((NAME(mask))(more / (2 - more)) | sign);
}

CX_INLINE NAME(vector) NAME(relu)(NAME(vector) v, const T *given)
{
    return NAME(at_least)(v, 0);
}

CX_INLINE NAME(vector) NAME(relu6)(NAME(vector) v, const T *given)
{
    return NAME(at_most)(NAME(at_least)(v, 0), 6);
}

CX_INLINE NAME(vector) NAME(silu)(NAME(vector) v, const T *given)
{
    return NAME(times_logistic)(v, NAME(at_least)(v, LOWEST)); /* not -inf times 0 */
}

CX_INLINE NAME(vector) NAME(hardswish)(NAME(vector) v, const T *given)
{
    NAME(vector) inside = v * ((v + 3) * (T)(1 / 6.0));
    inside = NAME(select)((NAME(mask))(v >= 3), v, inside);
    return NAME(select)((NAME(mask))(v <= -3), (NAME(vector)){0}, inside);
}

/* given: the slope where v < 0. */
CX_INLINE NAME(vector) NAME(leaky_relu)(NAME(vector) v, const T *given)
{
    return NAME(select)((NAME(mask))(v > 0), v, v * given[0]);
}

CX_INLINE NAME(vector) NAME(sigmoid)(NAME(vector) v, const T *given)
{
    return NAME(logistic)(v);
}

#define EACH_ACTIVATION(X)                                                                        \
    X(CX_RELU, relu) X(CX_RELU6, relu6) X(CX_SILU, silu) X(CX_HARDSWISH, hardswish)               \
    X(CX_LEAKY_RELU, leaky_relu) X(CX_SIGMOID, sigmoid) X(CX_TANH, tanh)

#else

#define EACH_ACTIVATION(X)

#endif

/* One of these, or nothing. */
CX_INLINE NAME(vector) NAME(activate)(const int activation, NAME(vector) v, T slope)
{
    switch (activation) {
#define ACTIVATE(ACTIVATION, name)                                                                \
    case ACTIVATION:                                                                              \
        return NAME(name)(v, &slope);
        EACH_ACTIVATION(ACTIVATE)
#undef ACTIVATE
    default:
        return v;
    }
}
