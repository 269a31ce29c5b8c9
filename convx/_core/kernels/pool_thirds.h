/* Gradients of maxima of 3 by 3 elements, two apart, as between the stages of many networks. Of each row
   of elements there is the greatest of every window's three and which it is, once for the two rows of
   windows that have the row; of three such rows every window takes one.

       rows of x                greatest, which of three       shares
        x x x x x x x           m   m   m  kept                -> the row above, with what waited for it
        x x x x x x x    ->     m   m   m                      -> the row in the middle
        x x x x x x x           m   m   m  to be kept          -> what waits for the next row of windows

   Neighbouring windows share a column, to which one of them gives from the next lane. Shares are added in
   the order of the outputs.

   Only what is greater takes the place of what was before, which is right unless an element is NaN, or as
   little as the padding. The sum of a plane tells whether all are finite; if not, it is computed again,
   with more comparisons. */

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

enum { NAME(END_PITCH) = 7 * LANES };

/* Lines of scratch memory: of a row that the next windows have too the greatest and which it is; what
   waits for them in even and in odd columns; the ends of rows, with room before; what is not wanted; and
   a row of the padding.
   There are so many vectors of windows, and pairs of vectors of columns in a row. */
typedef struct {
    T *greatest, *waiting[2], *x_end[2], *y_end[2], *grad_end, *unwanted, *padding;
    KEY *which;
    int64_t vectors, whole;
    int asks_ahead, far; /* far: rows of the result are whole lines and go past the caches */
} NAME(thirds_room);

static NAME(thirds_room) NAME(thirds_room_of)(const cx_pool_axis *axis, T *scratch)
{
    int64_t pairs = cx_max((axis->size + 1) / 2, axis->outputs);
    NAME(thirds_room) room = {.vectors = (pairs + LANES - 1) / LANES};
    /* windows that begin with an even column have one of the next pair */
    room.whole = (axis->size - (axis->low ? 0 : 2)) / (2 * LANES);
    int64_t line = room.vectors * LANES;
    room.greatest = scratch;
    room.which = (KEY *)(scratch + line);
    T *ends = scratch + 4 * line + LANES;
    for (int i = 0; i < 2; i++) {
        room.waiting[i] = scratch + (2 + i) * line;
        room.x_end[i] = ends + i * NAME(END_PITCH);
        room.y_end[i] = ends + (2 + i) * NAME(END_PITCH);
    }
    room.grad_end = ends + 4 * NAME(END_PITCH);
    room.unwanted = ends + 5 * NAME(END_PITCH);
    room.padding = room.unwanted + axis->size;
    for (int64_t i = 0; i < axis->size; i++)
        room.padding[i] = LEAST;
    for (int64_t i = 0; i < 3 * LANES; i++)
        room.grad_end[i] = 0;
    return room;
}

/* Some elements; of those before them so many may be copied, too. */
CX_INLINE void NAME(copy_end)(const T *from, int64_t before, int64_t count, T *to)
{
    if (before + count < LANES) {
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i];
        return;
    }
    for (int64_t i = 0; i < count; i += LANES) {
        int64_t at = cx_min(i, count - LANES);
        *(NAME(loose) *)(to + at) = *(const NAME(loose) *)(from + at);
    }
}

/* The end of a row of x, and padding behind it. */
CX_INLINE void NAME(copy_x_end)(const NAME(thirds_room) *room, const T *x, int64_t size, T padding,
                                T *to)
{
    int64_t before = 2 * LANES * room->whole, count = size - before;
    int64_t end = 2 * LANES * (room->vectors - room->whole) + 2;
    NAME(copy_end)(x + before, before, count, to);
    for (int64_t i = count; i < end; i += LANES)
        *(NAME(loose) *)(to + i) = padding - NAME(zero)();
}

CX_INLINE NAME(mask) NAME(select_which)(NAME(mask) holds, NAME(mask) a, NAME(mask) b)
{
    return (NAME(mask))NAME(select)(holds, (NAME(vector))a, (NAME(vector))b);
}

/* Whether `v` takes the place of the greatest before it. */
CX_INLINE NAME(mask) NAME(follows)(const int finite, NAME(vector) v, NAME(vector) greatest)
{
    return finite ? (NAME(mask))(v > greatest) : NAME(exceeds)(v, greatest);
}

CX_INLINE NAME(vector) NAME(taken)(const int finite, NAME(mask) follows, NAME(vector) v,
                                   NAME(vector) greatest)
{
    return finite ? NAME(greater)(greatest, v) : NAME(select)(follows, v, greatest);
}

/* Of two rows at a time the last columns of the vectors before, of which lanes are padding in the first
   windows, and the sum of all. */
