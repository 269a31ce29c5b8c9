/* Interleaving rows, the transposition that packs weights and the panels of a weight gradient:

       to[i * step + r] = from[r * stride + i],    r < rows <= ROWS, i < length

   done in registers, LANES rows by LANES elements at a time. */

#if !defined T || !defined LANES || !defined NAME
#error "define T, LANES and NAME before including transpose.h"
#endif

#include "square.h"

#define SAME(lane, _) (lane)

/* to[i * step + r] = from[r * stride + i] for a square of LANES rows, from registers only. The
   highest bit is exchanged by loading halves of two rows where there are half vectors. */
CX_INLINE void NAME(transpose_square)(T *to, int64_t step, const T *from, int64_t stride)
{
    NAME(vector) v[LANES];
#if CX_HALF_VECTORS && defined CX_JOIN
    CX_UNROLL for (int r = 0; r < LANES / 2; r++)
        CX_UNROLL for (int half = 0; half < 2; half++) {
            const T *low = from + r * stride + half * LANES / 2;
            const T *high = low + LANES / 2 * stride;
            v[half * LANES / 2 + r] =
                CX_JOIN((NAME(half_vector))*(const NAME(half_loose) *)low,
                        (NAME(half_vector))*(const NAME(half_loose) *)high, EVERY_LANE(SAME, 0));
        }
    NAME(transpose_halves)(v);
#else
    CX_UNROLL for (int r = 0; r < LANES; r++)
        v[r] = *(const NAME(loose) *)(from + r * stride);
    NAME(transpose)(v);
#endif
    CX_UNROLL for (int r = 0; r < LANES; r++)
        *(NAME(loose) *)(to + r * step) = v[r];
}

/* Interleaves the LANES elements from `from` on and stores the first `length` of them. Whole
   vectors are stored, in rising order: the lanes past `rows` are overwritten by what follows. */
static void NAME(interleave_lanes)(T *to, int64_t step, const T *from, int64_t stride,
                                   int64_t rows, int64_t length)
{
    NAME(vector) v[(ROWS + LANES - 1) / LANES][LANES];
    int64_t blocks = (rows + LANES - 1) / LANES;
    for (int64_t b = 0; b < blocks; b++) {
        NAME(vector) square[LANES];
        CX_UNROLL for (int r = 0; r < LANES; r++)
            square[r] = *(const NAME(loose) *)(from + cx_min(b * LANES + r, rows - 1) * stride);
        NAME(transpose)(square);
        CX_UNROLL for (int r = 0; r < LANES; r++)
            v[b][r] = square[r];
    }
    for (int64_t i = 0; i < length; i++)
        for (int64_t b = 0; b < blocks; b++)
            *(NAME(loose) *)(to + i * step + b * LANES) = v[b][i];
}

/* `readable`: elements that may be read from each row, at least length. `to` has room for two
   vectors after its end. */
static void NAME(interleave)(T *to, int64_t step, const T *from, int64_t stride, int64_t rows,
                             int64_t length, int64_t readable)
{
    int64_t i = 0;
    if (rows == 1) {
        for (; i < length; i++)
            to[i * step] = from[i];
        return;
    }
    for (; i + LANES <= length; i += LANES)
        NAME(interleave_lanes)(to + i * step, step, from + i, stride, rows, LANES);
    if (i == length)
        return;
    if (i + LANES <= readable)
        NAME(interleave_lanes)(to + i * step, step, from + i, stride, rows, length - i);
    else if (length >= LANES)
        NAME(interleave_lanes)(to + (length - LANES) * step, step, from + length - LANES, stride,
                               rows, LANES);
    else
        for (; i < length; i++)
            for (int64_t r = 0; r < rows; r++)
                to[i * step + r] = from[r * stride + i];
}

#undef SAME
#include "shuffles.h"

/* to[i * pitch + r] = from[offset[r] + i * step], r <= last < LANES, i < length. The last square
   overlaps the one before it, so that nothing is read past the end. */
CX_INLINE void NAME(fill_stretch)(const int step, const T *from, const int64_t *offset,
                                  int64_t last, int64_t length, T *to, int64_t pitch)
{
    for (int64_t i = 0; i < length; i += LANES) {
        int64_t at = cx_max(0, cx_min(i, length - LANES)), rows = cx_min(length, LANES);
        NAME(vector) v[LANES];
        CX_UNROLL for (int r = 0; r < LANES; r++) {
            const T *x = from + offset[cx_min(r, last)] + at * step;
            if (step == 2)
                v[r] = NAME(every_other)(x);
            else
                v[r] = *(const NAME(loose) *)x;
        }
        NAME(transpose)(v);
        for (int64_t r = 0; r < rows; r++)
            *(NAME(loose) *)(to + (at + r) * pitch) = v[r];
    }
}

#include "end_square.h"
