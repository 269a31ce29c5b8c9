/* Rows of any element type as those that filters compute in, and back as C converts them. */

/* Calls M(the element's type, how it is made of a value v) for the type of number `type`. */
#define EACH_ELEMENT(M)                                                                           \
    M(CX_IS_F32, float, v)                                                                        \
    M(CX_IS_F64, double, v)                                                                       \
    M(CX_IS_BOOL, uint8_t, (int32_t)v != 0)                                                       \
    M(CX_IS_I8, int8_t, (int32_t)v)                                                               \
    M(CX_IS_U8, uint8_t, (int32_t)v)                                                              \
    M(CX_IS_I16, int16_t, (int32_t)v)                                                             \
    M(CX_IS_U16, uint16_t, (int32_t)v)                                                            \
    M(CX_IS_I32, int32_t, (int32_t)v)                                                             \
    M(CX_IS_U32, uint32_t, (int64_t)v)                                                            \
    M(CX_IS_I64, int64_t, (int64_t)v)                                                             \
    M(CX_IS_U64, uint64_t, NAME(to_u64)(v))

#if !IS_FLOAT
#define OWN_TYPE CX_IS_U8
#elif VECTOR_BYTES / LANES == 4
#define OWN_TYPE CX_IS_F32
#else
#define OWN_TYPE CX_IS_F64
#endif

/* Modulo 2^64, as far as that is defined. */
CX_INLINE uint64_t NAME(to_u64)(T v)
{
#if IS_FLOAT
    const T half = (T)9223372036854775808.0;
    return v < half ? (uint64_t)(int64_t)v : (uint64_t)(int64_t)(v - half) ^ (1ull << 63);
#else
    return v;
#endif
}

static CX_NOINLINE void NAME(row_from)(int64_t type, T *restrict to, const void *from,
                                       int64_t count)
{
    if (type == OWN_TYPE) {
        __builtin_memcpy(to, from, count * sizeof(T));
        return;
    }
#define FROM(name, type, made)                                                                    \
    case name: {                                                                                  \
        const type *restrict row = from;                                                          \
        for (int64_t i = 0; i < count; i++)                                                       \
            to[i] = (T)row[i];                                                                    \
        break;                                                                                    \
    }
    switch (type) { EACH_ELEMENT(FROM) }
#undef FROM
}

static CX_NOINLINE void NAME(row_to)(int64_t type, void *to, const T *restrict from,
                                     int64_t count)
{
#define TO(name, type, made)                                                                      \
    case name: {                                                                                  \
        type *restrict row = to;                                                                  \
        for (int64_t i = 0; i < count; i++) {                                                     \
            T v = from[i];                                                                        \
            row[i] = (type)(made);                                                                \
        }                                                                                         \
        break;                                                                                    \
    }
    switch (type) { EACH_ELEMENT(TO) }
#undef TO
}

/* What is left of a row when it was stored as a type and read again: what one filter of a chain
   hands on to the next. */
static CX_NOINLINE void NAME(row_through)(int64_t type, T *row, int64_t count)
{
#define THROUGH(name, type, made)                                                                 \
    case name:                                                                                    \
        for (int64_t i = 0; i < count; i++) {                                                     \
            T v = row[i];                                                                         \
            row[i] = (T)(type)(made);                                                             \
        }                                                                                         \
        break;
    if (type != CX_IS_F32 && type != CX_IS_F64)
        switch (type) { EACH_ELEMENT(THROUGH) }
#undef THROUGH
}

/* Two parts of a window together. Extrema of rows where there may be NaN are `careful`: it is in the
   results of all windows that have one. */
CX_INLINE T NAME(filter_pair)(const int what, const int careful, T a, T b)
{
    if (what == CX_FILTER_MEAN || what == CX_FILTER_WEIGHTS)
        return a + b;
    T one = what == CX_FILTER_MAX ? (b > a ? b : a) : (b < a ? b : a); /* a if one is NaN */
#if IS_FLOAT
    if (careful)
        return b != b ? b : one;
#endif
    return one;
}

static CX_NOINLINE int NAME(has_nan)(const T *row, int64_t count)
{
#if IS_FLOAT
    int found = 0;
    for (int64_t i = 0; i < count; i++)
        found |= row[i] != row[i];
    return found;
#else
    (void)row, (void)count;
    return 0;
#endif
}