typedef struct {
    NAME(vector) last[2], sum;
    NAME(mask) is_padding;
} NAME(seen_columns);

/* The greatest of three elements of a row for each of LANES windows, which begin with even columns or, if
   there is padding, with the odd ones before them; and which of the three it is. */
CX_INLINE NAME(vector) NAME(greatest_of_row)(const int low, const int finite, const T *x, int row,
                                             NAME(seen_columns) *before, NAME(mask) *which)
{
    NAME(vector) v[2], tap[3];
    NAME(mask) none = {0};
    NAME(deal)(2, x, v);
    before->sum += v[0] + v[1];
    tap[low] = v[0];
    tap[low + 1] = v[1];
    if (low) {
        tap[0] = NAME(behind)(before->last[row], v[1], 1);
        before->last[row] = v[1];
    } else
        tap[2] = NAME(even_lanes)(*(const NAME(loose) *)(x + 2),
                                  *(const NAME(loose) *)(x + 2 + LANES));
    NAME(mask) is_second = NAME(follows)(finite, tap[1], tap[0]);
    if (low && !finite)
        is_second |= before->is_padding;
    NAME(vector) greatest = NAME(taken)(finite, is_second, tap[1], tap[0]);
    NAME(mask) is_third = NAME(follows)(finite, tap[2], greatest);
    *which = NAME(select_which)(is_third, 2 - none, is_second & 1);
    return NAME(taken)(finite, is_third, tap[2], greatest);
}

/* Between the numbers of elements of a window, and what is none of them. */
enum { NAME(NEXT_ROW) = 4, NAME(NO_ELEMENT) = -1 };

/* Which of its nine elements each of LANES windows has chosen. */
CX_INLINE NAME(mask) NAME(which_of_windows)(const int low, const int finite,
                                            const NAME(thirds_room) *room, int64_t o,
                                            const T *const *x, NAME(seen_columns) *before)
{
    T *kept = room->greatest + o, *kept_which = (T *)room->which + o;
    NAME(vector) first = *(NAME(loose) *)kept;
    NAME(mask) which = *(NAME(loose_mask) *)kept_which, second_which, third_which;
    NAME(vector) second = NAME(greatest_of_row)(low, finite, x[0], 0, before, &second_which);
    NAME(vector) third = NAME(greatest_of_row)(low, finite, x[1], 1, before, &third_which);
    *(NAME(loose) *)kept = third;
    *(NAME(loose_mask) *)kept_which = third_which;
    NAME(mask) is_second = NAME(follows)(finite, second, first);
    if (!finite)
        is_second |= which < 0;
    which = NAME(select_which)(is_second, second_which + NAME(NEXT_ROW), which);
    second = NAME(taken)(finite, is_second, second, first);
    return NAME(select_which)(NAME(follows)(finite, third, second),
                              third_which + 2 * NAME(NEXT_ROW), which);
}

/* Gradients of windows, and which elements they go to. */
typedef struct {
    NAME(vector) grad;
    NAME(mask) which;
} NAME(shares);

/* Adds those that go to the elements t of the rows of their windows. */
CX_INLINE void NAME(add_shares)(const NAME(shares) *shares, const int t, NAME(vector) *row)
{
    CX_UNROLL for (int r = 0; r < 3; r++)
        row[r] = NAME(select)(shares->which == r * NAME(NEXT_ROW) + t, row[r] + shares->grad, row[r]);
}

/* Those of the windows one lane on and one lane back, of which some are in the vector before. */
CX_INLINE NAME(shares) NAME(shares_ahead)(const NAME(shares) *before, const NAME(shares) *shares)
{
    NAME(vector) which = NAME(ahead)((NAME(vector))before->which, (NAME(vector))shares->which);
    return (NAME(shares)){NAME(ahead)(before->grad, shares->grad), (NAME(mask))which};
}

CX_INLINE NAME(shares) NAME(shares_behind)(const NAME(shares) *before, const NAME(shares) *shares)
{
    NAME(vector) which = NAME(behind)((NAME(vector))before->which, (NAME(vector))shares->which, 1);
    return (NAME(shares)){NAME(behind)(before->grad, shares->grad, 1), (NAME(mask))which};
}

/* Even and odd columns of three rows. */
typedef struct {
    NAME(vector) even[3], odd[3];
} NAME(three_rows);

CX_INLINE void NAME(put_columns)(const NAME(thirds_room) *room, int64_t n,
                                 const NAME(three_rows) *columns, T *above, T *middle)
{
    int64_t at = 2 * LANES * n, end = at - 2 * LANES * room->whole;
    NAME(vector) y[4] = {columns->even[0], columns->odd[0], columns->even[1], columns->odd[1]};
    if (end < 0)
        NAME(join_rows)(room->far, y, above + at, middle + at);
    else
        NAME(join_rows)(0, y, room->y_end[0] + end, room->y_end[1] + end);
    *(NAME(loose) *)(room->waiting[0] + LANES * n) = columns->even[2];
    *(NAME(loose) *)(room->waiting[1] + LANES * n) = columns->odd[2];
}

