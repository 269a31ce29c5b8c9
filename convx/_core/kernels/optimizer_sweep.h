/* Steps of optimisers: parameters and what is kept of their gradients, in one pass over memory. The
   loops are plain ones, which compilers vectorise, square roots and quotients too. What is stored is
   not loaded again: a vector that crosses lines of the cache would have to get there first. */

CX_INLINE T NAME(root)(T size)
{
    return sizeof(T) == sizeof(float) ? (T)__builtin_sqrtf((float)size) : (T)__builtin_sqrt(size);
}

/* The gradient that a step is made with: of the loss, and of the penalty decay / 2 · parameter². */
CX_INLINE T NAME(step_gradient)(const int decays, T grad, T parameter, T sign, T decay)
{
    grad *= sign;
    return decays ? grad + decay * parameter : grad;
}

CX_INLINE void NAME(descend)(const int decays, const int remembers, const cx_step *step,
                             int64_t from, int64_t to)
{
    T *restrict parameter = step->parameter, *restrict velocity = step->state[0];
    const T *restrict grad = step->grad;
    T sign = (T)step->given[0], decay = (T)step->given[1], rate = (T)step->given[2];
    T keep = (T)step->given[3], take = (T)step->given[4];
    T of_grad = (T)step->given[5], of_velocity = (T)step->given[6];
    for (int64_t i = from; i < to; i++) {
        T g = NAME(step_gradient)(decays, grad[i], parameter[i], sign, decay);
        if (remembers) {
            T v = velocity[i] * keep + take * g;
            velocity[i] = v;
            g = of_grad * g + of_velocity * v;
        }
        parameter[i] -= rate * g;
    }
}

/* The largest mean of squares is remembered in state[2]. */
CX_INLINE void NAME(adapt)(const int decays, const int to_largest, const cx_step *step,
                           int64_t from, int64_t to)
{
    T *restrict parameter = step->parameter, *restrict mean = step->state[0];
    T *restrict square = step->state[1], *restrict largest = step->state[2];
    const T *restrict grad = step->grad;
    T sign = (T)step->given[0], decay = (T)step->given[1], rate = (T)step->given[2];
    T shrink = (T)step->given[3], by_mean = (T)step->given[4];
    T keep = (T)step->given[5], by_square = (T)step->given[6];
    T unbias = (T)step->given[7], eps = (T)step->given[8];
    for (int64_t i = from; i < to; i++) {
        T g = NAME(step_gradient)(decays, grad[i], parameter[i], sign, decay);
        T m = mean[i] + by_mean * (g - mean[i]), size = keep * square[i] + by_square * g * g;
        mean[i] = m;
        square[i] = size;
        if (to_largest) {
            size = largest[i] > size ? largest[i] : size;
            largest[i] = size;
        }
        parameter[i] = parameter[i] * shrink - rate * m / (NAME(root)(size) * unbias + eps);
    }
}

/* Mean of squares, mean of gradients if centered, and velocity. */
CX_INLINE void NAME(propagate)(const int decays, const int centered, const int remembers,
                               const cx_step *step, int64_t from, int64_t to)
{
    T *restrict parameter = step->parameter, *restrict square = step->state[0];
    T *restrict mean = step->state[1], *restrict velocity = step->state[2];
    const T *restrict grad = step->grad;
    T sign = (T)step->given[0], decay = (T)step->given[1], rate = (T)step->given[2];
    T keep = (T)step->given[3], take = (T)step->given[4], eps = (T)step->given[5];
    T momentum = (T)step->given[6];
    for (int64_t i = from; i < to; i++) {
        T g = NAME(step_gradient)(decays, grad[i], parameter[i], sign, decay);
        T size = keep * square[i] + take * g * g;
        square[i] = size;
        if (centered) {
            T m = mean[i] + take * (g - mean[i]);
            mean[i] = m;
            size -= m * m;
        }
        g /= NAME(root)(size) + eps;
        if (remembers) {
            g = momentum * velocity[i] + g;
            velocity[i] = g;
        }
        parameter[i] -= rate * g;
    }
}

/* A step of a parameter's elements from `from` to `to`. */
static void NAME(take_step)(const cx_step *step, int64_t from, int64_t to)
{
    const int decays = step->given[1] != 0;
    switch (step->rule) {
    case CX_SGD:
        if (step->state[0])
            decays ? NAME(descend)(1, 1, step, from, to) : NAME(descend)(0, 1, step, from, to);
        else
            decays ? NAME(descend)(1, 0, step, from, to) : NAME(descend)(0, 0, step, from, to);
        break;
    case CX_ADAM:
        if (step->state[2])
            decays ? NAME(adapt)(1, 1, step, from, to) : NAME(adapt)(0, 1, step, from, to);
        else
            decays ? NAME(adapt)(1, 0, step, from, to) : NAME(adapt)(0, 0, step, from, to);
        break;
    case CX_RMSPROP:
        NAME(propagate)(decays, step->state[1] != 0, step->state[2] != 0, step, from, to);
        break;
    }
}

static void NAME(sweep_steps)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_steps_job *job = of;
    (void)scratch;
    for (int64_t k = 0; k < job->count; k++) {
        const cx_step *step = &job->steps[k];
        int64_t from = cx_max(first - step->first_piece, 0);
        int64_t to = cx_min(end - step->first_piece, step->pieces);
        if (from < to)
            NAME(take_step)(step, from * CX_STRETCH, cx_min(to * CX_STRETCH, step->length));
    }
}
