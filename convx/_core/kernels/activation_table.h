/* The activations of whole arrays, and the gradients of all: one row each in a table. A gradient
   is f'(v) times that of the output, `g`; where f does not depend on v it is 0, whatever g is. At
   infinities stand the limits. `given` are the numbers that some take. */

#if !defined EACH_ACTIVATION
#error "include activations.h before activation_table.h"
#endif

CX_INLINE NAME(vector) NAME(zero)(void)
{
    return (NAME(vector)){0};
}

CX_INLINE NAME(vector) NAME(size)(NAME(vector) v)
{
    NAME(mask) sign = (NAME(mask))(-(T)0 - NAME(zero)());
    return (NAME(vector))((NAME(mask))v & ~sign);
}

/* -|v|, and never below LOWEST. */
CX_INLINE NAME(vector) NAME(minus_size)(NAME(vector) v)
{
    NAME(mask) sign = (NAME(mask))(-(T)0 - NAME(zero)());
    return NAME(at_least)((NAME(vector))((NAME(mask))v | sign), LOWEST);
}

/* v, within what makes exp(-|v|) times it more than 0. */
CX_INLINE NAME(vector) NAME(bounded)(NAME(vector) v)
{
    return NAME(at_most)(NAME(at_least)(v, LOWEST), -LOWEST);
}

CX_INLINE NAME(vector) NAME(relu_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    return NAME(select)((NAME(mask))(v <= 0), NAME(zero)(), g);
}

/* given: the bounds. */
CX_INLINE NAME(vector) NAME(hardtanh)(NAME(vector) v, const T *given)
{
    return NAME(at_most)(NAME(at_least)(v, given[0]), given[1]);
}

CX_INLINE NAME(vector) NAME(hardtanh_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    NAME(mask) between = (NAME(mask))(v > given[0]) & (NAME(mask))(v < given[1]);
    return (NAME(vector))((NAME(mask))g & between);
}

CX_INLINE NAME(vector) NAME(relu6_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    return NAME(hardtanh_gradient)(v, g, (const T[]){0, 6});
}

CX_INLINE NAME(vector) NAME(hardsigmoid)(NAME(vector) v, const T *given)
{
    return NAME(relu6)(v + 3, given) / 6;
}

CX_INLINE NAME(vector) NAME(hardsigmoid_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    return NAME(hardtanh_gradient)(v, g / 6, (const T[]){-3, 3});
}

CX_INLINE NAME(vector) NAME(hardswish_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    NAME(vector) inside = g * (v / 3 + (T)0.5);
    inside = NAME(select)((NAME(mask))(v >= 3), g, inside);
    return NAME(select)((NAME(mask))(v <= -3), NAME(zero)(), inside);
}

CX_INLINE NAME(vector) NAME(leaky_relu_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    return NAME(select)((NAME(mask))(v > 0), g, g * given[0]);
}

/* given: what the exponential is multiplied by, and its argument, and all the rest. */
CX_INLINE NAME(vector) NAME(elu)(NAME(vector) v, const T *given)
{
    NAME(vector) below = NAME(expm1)(v * given[1]) * given[0];
    return NAME(select)((NAME(mask))(v < 0), below, v * given[2]);
}

CX_INLINE NAME(vector) NAME(elu_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    NAME(vector) below = g * (given[0] * given[1]) * NAME(exp)(v * given[1]);
    return NAME(select)((NAME(mask))(v > 0), g * given[2], below);
}

CX_INLINE NAME(vector) NAME(sigmoid_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    NAME(vector) small = NAME(exp_negative)(NAME(minus_size)(v)), all = 1 + small;
    return g * (small / (all * all));
}

CX_INLINE NAME(vector) NAME(tanh_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    NAME(vector) small = NAME(exp_negative)(2 * NAME(minus_size)(v)), all = 1 + small;
    return g * (4 * small / (all * all));
}

CX_INLINE NAME(vector) NAME(silu_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    NAME(vector) small = NAME(exp_negative)(NAME(minus_size)(v)), all = 1 + small;
    NAME(vector) own = NAME(select)((NAME(mask))(v < 0), small, 1 - NAME(zero)());
    return g * ((own + NAME(bounded)(v) * small / all) / all);
}

CX_INLINE NAME(vector) NAME(logsigmoid)(NAME(vector) v, const T *given)
{
    return NAME(at_most)(v, 0) - NAME(log1p)(NAME(exp_negative)(NAME(minus_size)(v)));
}

CX_INLINE NAME(vector) NAME(logsigmoid_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    return g * NAME(logistic)(-v);
}

