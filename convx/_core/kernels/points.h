/* Winograd's minimal filtering, F(TILE, TAPS), over the last one or two axes:

       y = Aᵀ [ (G g) · (Bᵀ d) ]      g: TAPS taps, d: TILE + TAPS - 1 inputs, y: TILE outputs

   (Winograd 1980; Lavin and Gray, arXiv:1509.09308), where in two axes each matrix is applied from
   both sides. The product in the middle is the one of product.h, once for each point, with the
   tiles as its columns; taps along other axes are summed in it like channels.

   There are as many points as inputs of a tile: 6 of them are 0, 1, -1, 1/2, -2 and infinity, 4 of
   them 0, 1, -1 and infinity. Taps and outputs are the coefficients of polynomials. A and, but for
   a factor of each point, G evaluate one at the points; Bᵀ depends on the points alone. */

CX_INLINE int64_t NAME(points_along)(const cx_pass *pass)
{
    return pass->winograd_tile + pass->winograd_taps - 1;
}

CX_INLINE int64_t NAME(winograd_points)(const cx_pass *pass)
{
    int64_t along = NAME(points_along)(pass);
    return pass->winograd_axes == 2 ? along * along : along;
}

/* Taps that are transformed together. */
CX_INLINE int64_t NAME(inner_taps)(const cx_pass *pass)
{
    return pass->winograd_axes == 2 ? pass->winograd_taps * pass->winograd_taps
                                    : pass->winograd_taps;
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

/* Calls a macro with the sizes of a pass's tiling as constants: tile, taps, axes. */
#define EACH_TILING(CALL)                                                                         \
    switch (pass->winograd_tile * 100 + pass->winograd_taps * 10 + pass->winograd_axes) {         \
    case 231:                                                                                     \
        CALL(2, 3, 1);                                                                            \
        break;                                                                                    \
    case 232:                                                                                     \
        CALL(2, 3, 2);                                                                            \
        break;                                                                                    \
    case 251:                                                                                     \
        CALL(2, 5, 1);                                                                            \
        break;                                                                                    \
    case 252:                                                                                     \
        CALL(2, 5, 2);                                                                            \
        break;                                                                                    \
    case 431:                                                                                     \
        CALL(4, 3, 1);                                                                            \
        break;                                                                                    \
    case 432:                                                                                     \
        CALL(4, 3, 2);                                                                            \
        break;                                                                                    \
    }

enum { NAME(MOST_POINTS) = 6 }; /* along an axis */

/* Bᵀ d along an axis: 4 or 6 points. */
CX_INLINE void NAME(to_points)(const int points, const NAME(vector) *d, NAME(vector) *v)
{
    if (points == 4) {
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

/* The polynomial with the given coefficients, the constant one first, at every point: A y. */
CX_INLINE void NAME(evaluate)(const int points, const int count, const NAME(vector) *y,
                              NAME(vector) *v)
{
    NAME(vector) even = y[0], odd = y[1];
    CX_UNROLL for (int i = 2; i < count; i++)
        if (i % 2)
            odd += y[i];
        else
            even += y[i];
    v[0] = y[0];
    v[1] = even + odd;
    v[2] = even - odd;
    v[points - 1] = y[count - 1];
    if (points == 4)
        return;
    v[3] = v[4] = y[count - 1];
    CX_UNROLL for (int i = count - 2; i >= 0; i--) {
        v[3] = (T)0.5 * v[3] + y[i];
        v[4] = y[i] - 2 * v[4];
    }
}

/* The transposed of it: Aᵀ m. */
CX_INLINE void NAME(from_points)(const int points, const int count, const NAME(vector) *m,
                                 NAME(vector) *y)
{
    NAME(vector) even = m[1] + m[2], odd = m[1] - m[2];
    T half = 1, two = 1;
    CX_UNROLL for (int i = 0; i < count; i++) {
        y[i] = i % 2 ? odd : even;
        if (i == 0)
            y[i] += m[0];
        if (i == count - 1)
            y[i] += m[points - 1];
        if (points == 6)
            y[i] += half * m[3] + two * m[4];
        half *= (T)0.5;
        two *= -2;
    }
}

/* G's factor of a point. */
CX_INLINE T NAME(factor)(const int points, const int point)
{
    const T of_4[] = {1, 0.5, 0.5, 1};
    const T of_6[] = {1, 1.0 / 3, -1.0 / 3, -16.0 / 15, 1.0 / 15, 1};
    return points == 4 ? of_4[point] : of_6[point];
}

/* G g along an axis. */
CX_INLINE void NAME(weights_to_points)(const int points, const int taps, const NAME(vector) *g,
                                       NAME(vector) *u)
{
    NAME(evaluate)(points, taps, g, u);
    CX_UNROLL for (int p = 0; p < points; p++)
        u[p] *= NAME(factor)(points, p);
}

/* Gᵀ u along an axis: the weights' gradient from its points. */
CX_INLINE void NAME(weights_from_points)(const int points, const int taps, const NAME(vector) *u,
                                         NAME(vector) *g)
{
    NAME(vector) scaled[NAME(MOST_POINTS)];
    CX_UNROLL for (int p = 0; p < points; p++)
        scaled[p] = NAME(factor)(points, p) * u[p];
    NAME(from_points)(points, taps, scaled, g);
}
