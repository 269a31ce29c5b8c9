/* Gradients of maxima of 3 by 3 elements, two apart, as between the stages of many networks. Neighbouring
   windows share a column, or a row, and of those that share a column both find their maximum in the same
   element of it. So of each column of a row of windows there is the greatest element and which it is,
   then each window chooses one of three columns, and at last the shares of each column go to its
   element.

       rows of x              greatest, which       shares of columns      rows of the result
        x x x x x x x    \                                                  / t . . . . t .
        x x x x x x x     >   m m m m m m m   ->    t t t t t t t   ->     <  . . t . t . .
        x x x x x x x    /     \_w_/ \_w_/                                  \ . t . t . . t  waits

   Which element it is, is a number from 0 to 2, and the complement of that if it is NaN: so the order of
   keys is that of `pool_lines.h`. */

/* Of planes whose rows fill three quarters of 64 bytes: of shorter ones keys take as long. */
static int NAME(are_thirds)(const cx_pool_job *job)
{
    for (int64_t a = 0; a < 2; a++) {
        const cx_pool_axis *axis = job->axis + a;
        int64_t last = 2 * (axis->outputs - 1) - axis->low;
        if (job->axes != 2 || axis->taps != 3 || axis->stride != 2 || axis->step != 1 ||
            axis->low > 1 || axis->outputs < 1 || last >= axis->size)
            return 0;
    }
    return job->axis[1].size >= 48 / (int64_t)sizeof(T);
}

typedef KEY NAME(loose_mask)
    __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(T)), may_alias));

/* Lines of scratch memory: of the columns the greatest and which it is, their shares, and what waits
   for the next row of windows; one takes what is not wanted. Columns of the padding come first. */
typedef struct {
    T *greatest, *share, *waiting, *unwanted;
    KEY *which; /* 0 to 2, in the padding 3 */
} NAME(thirds_room);

/* The rows of a row of windows, and which of three they are; what is not there repeats one that is. */
typedef struct {
    const T *row[3];
    KEY which[3];
} NAME(three_rows);

CX_INLINE NAME(mask) NAME(select_which)(NAME(mask) holds, NAME(mask) a, NAME(mask) b)
{
    return (NAME(mask))NAME(select)(holds, (NAME(vector))a, (NAME(vector))b);
}

/* Rows are of `some` elements, or of LANES and more: then the last vector overlaps the one before. */
CX_INLINE void NAME(greatest_of_some)(const NAME(three_rows) *rows, int64_t size, int64_t some,
                                      T *greatest, KEY *which)
{
    NAME(mask) none = {0}, first = rows->which[0] - none, second = rows->which[1] - none;
    NAME(mask) third = rows->which[2] - none;
    const T *a = rows->row[0], *b = rows->row[1], *c = rows->row[2];
    for (int64_t i = 0; i < size; i += LANES) {
        int64_t at = cx_min(i, size - some);
        NAME(vector) v = NAME(load_some)(a + at, some), w = NAME(load_some)(b + at, some);
        NAME(mask) exceeds = NAME(exceeds)(w, v);
        NAME(mask) k = NAME(select_which)(exceeds, second, first);
        v = NAME(select)(exceeds, w, v);
        w = NAME(load_some)(c + at, some);
        exceeds = NAME(exceeds)(w, v);
        k = NAME(select_which)(exceeds, third, k);
        v = NAME(select)(exceeds, w, v);
        k ^= (NAME(mask))(v != v);
        NAME(store_some)(greatest + at, v, some);
        NAME(store_some)((T *)which + at, (NAME(vector))k, some);
    }
}

static CX_NOINLINE void NAME(greatest_of_columns)(const NAME(three_rows) *rows, int64_t size,
                                                  T *greatest, KEY *which)
{
    if (size < LANES)
        NAME(greatest_of_some)(rows, size, size, greatest, which);
    else
        NAME(greatest_of_some)(rows, size, LANES, greatest, which);
}

/* Whether a column to the right of another has the greatest element: of equal ones the upper, and
   of NaN the last. */
CX_INLINE NAME(mask) NAME(is_better)(NAME(vector) v, NAME(mask) k, NAME(vector) left,
                                     NAME(mask) left_k)
{
    NAME(mask) sooner = k < left_k - (left_k < 0);
    return (NAME(mask))(v > left) | (sooner & ~(NAME(mask))(left > v));
}

/* Columns of LANES windows, which begin with the first ones and have the second in their midst. */
typedef struct {
    NAME(vector) first, second;
    NAME(mask) first_which, second_which;
} NAME(columns);

CX_INLINE NAME(columns) NAME(columns_at)(const NAME(thirds_room) *room, int64_t at)
{
    NAME(vector) v[2], k[2];
    NAME(deal)(2, room->greatest + at, v);
    NAME(deal)(2, (const T *)room->which + at, k);
    return (NAME(columns)){v[0], v[1], (NAME(mask))k[0], (NAME(mask))k[1]};
}

/* Two shares after what has waited for the upper row, if that is where they go: so all add up in the
   order of the outputs. */
CX_INLINE NAME(vector) NAME(add_shares)(NAME(mask) which, NAME(vector) waiting, NAME(vector) share,
                                        NAME(vector) next_share)
{
    NAME(vector) before = (NAME(vector))(((which == 0) | (which == -1)) & (NAME(mask))waiting);
    return before + share + next_share;
}

