/* Elements dealt to vectors in turn, the way back, and sums over lanes: shuffles in registers. */

#if !defined EVERY_LANE
#error "include square.h before shuffles.h"
#endif

#define EVEN(lane, _) (2 * (lane))

/* The even elements of two vectors that follow one another. */
CX_INLINE NAME(vector) NAME(even_lanes)(NAME(vector) first, NAME(vector) second)
{
    return CX_SHUFFLE(first, second, EVERY_LANE(EVEN, 0));
}

#define ODD(lane, _) (2 * (lane) + 1)
#define ZIP_LOW(lane, _) ((lane) % 2 * LANES + (lane) / 2)
#define ZIP_HIGH(lane, _) ((lane) % 2 * LANES + (LANES + (lane)) / 2)

CX_INLINE NAME(vector) NAME(odd_lanes)(NAME(vector) first, NAME(vector) second)
{
    return CX_SHUFFLE(first, second, EVERY_LANE(ODD, 0));
}

#define EITHER(lane, _) (2 * (lane) + (2 * (lane) >= LANES))

/* Every other element of memory, of which nothing is read past the last one. */
CX_INLINE NAME(vector) NAME(every_other)(const T *from)
{
    return CX_SHUFFLE(*(const NAME(loose) *)from, *(const NAME(loose) *)(from + LANES - 1),
                      EVERY_LANE(EITHER, 0));
}

#undef EITHER

#define OF_TWO(lane, first) (3 * (lane) + (first) < 2 * LANES ? 3 * (lane) + (first) : 0)
#define OF_THREE(lane, first)                                                                     \
    (3 * (lane) + (first) < 2 * LANES ? (lane) : 3 * (lane) + (first) - LANES)
#define THIRDS(first)                                                                             \
    CX_SHUFFLE(CX_SHUFFLE(x[0], x[1], EVERY_LANE(OF_TWO, first)), x[2],                           \
               EVERY_LANE(OF_THREE, first))

/* Every third element of three vectors that follow one another, from the first or the third on. */
CX_INLINE NAME(vector) NAME(every_third)(const T *from, const int first)
{
    NAME(vector) x[3];
    CX_UNROLL for (int i = 0; i < 3; i++)
        x[i] = *(const NAME(loose) *)(from + i * LANES);
    return first ? THIRDS(2) : THIRDS(0);
}

/* Deals three vectors that follow one another to three in turn. */
CX_INLINE void NAME(deal_thirds)(const NAME(vector) *x, NAME(vector) *v)
{
    v[0] = THIRDS(0);
    v[1] = THIRDS(1);
    v[2] = THIRDS(2);
}

#define BEHIND(lane, count)                                                                       \
    ((lane) < (count) ? 2 * LANES - (count) + (lane) : (lane) - (count))

/* A vector one or two lanes on, behind the last lanes of the one before it. */
CX_INLINE NAME(vector) NAME(behind)(NAME(vector) before, NAME(vector) v, const int count)
{
    return count == 1 ? CX_SHUFFLE(v, before, EVERY_LANE(BEHIND, 1))
                      : CX_SHUFFLE(v, before, EVERY_LANE(BEHIND, 2));
}

#undef BEHIND

#define AHEAD(lane, _) ((lane) + 1)

/* A vector one lane back, before the first lane of the one after it. */
CX_INLINE NAME(vector) NAME(ahead)(NAME(vector) v, NAME(vector) next)
{
    return CX_SHUFFLE(v, next, EVERY_LANE(AHEAD, 0));
}

#undef AHEAD

/* Deals neighbouring elements to 2 to 4 vectors in turn: v[s][i] = from[count i + s]. */
CX_INLINE void NAME(deal)(const int count, const T *from, NAME(vector) *v)
{
    NAME(vector) x[4];
    CX_UNROLL for (int i = 0; i < count; i++)
        x[i] = *(const NAME(loose) *)(from + i * LANES);
    if (count == 3) {
        NAME(deal_thirds)(x, v);
        return;
    }
    v[0] = NAME(even_lanes)(x[0], x[1]);
    v[1] = NAME(odd_lanes)(x[0], x[1]);
    if (count == 4) {
        NAME(vector) even = NAME(even_lanes)(x[2], x[3]), odd = NAME(odd_lanes)(x[2], x[3]);
        v[2] = NAME(odd_lanes)(v[0], even);
        v[0] = NAME(even_lanes)(v[0], even);
        v[3] = NAME(odd_lanes)(v[1], odd);
        v[1] = NAME(even_lanes)(v[1], odd);
    }
}

/* Deals nine vectors that follow one another to nine in turn. */
CX_INLINE void NAME(deal_ninths)(const T *from, NAME(vector) *v)
{
    NAME(vector) thirds[9];
    CX_UNROLL for (int i = 0; i < 3; i++)
        NAME(deal)(3, from + 3 * i * LANES, thirds + 3 * i);
    CX_UNROLL for (int r = 0; r < 3; r++) {
        NAME(vector) x[3] = {thirds[r], thirds[3 + r], thirds[6 + r]}, each[3];
        NAME(deal_thirds)(x, each);
        CX_UNROLL for (int s = 0; s < 3; s++)
            v[3 * s + r] = each[s];
    }
}

#define ELEMENT(lane, part) ((part) * LANES + (lane))
#define FROM_TWO(lane, part)                                                                      \
    (ELEMENT(lane, part) % 3 < 2 ? ELEMENT(lane, part) % 3 * LANES + ELEMENT(lane, part) / 3 : 0)
#define FROM_LAST(lane, part)                                                                     \
    (ELEMENT(lane, part) % 3 < 2 ? (lane) : LANES + ELEMENT(lane, part) / 3)
