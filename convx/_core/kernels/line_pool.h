/* Averages of the blocks of 2 by 2 of what a ReLU leaves, and their gradient, where items lie side by
   side: a vector is a place of some items. The sums are those of pool_relu.h, in its order. Which of a
   block's places the gradient passes is kept, a bit for each: a byte for a block of an item. A piece
   is a row of blocks. */

typedef uint8_t NAME(bytes) __attribute__((vector_size(LANES)));
typedef uint8_t NAME(loose_bytes) __attribute__((vector_size(LANES), aligned(1), may_alias));

typedef int16_t NAME(shorts) __attribute__((vector_size(2 * LANES)));
typedef int32_t NAME(ints) __attribute__((vector_size(4 * LANES)));

/* Bytes as integers of the elements' size, by steps: GCC takes a longer step byte by byte. */
CX_INLINE NAME(mask) NAME(widened_bytes)(NAME(bytes) bytes)
{
    NAME(shorts) shorts = __builtin_convertvector(bytes, NAME(shorts));
    return __builtin_convertvector(__builtin_convertvector(shorts, NAME(ints)), NAME(mask));
}

/* The bit of a place where its element is not negative, nor 0: NaN passes too. */
CX_INLINE NAME(mask) NAME(passing)(NAME(vector) x, int bit)
{
    return ~(NAME(mask))(x <= 0) & bit;
}

CX_INLINE void NAME(pool_squares)(const cx_line_pool_job *job, const T *x, T *y, uint8_t *passes)
{
    int64_t items = job->items, below = 2 * job->blocks * items;
    T factor = (T)job->factor;
    for (int64_t i = 0; i < job->blocks * items; i += items, x += 2 * items)
        for (int64_t n = 0; n < items; n += LANES) {
            NAME(vector) a = *(const NAME(loose) *)(x + n);
            NAME(vector) b = *(const NAME(loose) *)(x + n + items);
            NAME(vector) c = *(const NAME(loose) *)(x + n + below);
            NAME(vector) d = *(const NAME(loose) *)(x + n + below + items);
            NAME(vector) left = NAME(at_least)(a, 0) + NAME(at_least)(c, 0);
            NAME(vector) right = NAME(at_least)(b, 0) + NAME(at_least)(d, 0);
            NAME(mask) bits = NAME(passing)(a, 1) | NAME(passing)(b, 2) | NAME(passing)(c, 4) |
                              NAME(passing)(d, 8);
            *(NAME(loose) *)(y + i + n) = (left + right) * factor;
            *(NAME(loose_bytes) *)(passes + i + n) = __builtin_convertvector(bits, NAME(bytes));
        }
}

CX_INLINE void NAME(spread_squares)(const cx_line_pool_job *job, const T *grad, T *x,
                                const uint8_t *passes)
{
    int64_t items = job->items, below = 2 * job->blocks * items;
    T factor = (T)job->factor;
    for (int64_t i = 0; i < job->blocks * items; i += items, x += 2 * items)
        for (int64_t n = 0; n < items; n += LANES) {
            NAME(mask) g = (NAME(mask))(*(const NAME(loose) *)(grad + i + n) * factor);
            NAME(mask) bits = NAME(widened_bytes)(*(const NAME(loose_bytes) *)(passes + i + n));
            CX_UNROLL for (int place = 0; place < 4; place++)
                *(NAME(loose) *)(x + n + place / 2 * below + place % 2 * items) =
                    (NAME(vector))(g & (NAME(mask))((bits & 1 << place) != 0));
        }
}

static void NAME(sweep_line_pool)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_line_pool_job *job = of;
    int64_t size = job->blocks * job->items;
    (void)scratch;
    for (int64_t row = first; row < end; row++)
        NAME(pool_squares)(job, (const T *)job->x + row * 4 * size, (T *)job->y + row * size,
                       job->passes + row * size);
}

/* From y, the gradient of the averages, to x, that of what they are of. */
static void NAME(sweep_line_spread)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_line_pool_job *job = of;
    int64_t size = job->blocks * job->items;
    (void)scratch;
    for (int64_t row = first; row < end; row++)
        NAME(spread_squares)(job, (const T *)job->y + row * size, (T *)job->x + row * 4 * size,
                         job->passes + row * size);
}
