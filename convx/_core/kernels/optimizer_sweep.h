/* Steps of optimisers: parameters and what is kept of their gradients, in one pass over memory. The
   loops are plain ones, which compilers vectorise, square roots and quotients too. */

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

CX_INLINE void NAME(descend)(const int decays, const int remembers, const cx_step_job *job,
                             int64_t from, int64_t to)
{
    T *restrict parameter = job->parameter, *restrict velocity = job->state[0];
    const T *restrict grad = job->grad;
    T sign = (T)job->given[0], decay = (T)job->given[1], rate = (T)job->given[2];
    T keep = (T)job->given[3], take = (T)job->given[4];
    T of_grad = (T)job->given[5], of_velocity = (T)job->given[6];
    for (int64_t i = from; i < to; i++) {
        T g = NAME(step_gradient)(decays, grad[i], parameter[i], sign, decay);
        if (remembers) {
            velocity[i] = velocity[i] * keep + take * g;
            g = of_grad * g + of_velocity * velocity[i];
        }
        parameter[i] -= rate * g;
    }
}

/* The largest mean of squares is remembered in state[2]. */
CX_INLINE void NAME(adapt)(const int decays, const int to_largest, const cx_step_job *job,
                           int64_t from, int64_t to)
{
    T *restrict parameter = job->parameter, *restrict mean = job->state[0];
    T *restrict square = job->state[1], *restrict largest = job->state[2];
    const T *restrict grad = job->grad;
    T sign = (T)job->given[0], decay = (T)job->given[1], rate = (T)job->given[2];
    T shrink = (T)job->given[3], by_mean = (T)job->given[4];
    T keep = (T)job->given[5], by_square = (T)job->given[6];
    T unbias = (T)job->given[7], eps = (T)job->given[8];
    for (int64_t i = from; i < to; i++) {
        T g = NAME(step_gradient)(decays, grad[i], parameter[i], sign, decay);
        mean[i] += by_mean * (g - mean[i]);
        square[i] = keep * square[i] + by_square * g * g;
        T size = square[i];
        if (to_largest)
            size = largest[i] = largest[i] > size ? largest[i] : size;
        parameter[i] = parameter[i] * shrink - rate * mean[i] / (NAME(root)(size) * unbias + eps);
    }
}

/* Mean of squares, mean of gradients if centered, and velocity. */
CX_INLINE void NAME(propagate)(const int decays, const int centered, const int remembers,
                               const cx_step_job *job, int64_t from, int64_t to)
{
    T *restrict parameter = job->parameter, *restrict square = job->state[0];
    T *restrict mean = job->state[1], *restrict velocity = job->state[2];
    const T *restrict grad = job->grad;
    T sign = (T)job->given[0], decay = (T)job->given[1], rate = (T)job->given[2];
    T keep = (T)job->given[3], take = (T)job->given[4], eps = (T)job->given[5];
    T momentum = (T)job->given[6];
    for (int64_t i = from; i < to; i++) {
        T g = NAME(step_gradient)(decays, grad[i], parameter[i], sign, decay);
        square[i] = keep * square[i] + take * g * g;
        T size = square[i];
        if (centered) {
            mean[i] += take * (g - mean[i]);
            size -= mean[i] * mean[i];
        }
        g /= NAME(root)(size) + eps;
        if (remembers)
            g = velocity[i] = momentum * velocity[i] + g;
        parameter[i] -= rate * g;
    }
}

static void NAME(sweep_step)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_step_job *job = of;
    (void)scratch;
    int64_t from = first * CX_STRETCH, to = cx_min(end * CX_STRETCH, job->length);
    const int decays = job->given[1] != 0;
    switch (job->rule) {
    case CX_SGD:
        if (job->state[0])
            decays ? NAME(descend)(1, 1, job, from, to) : NAME(descend)(0, 1, job, from, to);
        else
            decays ? NAME(descend)(1, 0, job, from, to) : NAME(descend)(0, 0, job, from, to);
        break;
    case CX_ADAM:
        if (job->state[2])
            decays ? NAME(adapt)(1, 1, job, from, to) : NAME(adapt)(0, 1, job, from, to);
        else
            decays ? NAME(adapt)(1, 0, job, from, to) : NAME(adapt)(0, 0, job, from, to);
        break;
    case CX_RMSPROP:
        NAME(propagate)(decays, job->state[1] != 0, job->state[2] != 0, job, from, to);
        break;
    }
}
