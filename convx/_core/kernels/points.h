/* Winograd's minimal filtering, F(TILE, TAPS), over the last one or two axes:

       y = Aᵀ [ (G g) · (Bᵀ d) ]      g: TAPS taps, d: TILE + TAPS - 1 inputs, y: TILE outputs

   (Winograd 1980; Lavin and Gray, arXiv:1509.09308), where in two axes each matrix is applied from
   both sides. The product in the middle is the one of product.h, once for each point, with the
   tiles as its columns; taps along other axes are summed in it like channels.

   There are as many points as inputs of a tile: 6 of them are 0, 1, -1, 1/2, -2 and infinity, 5 of
   them 0, -1, 1/2, 2 and infinity, 4 of them 0, 1, -1 and infinity. Taps and outputs are the
   coefficients of polynomials. A and, but for a factor of each point, G evaluate one at the points;
   Bᵀ depends on the points alone.

   With a stride of 2, two outputs of three taps are those of taps 0 and 2 over every other input,
   F(2, 2) at 0, 1 and infinity, and of tap 1 over the inputs between: 5 products rather than 6,

       y0 = g0 (d0 - d2)  +  g1 d1  +  (g0 + g2) d2
       y1 = g2 (d4 - d2)  +  g1 d3  +  (g0 + g2) d2

   The first product of F(2, 2) is y0's alone, and the last one y1's: those of tap 1 are summed
   together with them. So along an axis there are 5 points but 3 sums, and 4 kinds of weights. */

CX_INLINE int64_t NAME(points_along)(const cx_pass *pass)
{
    return pass->winograd_stride * (pass->winograd_tile - 1) + pass->winograd_taps;
}

/* Of the products at the points, those that are not added up. */
CX_INLINE int64_t NAME(sums_along)(const cx_pass *pass)
{
    int64_t stride = pass->winograd_stride;
    return pass->winograd_tile + (pass->winograd_taps + stride - 1) / stride - 1;
}

CX_INLINE int64_t NAME(in_all_axes)(const cx_pass *pass, int64_t along)
{
    return pass->winograd_axes == 2 ? along * along : along;
}

CX_INLINE int64_t NAME(winograd_points)(const cx_pass *pass)
{
    return NAME(in_all_axes)(pass, NAME(points_along)(pass));
}

CX_INLINE int64_t NAME(winograd_sums)(const cx_pass *pass)
{
    return NAME(in_all_axes)(pass, NAME(sums_along)(pass));
}

/* Points that differ in their weights. */
CX_INLINE int64_t NAME(weight_points)(const cx_pass *pass)
{
    int64_t along = NAME(sums_along)(pass) + (pass->winograd_stride > 1);
    return NAME(in_all_axes)(pass, along);
}

/* With a stride of 2, of a point along an axis: its sum and its weights. */
CX_INLINE int64_t NAME(sum_along)(int64_t point) { return point < 3 ? point : 2 * (point - 3); }
CX_INLINE int64_t NAME(weights_along)(int64_t point) { return cx_min(point, 3); }

/* Points whose products make up one sum: they are neighbours in memory. */
typedef struct {
    int64_t first, count;
} NAME(addends);

CX_INLINE NAME(addends) NAME(addends_of)(const int stride, int64_t sum)
{
    if (stride == 1)
        return (NAME(addends)){sum, 1};
    int64_t down = sum / 3, along = sum % 3, lines = 2 - down % 2, points = 2 - along % 2;
    return (NAME(addends)){5 * ((3 * down + 1) / 2) + lines * ((3 * along + 1) / 2),
                           lines * points};
}

/* Where a point is stored that lies in line `down`, at place `along` of it: its sum's first point,
   how many that has, and which of them it is. */
typedef struct {
    int64_t first, count, which;
} NAME(place);

