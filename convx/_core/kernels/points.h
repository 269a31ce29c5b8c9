/* Winograd's minimal filtering, F(4, 3) and F(2, 3), over the last one or two axes:

       y = Aᵀ [ (G g) · (Bᵀ d) ]      g: 3 taps, d: TILE + 2 inputs, y: TILE outputs

   (Winograd 1980; Lavin and Gray, arXiv:1509.09308), where in two axes each matrix is applied from
   both sides. The product in the middle is the one of product.h, once for each point, with the
   tiles as its columns; taps along other axes are summed in it like channels. The points are
   0, 1, -1, 1/2, -2 and infinity for TILE = 4, and 0, 1, -1 and infinity for TILE = 2. */

CX_INLINE int64_t NAME(winograd_points)(const cx_pass *pass)
{
    int64_t along = pass->winograd_tile + 2;
    return pass->winograd_axes == 2 ? along * along : along;
}

/* Taps that are transformed together. */
CX_INLINE int64_t NAME(inner_taps)(const cx_pass *pass)
{
    return pass->winograd_axes == 2 ? 9 : 3;
}

/* Taps of the axes that are not transformed. */
CX_INLINE int64_t NAME(outer_taps)(const cx_pass *pass)
{
    return pass->taps / NAME(inner_taps)(pass);
}

CX_INLINE int64_t NAME(tiles_along)(const cx_pass *pass, int64_t axis, int64_t outputs)
{
    int64_t tile = axis < pass->rank - pass->winograd_axes ? 1 : pass->winograd_tile;
    return (outputs + tile - 1) / tile;
}

/* Rounded up to an odd number of cache lines, so that the same place of every point does not fall
   into one set of the cache. */
CX_INLINE int64_t NAME(spread)(int64_t elements)
{
    int64_t line = 64 / (int64_t)sizeof(T);
    return ((elements + line - 1) / line | 1) * line;
}

/* Calls a macro with the sizes of a pass's tiling as constants. */
#define EACH_TILING(CALL)                                                                         \
    switch (pass->winograd_tile * 10 + pass->winograd_axes) {                                     \
    case 21:                                                                                      \
        CALL(2, 1);                                                                               \
        break;                                                                                    \
    case 22:                                                                                      \
        CALL(2, 2);                                                                               \
        break;                                                                                    \
    case 41:                                                                                      \
        CALL(4, 1);                                                                               \
        break;                                                                                    \
    case 42:                                                                                      \
        CALL(4, 2);                                                                               \
        break;                                                                                    \
    }

/* Bᵀ d along an axis. */
CX_INLINE void NAME(to_points)(const int tile, const NAME(vector) *d, NAME(vector) *v)
{
    if (tile == 2) {
        v[0] = d[0] - d[2];
        v[1] = d[2] + d[1];
        v[2] = d[2] - d[1];
        v[3] = d[3] - d[1];
        return;
    }
    NAME(vector) even = d[4] - d[2], odd = d[3] - d[1];
    NAME(vector) near = even + (T)1.5 * d[3], far = odd + (T)1.5 * d[2];
    v[0] = d[0] - d[2] + even + (T)1.5 * odd;
    v[1] = near + far;
    v[2] = near - far;
    v[3] = even + 2 * odd;
    v[4] = even - (T)0.5 * odd;
    v[5] = d[5] - d[3] - odd + (T)1.5 * even;
}

/* Aᵀ m along an axis. */
CX_INLINE void NAME(from_points)(const int tile, const NAME(vector) *m, NAME(vector) *y)
{
    NAME(vector) sum = m[1] + m[2], difference = m[1] - m[2];
    if (tile == 2) {
        y[0] = m[0] + sum;
        y[1] = difference + m[3];
        return;
    }
    y[0] = m[0] + sum + (m[3] + m[4]);
    y[1] = difference + (T)0.5 * m[3] - 2 * m[4];
    y[2] = sum + (T)0.25 * m[3] + 4 * m[4];
    y[3] = difference + m[5] + (T)0.125 * m[3] - 8 * m[4];
}

/* G g along an axis. */
CX_INLINE void NAME(weights_to_points)(const int tile, const NAME(vector) *g, NAME(vector) *u)
{
    NAME(vector) ends = g[0] + g[2];
    u[0] = g[0];
    if (tile == 2) {
        u[1] = (T)0.5 * (ends + g[1]);
        u[2] = (T)0.5 * (ends - g[1]);
        u[3] = g[2];
        return;
    }
    u[1] = (ends + g[1]) * (T)(1.0 / 3);
    u[2] = (g[1] - ends) * (T)(1.0 / 3);
    u[3] = ((T)4 * g[0] + (T)2 * g[1] + g[2]) * (T)(-4.0 / 15);
    u[4] = (g[0] - (T)2 * g[1] + (T)4 * g[2]) * (T)(1.0 / 15);
    u[5] = g[2];
}

/* A y along an axis: what the gradient of the weights multiplies the inputs with. */
CX_INLINE void NAME(outputs_to_points)(const int tile, const NAME(vector) *y, NAME(vector) *v)
{
    v[0] = y[0];
    if (tile == 2) {
        v[1] = y[0] + y[1];
        v[2] = y[0] - y[1];
        v[3] = y[1];
        return;
    }
    NAME(vector) even = y[0] + y[2], odd = y[1] + y[3];
    v[1] = even + odd;
    v[2] = even - odd;
    v[3] = y[0] + (T)0.5 * y[1] + (T)0.25 * y[2] + (T)0.125 * y[3];
    v[4] = y[0] - 2 * y[1] + 4 * y[2] - 8 * y[3];
    v[5] = y[3];
}

/* Gᵀ u along an axis: the weights' gradient from its points. */
CX_INLINE void NAME(weights_from_points)(const int tile, const NAME(vector) *u, NAME(vector) *g)
{
    NAME(vector) sum = u[1] + u[2], difference = u[1] - u[2];
    if (tile == 2) {
        g[0] = u[0] + (T)0.5 * sum;
        g[1] = (T)0.5 * difference;
        g[2] = (T)0.5 * sum + u[3];
        return;
    }
    g[0] = u[0] + (T)(1.0 / 3) * difference + (T)(1.0 / 15) * (u[4] - 16 * u[3]);
    g[1] = (T)(1.0 / 3) * sum - (T)(2.0 / 15) * (u[4] + 4 * u[3]);
    g[2] = u[5] + (T)(1.0 / 3) * difference + (T)(4.0 / 15) * (u[4] - u[3]);
}