/* given: what v is multiplied by, and from where on the function is the identity. */
CX_INLINE NAME(vector) NAME(softplus)(NAME(vector) v, const T *given)
{
    NAME(vector) scaled = v * given[0];
    NAME(vector) more = NAME(log1p)(NAME(exp_negative)(NAME(minus_size)(scaled)));
    NAME(vector) curved = (NAME(at_least)(scaled, 0) + more) / given[0];
    return NAME(select)((NAME(mask))(scaled > given[1]), v, curved);
}

CX_INLINE NAME(vector) NAME(softplus_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    NAME(vector) scaled = v * given[0];
    return g * NAME(select)((NAME(mask))(scaled > given[1]), 1 - NAME(zero)(),
                            NAME(logistic)(scaled));
}

/* With e = exp(-|v|), tanh(log(1 + exp(v))) is (1 + 2e) / (1 + 2e + 2ee) for positive v, and
   e (2 + e) / (2 + e (2 + e)) for negative: there is no logarithm to take. */
CX_INLINE NAME(vector) NAME(mish)(NAME(vector) v, const T *given)
{
    NAME(mask) negative = (NAME(mask))(v < 0);
    NAME(power) power = NAME(find_power)(NAME(minus_size)(v));
    NAME(vector) scaled = NAME(exp_of_rest)(power.rest) * power.scale;
    NAME(vector) e = scaled * DOWN, upper = 1 + 2 * e;
    NAME(vector) below = NAME(at_least)(v, LOWEST) * (2 + e) * scaled * DOWN;
    return NAME(select)(negative, below, v * upper) /
           NAME(select)(negative, 2 + e * (2 + e), upper + 2 * e * e);
}

CX_INLINE NAME(vector) NAME(mish_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    NAME(mask) negative = (NAME(mask))(v < 0);
    NAME(vector) e = NAME(exp_negative)(NAME(minus_size)(v)), upper = 1 + 2 * e;
    NAME(vector) lower = e * (2 + e);
    CX_HOLD(lower); /* what is selected is rounded, and so is what it is added to */
    NAME(vector) above = NAME(select)(negative, lower, upper);
    NAME(vector) below = NAME(select)(negative, 2 + lower, upper + 2 * e * e);
    NAME(vector) slope = 4 * e * (1 + e) * NAME(select)(negative, 1 - NAME(zero)(), e);
    return g * ((above + NAME(bounded)(v) * slope / below) / below);
}

/* v times the normal distribution's share below v. */
CX_INLINE NAME(vector) NAME(gelu)(NAME(vector) v, const T *given)
{
    NAME(vector) t = NAME(at_most)(NAME(size)(v), MOST_DEVIATIONS);
    NAME(tail) tail = NAME(normal_tail)(t);
    return NAME(at_least)(v, 0) - t * tail.above * tail.density_part / tail.below;
}

CX_INLINE NAME(vector) NAME(gelu_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    NAME(mask) negative = (NAME(mask))(v < 0);
    NAME(vector) t = NAME(at_most)(NAME(size)(v), MOST_DEVIATIONS);
    NAME(tail) tail = NAME(normal_tail)(t);
    NAME(vector) part = tail.above / tail.below - t * (T)(0.39894228040143267794 * DOWN);
    part *= tail.density_part;
    return g * NAME(select)(negative, part, 1 - part);
}

/* v (1 + tanh(inner)) / 2 is v / (1 + exp(-2 inner)), with inner = sqrt(2 / pi) (v + 0.044715 v^3). */
CX_INLINE NAME(vector) NAME(gelu_tanh)(NAME(vector) v, const T *given)
{
    NAME(vector) inner = v + (T)0.044715 * (v * v * v);
    return NAME(times_logistic)((T)1.59576912160573071176 * inner, NAME(at_least)(v, LOWEST));
}

CX_INLINE NAME(vector) NAME(gelu_tanh_gradient)(NAME(vector) v, NAME(vector) g, const T *given)
{
    v = NAME(bounded)(v);
    NAME(vector) square = v * v, inner = v + (T)0.044715 * (square * v);
    NAME(vector) twice = (T)1.59576912160573071176 * inner;
    NAME(vector) small = NAME(exp_negative)(NAME(minus_size)(twice)), all = 1 + small;
    NAME(vector) own = NAME(select)((NAME(mask))(v < 0), small, 1 - NAME(zero)());
    NAME(vector) slope = v * ((T)1.59576912160573071176 * (1 + (T)0.134145 * square));
    return g * ((own + slope * small / all) / all);
}

#define EACH_SWEPT_ACTIVATION(X)                                                                  \
    EACH_ACTIVATION(X)                                                                            \
    X(CX_ELU, elu) X(CX_GELU, gelu) X(CX_GELU_TANH, gelu_tanh) X(CX_HARDSIGMOID, hardsigmoid)     \
    X(CX_HARDTANH, hardtanh) X(CX_LOGSIGMOID, logsigmoid) X(CX_MISH, mish)                        \
    X(CX_SOFTPLUS, softplus)
