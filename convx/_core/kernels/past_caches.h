/* Storing past the caches, which large results would leave anyway. */

/* Whether vectors from here on may be stored past the caches: a large result has whole lines there. */
CX_INLINE int NAME(is_far)(const T *to, int64_t bytes)
{
    return bytes >= CX_FAR_RESULT && (uintptr_t)to % VECTOR_BYTES == 0;
}

CX_INLINE void NAME(store_vector)(const int far, T *to, NAME(vector) v)
{
    if (far)
        CX_STORE_FAR((NAME(vector) *)to, v);
    else
        *(NAME(loose) *)to = v;
}

/* Copies rows, past the caches where vectors of them are whole lines. */
CX_INLINE void NAME(copy_far)(const T *from, int64_t step, T *to, int64_t size, int64_t rows)
{
    for (int64_t r = 0; r < rows; r++, from += step, to += size) {
        int64_t i = 0;
        if ((uintptr_t)to % VECTOR_BYTES == 0)
            for (; i + LANES <= size; i += LANES)
                NAME(store_vector)(1, to + i, *(const NAME(loose) *)(from + i));
        for (; i < size; i++)
            to[i] = from[i];
    }
}
