/* Discrete Fourier transforms of vectors: in each lane one of its own. Sizes are products of 2, 3
   and 5.

   Forward they are decimated in frequency, backward in time, by the radices of `cx_radix`. So what
   lies between is in a permuted order, the same for all that is multiplied there: nothing is ever put
   in order. Real and imaginary parts are arrays of their own, [place][lane]; places are `pitch`
   elements apart. `roots` holds cos and -sin of 2 pi k / n for k < n. Backward, the factor 1 / n is
   left out.

   A step goes over all places; then each of the parts that it leaves is transformed by itself, so that
   it stays in L1 meanwhile. */

/* Complex numbers times one, or times its conjugate. */
CX_INLINE void NAME(turn)(NAME(vector) *re, NAME(vector) *im, const T *by)
{
    NAME(vector) turned = *re * by[0] - *im * by[1];
    *im = *re * by[1] + *im * by[0];
    *re = turned;
}

CX_INLINE void NAME(turn_back)(NAME(vector) *re, NAME(vector) *im, const T *by)
{
    NAME(vector) turned = *re * by[0] + *im * by[1];
    *im = *im * by[0] - *re * by[1];
    *re = turned;
}

/* Transforms of two, three, four, five and eight values, in order before; eight leave even ones first. */
CX_INLINE void NAME(transform_2)(NAME(vector) *r, NAME(vector) *i, int a, int b)
{
    NAME(vector) re = r[a] - r[b], im = i[a] - i[b];
    r[a] += r[b];
    i[a] += i[b];
    r[b] = re;
    i[b] = im;
}

CX_INLINE void NAME(transform_3)(const int backward, NAME(vector) *r, NAME(vector) *i)
{
    const T half = (T)0.5, sine = backward ? -(T)0.86602540378443864676 : (T)0.86602540378443864676;
    NAME(vector) re = r[1] + r[2], im = i[1] + i[2];
    NAME(vector) dr = sine * (r[1] - r[2]), di = sine * (i[1] - i[2]);
    NAME(vector) mr = r[0] - half * re, mi = i[0] - half * im;
    r[0] += re;
    i[0] += im;
    r[1] = mr + di;
    i[1] = mi - dr;
    r[2] = mr - di;
    i[2] = mi + dr;
}

CX_INLINE void NAME(transform_4)(const int backward, NAME(vector) *r, NAME(vector) *i)
{
    NAME(transform_2)(r, i, 0, 2);
    NAME(transform_2)(r, i, 1, 3);
    NAME(vector) re = r[3], im = i[3], r0 = r[0], i0 = i[0], r2 = r[2], i2 = i[2];
    r[2] = r0 - r[1];
    i[2] = i0 - i[1];
    r[0] = r0 + r[1];
    i[0] = i0 + i[1];
    r[1] = backward ? r2 - im : r2 + im;
    i[1] = backward ? i2 + re : i2 - re;
    r[3] = backward ? r2 + im : r2 - im;
    i[3] = backward ? i2 - re : i2 + re;
}

CX_INLINE void NAME(transform_5)(const int backward, NAME(vector) *r, NAME(vector) *i)
{
    const T cos1 = (T)0.30901699437494742410, cos2 = (T)-0.80901699437494742410;
    const T sin1 = backward ? -(T)0.95105651629515357212 : (T)0.95105651629515357212;
    const T sin2 = backward ? -(T)0.58778525229247312917 : (T)0.58778525229247312917;
    NAME(vector) re1 = r[1] + r[4], im1 = i[1] + i[4], re2 = r[2] + r[3], im2 = i[2] + i[3];
    NAME(vector) dr1 = r[1] - r[4], di1 = i[1] - i[4], dr2 = r[2] - r[3], di2 = i[2] - i[3];
    NAME(vector) mr1 = r[0] + cos1 * re1 + cos2 * re2, mi1 = i[0] + cos1 * im1 + cos2 * im2;
    NAME(vector) mr2 = r[0] + cos2 * re1 + cos1 * re2, mi2 = i[0] + cos2 * im1 + cos1 * im2;
    NAME(vector) er1 = sin1 * dr1 + sin2 * dr2, ei1 = sin1 * di1 + sin2 * di2;
    NAME(vector) er2 = sin2 * dr1 - sin1 * dr2, ei2 = sin2 * di1 - sin1 * di2;
    r[0] += re1 + re2;
    i[0] += im1 + im2;
    r[1] = mr1 + ei1;
    i[1] = mi1 - er1;
    r[2] = mr2 + ei2;
    i[2] = mi2 - er2;
    r[3] = mr2 - ei2;
    i[3] = mi2 + er2;
    r[4] = mr1 - ei1;
    i[4] = mi1 + er1;
}

CX_INLINE void NAME(transform_8)(const int backward, NAME(vector) *r, NAME(vector) *i)
{
    const T root = (T)0.70710678118654752440;
    CX_UNROLL for (int q = 0; q < 4; q++)
        NAME(transform_2)(r, i, q, q + 4);
    NAME(vector) r5 = r[5], i5 = i[5], r6 = r[6], i6 = i[6], r7 = r[7], i7 = i[7];
    r[5] = root * (backward ? r5 - i5 : r5 + i5);
    i[5] = root * (backward ? i5 + r5 : i5 - r5);
    r[6] = backward ? -i6 : i6;
    i[6] = backward ? r6 : -r6;
    r[7] = root * (backward ? -r7 - i7 : i7 - r7);
    i[7] = root * (backward ? r7 - i7 : -r7 - i7);
    NAME(transform_4)(backward, r, i);
    NAME(transform_4)(backward, r + 4, i + 4);
}