#define JOINED(part)                                                                              \
    CX_SHUFFLE(CX_SHUFFLE(v[0], v[1], EVERY_LANE(FROM_TWO, part)), v[2],                          \
               EVERY_LANE(FROM_LAST, part))

/* The way back from deal_thirds. */
CX_INLINE void NAME(join_thirds)(const NAME(vector) *v, NAME(vector) *x)
{
    x[0] = JOINED(0);
    x[1] = JOINED(1);
    x[2] = JOINED(2);
}

/* The way back from deal: to[count i + s] = v[s][i]. */
CX_INLINE void NAME(join)(const int count, const NAME(vector) *v, T *to)
{
    if (count == 3) {
        NAME(vector) x[3];
        NAME(join_thirds)(v, x);
        CX_UNROLL for (int i = 0; i < 3; i++)
            *(NAME(loose) *)(to + i * LANES) = x[i];
        return;
    }
    NAME(vector) even = v[0], odd = v[1];
    if (count == 4) {
        NAME(vector) low = CX_SHUFFLE(v[0], v[2], EVERY_LANE(ZIP_LOW, 0));
        NAME(vector) next = CX_SHUFFLE(v[1], v[3], EVERY_LANE(ZIP_LOW, 0));
        even = CX_SHUFFLE(v[0], v[2], EVERY_LANE(ZIP_HIGH, 0));
        odd = CX_SHUFFLE(v[1], v[3], EVERY_LANE(ZIP_HIGH, 0));
        *(NAME(loose) *)to = CX_SHUFFLE(low, next, EVERY_LANE(ZIP_LOW, 0));
        *(NAME(loose) *)(to + LANES) = CX_SHUFFLE(low, next, EVERY_LANE(ZIP_HIGH, 0));
        to += 2 * LANES;
    }
    *(NAME(loose) *)to = CX_SHUFFLE(even, odd, EVERY_LANE(ZIP_LOW, 0));
    *(NAME(loose) *)(to + LANES) = CX_SHUFFLE(even, odd, EVERY_LANE(ZIP_HIGH, 0));
}

/* The way back from deal_ninths. */
CX_INLINE void NAME(join_ninths)(const NAME(vector) *v, T *to)
{
    NAME(vector) thirds[9];
    CX_UNROLL for (int r = 0; r < 3; r++) {
        NAME(vector) each[3] = {v[r], v[3 + r], v[6 + r]}, x[3];
        NAME(join_thirds)(each, x);
        CX_UNROLL for (int i = 0; i < 3; i++)
            thirds[3 * i + r] = x[i];
    }
    CX_UNROLL for (int i = 0; i < 3; i++)
        NAME(join)(3, thirds + 3 * i, to + 3 * i * LANES);
}

#undef JOINED
#undef FROM_LAST
#undef FROM_TWO
#undef ELEMENT

#define LANE(lane, _) (lane)

/* The first lanes of a vector, and 0 in the others. */
CX_INLINE NAME(vector) NAME(first_lanes)(NAME(vector) v, int64_t count)
{
    NAME(mask) lane = {EVERY_LANE(LANE, 0)};
    return (NAME(vector))((NAME(mask))v & (lane < (__typeof__(lane[0]))count));
}

#undef LANE

#define TWICE(lane, part) (((part) * LANES + (lane)) / 2)
#define THRICE(lane, part) (((part) * LANES + (lane)) / 3)
#define FOUR_TIMES(lane, part) (((part) * LANES + (lane)) / 4)
#define REPEATED(times, part) CX_SHUFFLE(v, v, EVERY_LANE(times, part))

/* Every element of a vector 2 to 4 times. */
CX_INLINE void NAME(repeat)(const int times, NAME(vector) v, NAME(vector) *to)
{
    to[0] = times == 2 ? REPEATED(TWICE, 0) : times == 3 ? REPEATED(THRICE, 0) : REPEATED(FOUR_TIMES, 0);
    to[1] = times == 2 ? REPEATED(TWICE, 1) : times == 3 ? REPEATED(THRICE, 1) : REPEATED(FOUR_TIMES, 1);
    if (times > 2)
        to[2] = times == 3 ? REPEATED(THRICE, 2) : REPEATED(FOUR_TIMES, 2);
    if (times > 3)
        to[3] = REPEATED(FOUR_TIMES, 3);
}

#undef REPEATED
#undef FOUR_TIMES
#undef THRICE
#undef TWICE

#define FOLD_LOW(lane, bit) ((lane) / (bit)*2 * (bit) + (lane) % (bit))
#define FOLD_HIGH(lane, bit) (FOLD_LOW(lane, bit) + (bit))
#define FOLD(bit)                                                                                 \
    CX_UNROLL for (int i = 0; i < (bit); i++)                                                     \
        v[i] = CX_SHUFFLE(v[2 * i], v[2 * i + 1], EVERY_LANE(FOLD_LOW, bit)) +                    \
               CX_SHUFFLE(v[2 * i], v[2 * i + 1], EVERY_LANE(FOLD_HIGH, bit));

/* Adds up the lanes of each of LANES vectors, by halves: lane i of the result is that of v[i]. */
CX_INLINE NAME(vector) NAME(fold)(NAME(vector) *v)
{
#if LANES > 8
    FOLD(8)
#endif
#if LANES > 4
    FOLD(4)
#endif
#if LANES > 2
    FOLD(2)
#endif
    FOLD(1)
    return v[0];
}

#undef FOLD
#undef FOLD_LOW
#undef FOLD_HIGH
#undef THIRDS
#undef OF_THREE
#undef OF_TWO
#undef ODD
#undef ZIP_LOW
#undef ZIP_HIGH
#undef EVEN