/* A row of windows, of whose last two rows the elements are told. In front of windows that begin with an
   odd column is one that a share may come to from the next vector of windows. */
CX_INLINE void NAME(give_row)(const int low, const int finite, const NAME(thirds_room) *room,
                              const T *const *rows, const T *grad, int64_t outputs, T *above,
                              T *middle, NAME(vector) *sum)
{
    NAME(vector) none = NAME(zero)();
    NAME(seen_columns) before = {{LEAST - none, LEAST - none}, *sum, {low ? -1 : 0}};
    NAME(three_rows) last = {{none}, {none}};
    NAME(shares) last_shares = {none, (NAME(mask))none}, no_shares = last_shares;
    for (int64_t n = 0; n < room->vectors; n++) {
        int64_t o = n * LANES, at = 2 * (n < room->whole ? o : o - LANES * room->whole);
        const T *x[2], *g = grad + o;
        for (int i = 0; i < 2; i++)
            x[i] = (n < room->whole ? rows[i] : room->x_end[i]) + at;
        if (o + LANES > outputs)
            g = room->grad_end + (o - outputs / LANES * LANES);
        if (room->asks_ahead)
            CX_UNROLL for (int64_t i = 0; i < 4 * LANES; i += 64 / (int64_t)sizeof(T))
                __builtin_prefetch(rows[0] + 4 * o + i + CX_POOL_AHEAD / (int64_t)sizeof(T));
        NAME(three_rows) columns = {{*(const NAME(loose) *)(room->waiting[0] + o), none, none},
                                    {*(const NAME(loose) *)(room->waiting[1] + o), none, none}};
        NAME(shares) shares = {*(const NAME(loose) *)g,
                               NAME(which_of_windows)(low, finite, room, o, x, &before)};
        before.is_padding = (NAME(mask))none;
        if (low) {
            NAME(shares) next = NAME(shares_ahead)(&last_shares, &shares);
            NAME(add_shares)(&next, 0, last.odd);
            if (n > 0)
                NAME(put_columns)(room, n - 1, &last, above, middle);
            NAME(add_shares)(&shares, 1, columns.even);
            NAME(add_shares)(&shares, 2, columns.odd);
            last = columns;
        } else {
            NAME(shares) previous = NAME(shares_behind)(&last_shares, &shares);
            NAME(add_shares)(&previous, 2, columns.even);
            NAME(add_shares)(&shares, 0, columns.even);
            NAME(add_shares)(&shares, 1, columns.odd);
            NAME(put_columns)(room, n, &columns, above, middle);
        }
        last_shares = shares;
    }
    if (low) {
        NAME(shares) next = NAME(shares_ahead)(&last_shares, &no_shares);
        NAME(add_shares)(&next, 0, last.odd);
        NAME(put_columns)(room, room->vectors - 1, &last, above, middle);
    }
    *sum = before.sum;
}

#define DEFINE_GIVE_ROW(NAMED, LOW, FINITE)                                                       \
    static CX_NOINLINE void NAME(NAMED)(const NAME(thirds_room) *room, const T *const *rows,      \
                                        const T *grad, int64_t outputs, T *above, T *middle,      \
                                        NAME(vector) *sum)                                        \
    {                                                                                             \
        NAME(give_row)(LOW, FINITE, room, rows, grad, outputs, above, middle, sum);               \
    }
DEFINE_GIVE_ROW(give_row_from_even, 0, 1)
DEFINE_GIVE_ROW(give_row_from_odd, 1, 1)
DEFINE_GIVE_ROW(give_any_row_from_even, 0, 0)
DEFINE_GIVE_ROW(give_any_row_from_odd, 1, 0)
#undef DEFINE_GIVE_ROW

/* What is kept of the first row of a plane without padding above. */
CX_INLINE void NAME(keep_row)(const int low, const int finite, const NAME(thirds_room) *room,
                              const T *row, NAME(vector) *sum)
{
    NAME(seen_columns) before = {{LEAST - NAME(zero)()}, *sum, {low ? -1 : 0}};
    for (int64_t n = 0; n < room->vectors; n++) {
        int64_t at = 2 * LANES * n, end = at - 2 * LANES * room->whole;
        const T *x = end < 0 ? row + at : room->x_end[0] + end;
        NAME(mask) which;
        *(NAME(loose) *)(room->greatest + LANES * n) =
            NAME(greatest_of_row)(low, finite, x, 0, &before, &which);
        *(NAME(loose_mask) *)(room->which + LANES * n) = which;
        before.is_padding = (NAME(mask))NAME(zero)();
    }
    *sum = before.sum;
}