static CX_NOINLINE void NAME(shares_of_columns)(const NAME(thirds_room) *room, const T *grad,
                                                int64_t outputs)
{
    NAME(vector) before = NAME(zero)();
    NAME(columns) here = NAME(columns_at)(room, 0);
    int64_t o = 0;
    for (; o < outputs; o += LANES) {
        NAME(columns) next = NAME(columns_at)(room, 2 * (o + LANES));
        NAME(vector) third = NAME(ahead)(here.first, next.first), waiting[2], share[2];
        NAME(mask) third_which = (NAME(mask))NAME(ahead)((NAME(vector))here.first_which,
                                                         (NAME(vector))next.first_which);
        NAME(mask) g = (NAME(mask))NAME(load_some)(grad + o, outputs - o);
        NAME(mask) is_second = NAME(is_better)(here.second, here.second_which, here.first,
                                               here.first_which);
        NAME(vector) greatest = NAME(select)(is_second, here.second, here.first);
        NAME(mask) which = NAME(select_which)(is_second, here.second_which, here.first_which);
        NAME(mask) is_third = NAME(is_better)(third, third_which, greatest, which);
        NAME(vector) last = (NAME(vector))(g & is_third);
        g &= ~is_third;
        NAME(deal)(2, room->waiting + 2 * o, waiting);
        share[0] = NAME(add_shares)(here.first_which, waiting[0], NAME(behind)(before, last, 1),
                                    (NAME(vector))(g & ~is_second));
        share[1] = NAME(add_shares)(here.second_which, waiting[1], NAME(zero)(),
                                    (NAME(vector))(g & is_second));
        NAME(join)(2, share, room->share + 2 * o);
        before = last;
        here = next;
    }
    NAME(mask) which = *(const NAME(loose_mask) *)(room->which + 2 * o);
    NAME(vector) waiting = *(const NAME(loose) *)(room->waiting + 2 * o);
    *(NAME(loose) *)(room->share + 2 * o) = NAME(add_shares)(
        which, waiting, NAME(behind)(before, NAME(zero)(), 1), NAME(zero)());
}

CX_INLINE void NAME(give_some)(const NAME(thirds_room) *room, int64_t low, int64_t size,
                               int64_t some, T *above, T *middle)
{
    T *waiting = room->waiting + low;
    NAME(vector) last = *(const NAME(loose) *)(waiting + size - some);
    for (int64_t i = 0; i < size; i += LANES) {
        int64_t at = cx_min(i, size - some);
        NAME(vector) waited = *(const NAME(loose) *)(waiting + at);
        if (at < i) /* they no longer wait there */
            waited = last;
        NAME(mask) share = *(const NAME(loose_mask) *)(room->share + low + at);
        NAME(mask) k = *(const NAME(loose_mask) *)(room->which + low + at);
        k ^= k < 0;
        waited = NAME(select)(k == 0, (NAME(vector))share, waited);
        NAME(store_some)(above + at, waited, some);
        NAME(store_some)(middle + at, (NAME(vector))(share & (k == 1)), some);
        *(NAME(loose_mask) *)(waiting + at) = share & (k == 2);
    }
}

static CX_NOINLINE void NAME(give_columns)(const NAME(thirds_room) *room, int64_t low, int64_t size,
                                           T *above, T *middle)
{
    if (size < LANES)
        NAME(give_some)(room, low, size, size, above, middle);
    else
        NAME(give_some)(room, low, size, LANES, above, middle);
}

static void NAME(thirds_of_planes)(const cx_pool_job *job, int64_t first, int64_t end, T *scratch)
{
    const cx_pool_axis *outer = job->axis, *axis = outer + 1;
    int64_t size = axis->size, low = axis->low, pitch = job->line;
    NAME(thirds_room) room = {scratch, scratch + pitch, scratch + 2 * pitch, scratch + 3 * pitch,
                              (KEY *)(scratch + 4 * pitch)};
    for (int64_t i = 0; i < pitch; i++) {
        room.greatest[i] = LEAST;
        room.which[i] = 3;
        room.share[i] = 0;
    }
    for (int64_t plane = first; plane < end; plane++) {
        const T *x = (const T *)job->x + plane * job->plane_size;
        const T *grad = (const T *)job->grad + plane * job->plane_outputs;
        T *y = (T *)job->y + plane * job->plane_size;
        for (int64_t i = 0; i < pitch; i++)
            room.waiting[i] = 0;
        int64_t row = -outer->low;
        for (int64_t r = 0; r < outer->outputs; r++, row += 2, grad += axis->outputs) {
            NAME(three_rows) rows;
            for (int64_t n = 0; n < 3; n++) {
                int64_t there = cx_max(0, cx_min(outer->size - 1, row + n));
                rows.row[n] = x + there * size;
                rows.which[n] = (KEY)(there - row);
            }
            NAME(greatest_of_columns)(&rows, size, room.greatest + low, room.which + low);
            NAME(shares_of_columns)(&room, grad, axis->outputs);
            NAME(give_columns)(&room, low, size, row < 0 ? room.unwanted : y + row * size,
                               row + 1 < outer->size ? y + (row + 1) * size : room.unwanted);
        }
        for (; row < outer->size; row++)
            for (int64_t i = 0; i < size; i++) {
                y[row * size + i] = room.waiting[low + i];
                room.waiting[low + i] = 0;
            }
    }
}
