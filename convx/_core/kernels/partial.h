/* Vectors of which only the first elements are wanted; when loaded, the others are 0. */

CX_INLINE NAME(vector) NAME(load_some)(const T *from, int64_t count)
{
    if (count >= LANES)
        return *(const NAME(loose) *)from;
    T padded[LANES] = {0}; /* a vector with lanes to spare */
    for (int64_t i = 0; i < count; i++)
        padded[i] = from[i];
    return *(const NAME(loose) *)padded;
}

CX_INLINE void NAME(store_some)(T *to, NAME(vector) v, int64_t count)
{
    if (count >= LANES)
        *(NAME(loose) *)to = v;
    else
        for (int64_t i = 0; i < count; i++)
            to[i] = v[i];
}