CX_INLINE NAME(place) NAME(place_of)(const int stride, const int points, int down, int along)
{
    if (stride == 1)
        return (NAME(place)){down * points + along, 1, 0};
    int64_t line = NAME(sum_along)(down);
    NAME(addends) of = NAME(addends_of)(stride, 3 * line + NAME(sum_along)(along));
    return (NAME(place)){of.first, of.count, (along > 2) * (2 - line % 2) + (down > 2)};
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

/* Calls a macro with the sizes of a pass's tiling as constants: tile, taps, axes, stride. */
#define TILING_CASE(CALL, TILE, TAPS, AXES, STRIDE)                                               \
    case TILE * 1000 + TAPS * 100 + AXES * 10 + STRIDE:                                           \
        CALL(TILE, TAPS, AXES, STRIDE);                                                           \
        break;
#define EACH_TILING(CALL)                                                                         \
    switch (pass->winograd_tile * 1000 + pass->winograd_taps * 100 + pass->winograd_axes * 10 +   \
            pass->winograd_stride) {                                                              \
        TILING_CASE(CALL, 2, 3, 1, 1)                                                             \
        TILING_CASE(CALL, 2, 3, 2, 1)                                                             \
        TILING_CASE(CALL, 2, 3, 2, 2)                                                             \
        TILING_CASE(CALL, 2, 5, 1, 1)                                                             \
        TILING_CASE(CALL, 2, 5, 2, 1)                                                             \
        TILING_CASE(CALL, 3, 4, 1, 1)                                                             \
        TILING_CASE(CALL, 3, 4, 2, 1)                                                             \
        TILING_CASE(CALL, 4, 2, 1, 1)                                                             \
        TILING_CASE(CALL, 4, 2, 2, 1)                                                             \
        TILING_CASE(CALL, 4, 3, 1, 1)                                                             \
        TILING_CASE(CALL, 4, 3, 2, 1)                                                             \
    }

enum { NAME(MOST_POINTS) = 6 }; /* along an axis */

/* Bᵀ d along an axis: 4 to 6 points; 5 with a stride of 2. */
CX_INLINE void NAME(to_points)(const int points, const int stride, const NAME(vector) *d,
                               NAME(vector) *v)
{
    if (stride == 2) {
        v[0] = d[0] - d[2];
        v[1] = d[2];
        v[2] = d[4] - d[2];
        v[3] = d[1];
        v[4] = d[3];
        return;
    }
    if (points == 4) {
        v[0] = d[0] - d[2];
        v[1] = d[2] + d[1];
        v[2] = d[2] - d[1];
        v[3] = d[3] - d[1];
        return;
    }
    if (points == 5) {
        v[0] = d[0] + d[3] - (T)1.5 * (d[1] + d[2]);
        v[1] = d[1] + d[3] - (T)2.5 * d[2];
        v[2] = d[3] - d[2] - 2 * d[1];
        v[3] = d[3] + (T)0.5 * (d[2] - d[1]);
        v[4] = d[1] + d[4] - (T)1.5 * (d[2] + d[3]);
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
    if (points == 5)
        v[1] = even - odd;
    else {
        v[1] = even + odd;
        v[2] = even - odd;
    }
    v[points - 1] = y[count - 1];
    if (points < 5)
        return;
    NAME(vector) half = y[count - 1], two = y[count - 1];
    CX_UNROLL for (int i = count - 2; i >= 0; i--) {
        half = (T)0.5 * half + y[i];
        two = y[i] + (T)(points == 5 ? 2 : -2) * two;
    }
    v[points - 3] = half;
    v[points - 2] = two;
}

/* The transposed of it: Aᵀ m. */
CX_INLINE void NAME(from_points)(const int points, const int count, const NAME(vector) *m,
                                 NAME(vector) *y)
{
    if (points == 3) {
        y[0] = m[0] + m[1];
        y[1] = m[2] + m[1];
        return;
    }
    NAME(vector) even = m[1] + m[2], odd = m[1] - m[2];
    T half = 1, two = 1;
    CX_UNROLL for (int i = 0; i < count; i++) {
        if (points == 5)
            y[i] = i % 2 ? -m[1] : m[1];
        else
            y[i] = i % 2 ? odd : even;
        if (i == 0)
            y[i] += m[0];
        if (i == count - 1)
            y[i] += m[points - 1];
        if (points >= 5)
            y[i] += half * m[points - 3] + two * m[points - 2];
        half *= (T)0.5;
        two *= points == 5 ? 2 : -2;
    }
}

/* G's factor of a point. */
CX_INLINE T NAME(factor)(const int points, const int point)
{
    const T of_4[] = {1, 0.5, 0.5, 1};
    const T of_5[] = {1, -2.0 / 9, -8.0 / 9, 1.0 / 9, 1};
    const T of_6[] = {1, 1.0 / 3, -1.0 / 3, -16.0 / 15, 1.0 / 15, 1};
    return points == 4 ? of_4[point] : points == 5 ? of_5[point] : of_6[point];
}

/* G g along an axis. Products with factors are rounded before anything is added to them, so that
   transformed weights are the same wherever they are computed. */
CX_INLINE void NAME(weights_to_points)(const int points, const int taps, const int stride,
                                       const NAME(vector) *g, NAME(vector) *u)
{
    if (stride == 2) {
        u[0] = g[0];
        u[1] = g[0] + g[2];
        u[2] = g[2];
        u[3] = u[4] = g[1];
        return;
    }
    NAME(evaluate)(points, taps, g, u);
    CX_UNROLL for (int p = 1; p < points - 1; p++) {
        u[p] *= NAME(factor)(points, p);
        CX_HOLD(u[p]);
    }
}

/* Gᵀ u along an axis, but for the factors, which the outputs have been multiplied by: the weights'
   gradient from its points, of which those that have the same weights are one. */
CX_INLINE void NAME(weights_from_points)(const int points, const int taps, const int stride,
                                         const NAME(vector) *u, NAME(vector) *g)
{
    if (stride == 2) {
        g[0] = u[0] + u[1];
        g[1] = u[3];
        g[2] = u[2] + u[1];
        return;
    }
    NAME(from_points)(points, taps, u, g);
}