/* A transform of so many values, in order before and after. */
CX_INLINE void NAME(transform_values)(const int backward, const int radix, NAME(vector) *r,
                                      NAME(vector) *i)
{
    NAME(vector) re[8], im[8];
    if (radix == 2)
        NAME(transform_2)(r, i, 0, 1);
    else if (radix == 3)
        NAME(transform_3)(backward, r, i);
    else if (radix == 4)
        NAME(transform_4)(backward, r, i);
    else if (radix == 5)
        NAME(transform_5)(backward, r, i);
    else
        NAME(transform_8)(backward, r, i);
    CX_UNROLL for (int m = 0; m < radix; m++)
    {
        int from = radix < 8 ? m : m / 2 + m % 2 * 4; /* even ones come first */
        re[m] = r[from];
        im[m] = i[from];
    }
    CX_UNROLL for (int m = 0; m < radix; m++)
    {
        r[m] = re[m];
        i[m] = im[m];
    }
}

/* Between values that lie apart and registers. */
CX_INLINE void NAME(load_values)(const int count, NAME(vector) *v, const T *from,
                                 const cx_multiples *apart)
{
    CX_FORGET(from);
    CX_UNROLL for (int m = 0; m < count; m++)
        v[m] = *(const NAME(vector) *)((const char *)from + cx_multiple(apart, m));
}

CX_INLINE void NAME(store_values)(const int count, const NAME(vector) *v, T *to,
                                  const cx_multiples *apart)
{
    CX_FORGET(to);
    CX_UNROLL for (int m = 0; m < count; m++)
        *(NAME(vector) *)((char *)to + cx_multiple(apart, m)) = v[m];
}

/* One value of each of the parts: transformed, and turned by the powers of a root, which lie `turns`
   apart; or turned back before. There are no turns of the first values. */
CX_INLINE void NAME(butterfly)(const int backward, const int radix, T *re, T *im,
                               const cx_multiples *part, const T *roots, const cx_multiples *turns)
{
    NAME(vector) r[8], i[8];
    NAME(load_values)(radix, r, re, part);
    NAME(load_values)(radix, i, im, part);
    CX_UNROLL for (int m = 1; m < radix; m++)
    {
        if (backward && turns)
            NAME(turn_back)(&r[m], &i[m], (const T *)((const char *)roots + cx_multiple(turns, m)));
    }
    NAME(transform_values)(backward, radix, r, i);
    CX_UNROLL for (int m = 1; m < radix; m++)
    {
        if (!backward && turns)
            NAME(turn)(&r[m], &i[m], (const T *)((const char *)roots + cx_multiple(turns, m)));
    }
    NAME(store_values)(radix, r, re, part);
    NAME(store_values)(radix, i, im, part);
}

/* A step over `length` places, the roots of which are every `apart`th. */
CX_INLINE void NAME(step_of)(const int backward, const int radix, T *re, T *im, int64_t length,
                             int64_t pitch, const T *roots, int64_t apart)
{
    int64_t count = length / radix;
    cx_multiples part = cx_multiples_of(count * pitch * (int64_t)sizeof(T));
    NAME(butterfly)(backward, radix, re, im, &part, roots, NULL);
    for (int64_t j = 1; j < count; j++) {
        cx_multiples turns = cx_multiples_of(2 * j * apart * (int64_t)sizeof(T));
        NAME(butterfly)(backward, radix, re + j * pitch, im + j * pitch, &part, roots, &turns);
    }
}

CX_INLINE void NAME(one_step)(const int backward, int64_t radix, T *re, T *im, int64_t length,
                              int64_t pitch, const T *roots, int64_t apart)
{
    if (radix == 8)
        NAME(step_of)(backward, 8, re, im, length, pitch, roots, apart);
    else if (radix == 4)
        NAME(step_of)(backward, 4, re, im, length, pitch, roots, apart);
    else if (radix == 5)
        NAME(step_of)(backward, 5, re, im, length, pitch, roots, apart);
    else if (radix == 3)
        NAME(step_of)(backward, 3, re, im, length, pitch, roots, apart);
    else
        NAME(step_of)(backward, 2, re, im, length, pitch, roots, apart);
}

static void NAME(transform_places)(T *re, T *im, int64_t length, int64_t pitch, const T *roots,
                                   int64_t apart)
{
    if (length == 1)
        return;
    int64_t radix = cx_radix(length), part = length / radix;
    NAME(one_step)(0, radix, re, im, length, pitch, roots, apart);
    for (int64_t m = 0; m < radix && part > 1; m++)
        NAME(transform_places)(re + m * part * pitch, im + m * part * pitch, part, pitch, roots,
                               apart * radix);
}

static void NAME(transform_places_back)(T *re, T *im, int64_t length, int64_t pitch,
                                        const T *roots, int64_t apart)
{
    if (length == 1)
        return;
    int64_t radix = cx_radix(length), part = length / radix;
    for (int64_t m = 0; m < radix && part > 1; m++)
        NAME(transform_places_back)(re + m * part * pitch, im + m * part * pitch, part, pitch,
                                    roots, apart * radix);
    NAME(one_step)(1, radix, re, im, length, pitch, roots, apart);
}

CX_INLINE void NAME(transform)(T *re, T *im, int64_t n, const T *roots)
{
    NAME(transform_places)(re, im, n, LANES, roots, 1);
}

CX_INLINE void NAME(transform_back)(T *re, T *im, int64_t n, const T *roots)
{
    NAME(transform_places_back)(re, im, n, LANES, roots, 1);
}
