/* The transposition of a square of LANES vectors, in registers. */

#define LOW(lane, bit) ((lane) & (bit) ? LANES + (lane) - (bit) : (lane))
#define HIGH(lane, bit) ((lane) & (bit) ? LANES + (lane) : (lane) + (bit))
#define TWO(WHICH, lane, bit) WHICH(lane, bit), WHICH((lane) + 1, bit)
#define FOUR(WHICH, lane, bit) TWO(WHICH, lane, bit), TWO(WHICH, (lane) + 2, bit)
#define EIGHT(WHICH, lane, bit) FOUR(WHICH, lane, bit), FOUR(WHICH, (lane) + 4, bit)
#if LANES == 16
#define EVERY_LANE(WHICH, bit) EIGHT(WHICH, 0, bit), EIGHT(WHICH, 8, bit)
#elif LANES == 8
#define EVERY_LANE(WHICH, bit) EIGHT(WHICH, 0, bit)
#elif LANES == 4
#define EVERY_LANE(WHICH, bit) FOUR(WHICH, 0, bit)
#else
#define EVERY_LANE(WHICH, bit) TWO(WHICH, 0, bit)
#endif

/* Eklundh's method: exchange one bit of the row number with the same bit of the lane number. */
#define EXCHANGE(bit)                                                                             \
    CX_UNROLL for (int i = 0; i < LANES; i++) if (!(i & (bit)))                                   \
    {                                                                                             \
        NAME(vector) low = CX_SHUFFLE(v[i], v[i | (bit)], EVERY_LANE(LOW, bit));                  \
        v[i | (bit)] = CX_SHUFFLE(v[i], v[i | (bit)], EVERY_LANE(HIGH, bit));                     \
        v[i] = low;                                                                               \
    }

/* All exchanges but that of the highest bit. */
CX_INLINE void NAME(transpose_halves)(NAME(vector) *v)
{
#if LANES > 2
    EXCHANGE(1)
#endif
#if LANES > 4
    EXCHANGE(2)
#endif
#if LANES > 8
    EXCHANGE(4)
#endif
}

CX_INLINE void NAME(transpose)(NAME(vector) *v)
{
    NAME(transpose_halves)(v);
    EXCHANGE(LANES / 2)
}

/* to[i * to_step + r] = from[r * from_step + i] for a square of LANES by LANES elements. */
CX_INLINE void NAME(turn_square)(T *to, int64_t to_step, const T *from, int64_t from_step)
{
    NAME(vector) v[LANES];
    CX_UNROLL for (int r = 0; r < LANES; r++)
        v[r] = *(const NAME(loose) *)(from + r * from_step);
    NAME(transpose)(v);
    CX_UNROLL for (int r = 0; r < LANES; r++)
        *(NAME(loose) *)(to + r * to_step) = v[r];
}
