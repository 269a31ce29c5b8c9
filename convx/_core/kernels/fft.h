/* Discrete Fourier transforms of vectors: in each lane one of its own. Sizes are powers of two.

   Forward they are decimated in frequency, backward in time, by radix 4 and at most one step of
   radix 2. So what lies between is in a permuted order, the same for all that is multiplied there:
   nothing is ever put in order. Real and imaginary parts are arrays of their own, [place][lane].
   `roots` holds cos and -sin of 2 pi k / n for k < n. Backward, the factor 1 / n is left out. */

CX_INLINE void NAME(turn)(NAME(vector) *re, NAME(vector) *im, T cos, T sin)
{
    NAME(vector) turned = *re * cos - *im * sin;
    *im = *re * sin + *im * cos;
    *re = turned;
}

/* Four values, `quarter` places apart: sums with the fourth roots of unity, which are turned by the
   powers of root `k`, or turned back before. */
CX_INLINE void NAME(butterfly)(const int backward, const int turns, T *re, T *im, int64_t quarter,
                               const T *roots, int64_t k)
{
    NAME(vector) r[4], i[4];
    CX_UNROLL for (int m = 0; m < 4; m++)
    {
        r[m] = *(NAME(vector) *)(re + m * quarter * LANES);
        i[m] = *(NAME(vector) *)(im + m * quarter * LANES);
        if (backward && turns && m)
            NAME(turn)(&r[m], &i[m], roots[2 * m * k], -roots[2 * m * k + 1]);
    }
    NAME(vector) r02 = r[0] + r[2], i02 = i[0] + i[2], r13 = r[1] + r[3], i13 = i[1] + i[3];
    NAME(vector) dr02 = r[0] - r[2], di02 = i[0] - i[2], dr13 = r[1] - r[3], di13 = i[1] - i[3];
    r[0] = r02 + r13;
    i[0] = i02 + i13;
    r[2] = r02 - r13;
    i[2] = i02 - i13;
    r[1] = backward ? dr02 - di13 : dr02 + di13;
    i[1] = backward ? di02 + dr13 : di02 - dr13;
    r[3] = backward ? dr02 + di13 : dr02 - di13;
    i[3] = backward ? di02 - dr13 : di02 + dr13;
    CX_UNROLL for (int m = 0; m < 4; m++)
    {
        if (!backward && turns && m)
            NAME(turn)(&r[m], &i[m], roots[2 * m * k], roots[2 * m * k + 1]);
        *(NAME(vector) *)(re + m * quarter * LANES) = r[m];
        *(NAME(vector) *)(im + m * quarter * LANES) = i[m];
    }
}

/* The radix 4 step over stretches of `length` places. */
CX_INLINE void NAME(quarter)(const int backward, T *re, T *im, int64_t n, int64_t length,
                             const T *roots)
{
    int64_t quarter = length / 4;
    for (int64_t at = 0; at < n * LANES; at += length * LANES)
        NAME(butterfly)(backward, 0, re + at, im + at, quarter, roots, 0);
    for (int64_t j = 1; j < quarter; j++)
        for (int64_t at = j * LANES; at < n * LANES; at += length * LANES)
            NAME(butterfly)(backward, 1, re + at, im + at, quarter, roots, j * (n / length));
}

CX_INLINE void NAME(halve)(T *re, T *im, int64_t n)
{
    for (int64_t at = 0; at < n * LANES; at += 2 * LANES)
        CX_UNROLL for (int part = 0; part < 2; part++)
        {
            NAME(vector) *x = (NAME(vector) *)((part ? im : re) + at);
            NAME(vector) sum = x[0] + x[1], difference = x[0] - x[1];
            x[0] = sum;
            x[1] = difference;
        }
}

static void NAME(transform)(T *re, T *im, int64_t n, const T *roots)
{
    int64_t length = n;
    for (; length > 2; length /= 4)
        NAME(quarter)(0, re, im, n, length, roots);
    if (length == 2)
        NAME(halve)(re, im, n);
}

static void NAME(transform_back)(T *re, T *im, int64_t n, const T *roots)
{
    int64_t length = 4;
    for (int64_t rest = n; rest > 1; rest /= 4)
        if (rest == 2) {
            NAME(halve)(re, im, n);
            length = 8;
        }
    for (; length <= n; length *= 4)
        NAME(quarter)(1, re, im, n, length, roots);
}