static CX_NOINLINE void NAME(keep_first_row)(int64_t low, int finite, const NAME(thirds_room) *room,
                                             const T *row, NAME(vector) *sum)
{
    if (low)
        finite ? NAME(keep_row)(1, 1, room, row, sum) : NAME(keep_row)(1, 0, room, row, sum);
    else
        finite ? NAME(keep_row)(0, 1, room, row, sum) : NAME(keep_row)(0, 0, room, row, sum);
}

/* A plane; tells whether it is finite. If that is taken for granted, what is behind the end of a row or
   a plane repeats an element, which is never greater than itself; else it is padding. */
static int NAME(thirds_of_plane)(const cx_pool_job *job, const NAME(thirds_room) *room, int finite,
                                 const T *x, const T *grad, T *y)
{
    const cx_pool_axis *outer = job->axis, *axis = outer + 1;
    int64_t size = axis->size, outputs = axis->outputs, whole = outputs / LANES * LANES;
    int64_t ends = 2 * LANES * room->whole, row = -outer->low;
    NAME(vector) sum = NAME(zero)();
    for (int64_t i = 0; i < LANES * room->vectors; i++) {
        room->greatest[i] = LEAST;
        room->which[i] = NAME(NO_ELEMENT);
        room->waiting[0][i] = room->waiting[1][i] = 0;
    }
    if (row == 0) {
        NAME(copy_x_end)(room, x, size, finite ? x[size - 1] : LEAST, room->x_end[0]);
        NAME(keep_first_row)(axis->low, finite, room, x, &sum);
    }
    for (int64_t r = 0; r < outer->outputs; r++, row += 2, grad += outputs) {
        const T *rows[2];
        T *above = row < 0 ? room->unwanted : y + row * size;
        T *middle = row + 1 < outer->size ? y + (row + 1) * size : room->unwanted;
        for (int64_t n = 0; n < 2; n++) {
            rows[n] = x + cx_min(outer->size - 1, row + 1 + n) * size;
            if (!finite && row + 1 + n >= outer->size)
                rows[n] = room->padding;
            NAME(copy_x_end)(room, rows[n], size, finite ? rows[n][size - 1] : LEAST,
                             room->x_end[n]);
        }
        NAME(copy_end)(grad + whole, whole, outputs - whole, room->grad_end);
        if (finite && axis->low)
            NAME(give_row_from_odd)(room, rows, grad, outputs, above, middle, &sum);
        else if (finite)
            NAME(give_row_from_even)(room, rows, grad, outputs, above, middle, &sum);
        else if (axis->low)
            NAME(give_any_row_from_odd)(room, rows, grad, outputs, above, middle, &sum);
        else
            NAME(give_any_row_from_even)(room, rows, grad, outputs, above, middle, &sum);
        for (int n = 0; n < 2; n++) {
            T *to = (n ? middle : above) + ends;
            if (room->far)
                NAME(copy_far)(room->y_end[n], 0, to, size - ends, 1);
            else
                NAME(copy_end)(room->y_end[n], 0, size - ends, to);
        }
    }
    for (int waits = 1; row < outer->size; row++, waits = 0)
        for (int64_t i = 0; i < size; i++)
            y[row * size + i] = waits ? room->waiting[i % 2][i / 2] : 0;
    T is_finite = 0;
    for (int i = 0; i < LANES; i++)
        is_finite += sum[i] - sum[i];
    return is_finite == 0;
}

static void NAME(thirds_of_planes)(const cx_pool_job *job, int64_t first, int64_t end, T *scratch)
{
    const cx_pool_axis *axis = job->axis + 1;
    NAME(thirds_room) room = NAME(thirds_room_of)(axis, scratch);
    int finite = 1;
    room.asks_ahead = job->asks_ahead;
    room.far = axis->size % LANES == 0 &&
               NAME(is_far)(job->y, job->planes * job->plane_size * (int64_t)sizeof(T));
    for (int64_t plane = first; plane < end; plane++) {
        const T *x = (const T *)job->x + plane * job->plane_size;
        const T *grad = (const T *)job->grad + plane * job->plane_outputs;
        T *y = (T *)job->y + plane * job->plane_size;
        if (finite)
            finite = NAME(thirds_of_plane)(job, &room, 1, x, grad, y);
        if (!finite) /* nor, it may be, are those that follow */
            NAME(thirds_of_plane)(job, &room, 0, x, grad, y);
    }
    if (room.far)
        CX_END_FAR();
}
