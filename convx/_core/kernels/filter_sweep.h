/* Bands of rows through the filters of up to three axes. */

typedef struct {
    const cx_filter_job *job;
    int64_t length;         /* elements of a row of inputs */
    int64_t outer, plane;   /* where the piece is */
    int64_t first, rows;    /* of outputs */
    int64_t start, columns; /* elements of the rows */
    const T **from;         /* rows of inputs */
    const T **planes;       /* rows of the taps along the planes */
    T **to;                 /* rows of results */
    T *constant;            /* a row of constants */
    T *sources;             /* rows that had to be made */
    T *scratch;             /* of one filter */
    T *lines;               /* rows with borders, or of results */
    T *row;                 /* what is converted last */
    T *tile;                /* of sums, see filter_tile.h */
} NAME(band);

CX_INLINE int64_t NAME(most)(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

CX_INLINE int64_t NAME(filter_span)(const cx_filter_axis *axis)
{
    return (axis->taps - 1) * axis->dilation;
}

/* Where a row of the input begins; rows are of one plane of the piece's outer index. */
CX_INLINE const char *NAME(row_of_x)(const NAME(band) *band, int64_t plane, int64_t row,
                                     int64_t element)
{
    const cx_filter_job *job = band->job;
    int64_t number = (band->outer * job->plane.size + plane) * job->row.size + row;
    return (const char *)job->x + (number * band->length + element) * job->x_item;
}

/* A row of the input as it is computed with, read where it lies if it can be and that is not slow. */
CX_INLINE const T *NAME(readable)(const NAME(band) *band, int64_t plane, int64_t row, T *to)
{
    const char *from = NAME(row_of_x)(band, plane, row, band->start);
    if (band->job->x_type == OWN_TYPE && !band->job->copies)
        return (const T *)from;
    NAME(row_from)(band->job->x_type, to, from, band->columns);
    return to;
}

/* How many rows from a given one on can be filtered along the planes at once, as one long row: if they
   are sums of rows that are read where they lie. */
CX_INLINE int64_t NAME(filter_rows_at_once)(const NAME(band) *band, const int64_t *sources, int64_t most)
{
    const cx_filter_axis *axis = &band->job->plane;
    int64_t rows = 1;
    if (axis->what != CX_FILTER_WEIGHTS || band->job->x_type != OWN_TYPE ||
        band->columns != band->length)
        return 1;
    for (int64_t t = 0; t < axis->taps; t++)
        if (axis->sources[band->plane + t * axis->dilation] < 0)
            return 1;
    while (rows < most && sources[rows] == sources[0] + rows)
        rows++;
    return rows;
}

/* A row filtered along the planes, or some that follow one another. */
CX_INLINE T *NAME(through_planes)(const NAME(band) *band, int64_t row, int64_t rows, T *to)
{
    const cx_filter_job *job = band->job;
    const cx_filter_axis *axis = &job->plane;
    for (int64_t t = 0; t < axis->taps; t++) {
        int64_t plane = axis->sources[band->plane + t * axis->dilation];
        band->planes[t * axis->dilation] =
            plane < 0 ? band->constant
                      : NAME(readable)(band, plane, row, band->scratch + t * job->pitch);
    }
    int extrema = axis->what == CX_FILTER_MAX || axis->what == CX_FILTER_MIN;
    int careful = extrema ? IS_FLOAT : (int)job->exact;
    NAME(filter_down)(axis, careful, &to, band->planes, 1, band->plane, rows * band->columns,
                      job->pitch, band->scratch + axis->taps * job->pitch);
    if (!job->adds)
        NAME(row_through)(job->y_type, to, rows * band->columns);
    return to;
}

/* Whether extrema have to be careful of NaN: there is one in the rows, or beyond the border. */
CX_INLINE int NAME(is_careful)(const NAME(band) *band, const T *const *rows, int64_t count,
                               int64_t columns)
{
    int64_t what = NAME(most)(NAME(most)(band->job->row.what, band->job->line.what),
                              band->job->plane.what);
    int found = 0;
    if (what != CX_FILTER_MAX && what != CX_FILTER_MIN)
        return band->job->exact;
    for (int64_t r = 0; r < count && !found; r++)
        found = NAME(has_nan)(rows[r], columns);
    return found || NAME(has_nan)(band->constant, 1);
}

/* Find or make the rows that the band needs, but for the `known` first ones. In what follows one
   another in a piece, made rows take the place of those that are not needed any more. */
CX_INLINE void NAME(gather_rows)(const NAME(band) *band, int64_t known)
{
    const cx_filter_job *job = band->job;
    int64_t span = NAME(filter_span)(&job->row), needed = band->rows + span;
    int64_t places = job->step + span, place = band->first % job->band;
    for (int64_t r = known, rows = 1; r < needed; r += rows) {
        const int64_t *sources = job->row.sources + band->first + r;
        int64_t row = *sources;
        T *made = band->sources + (place + r) % places * job->pitch;
        rows = 1;
        if (row < 0)
            band->from[r] = band->constant;
        else if (job->plane.what == CX_FILTER_KEEP || job->adds)
            band->from[r] = NAME(readable)(band, band->plane, row, made);
        else {
            rows = NAME(filter_rows_at_once)(band, sources, needed - r);
            NAME(through_planes)(band, row, rows, made);
            for (int64_t i = 0; i < rows; i++)
                band->from[r + i] = made + i * band->columns;
        }
    }
}

/* The sample at a coordinate of the line's border; the table leaves out what is inside. */
CX_INLINE int64_t NAME(beyond_line)(const cx_filter_axis *axis, int64_t c)
{
    return axis->sources[c < axis->low ? c : c - axis->size];
}

/* Put the samples of the border around the inside of a line, which begins at `line` + low. */
CX_INLINE void NAME(surround)(const NAME(band) *band, T *line)
{
    const cx_filter_job *job = band->job;
    const cx_filter_axis *axis = &job->line;
    int64_t inner = job->inner, border = NAME(filter_span)(axis);
    T *inside = line + axis->low * inner;
    for (int64_t b = 0; b < border; b++) { /* the table leaves out what is inside */
        int64_t source = axis->sources[b];
        const T *from = source < 0 ? band->constant : inside + source * inner;
        T *to = line + (b < axis->low ? b : b + axis->size) * inner;
        if (inner == 1) /* by far the most frequent, and lines may be short */
            *to = *from;
        else
            for (int64_t i = 0; i < inner; i++)
                to[i] = from[i];
    }
}

/* Copy a segment of a row of the input with what is around it, from row coordinates on. */
CX_INLINE void NAME(copy_with_border)(const NAME(band) *band, int64_t row, T *line)
{
    const cx_filter_job *job = band->job;
    const cx_filter_axis *axis = &job->line;
    int64_t inner = job->inner, end = band->start + band->columns + NAME(filter_span)(axis) * inner;
    int64_t inside = axis->low * inner;
    int whole = band->start == 0 && band->columns == band->length;
    if (whole && axis->low <= NAME(filter_span)(axis)) { /* beyond which the segment does not reach */
        NAME(row_from)(job->x_type, line + inside, NAME(row_of_x)(band, band->plane, row, 0),
                       band->length);
        NAME(surround)(band, line);
        return;
    }
    for (int64_t e = band->start; e < end;) {
        int64_t c = inner == 1 ? e : e / inner, element = e - c * inner; /* divisions take long */
        int64_t from = e - inside, count;
        if (from >= 0 && from < band->length)
            count = cx_min(end - e, band->length - from);
        else {
            count = cx_min(end - e, inner - element);
            int64_t source = NAME(beyond_line)(axis, c);
            from = source < 0 ? -1 : source * inner + element;
        }
        if (from < 0)
            for (int64_t i = 0; i < count; i++)
                line[e - band->start + i] = band->constant[i];
        else
            NAME(row_from)(job->x_type, line + e - band->start,
                           NAME(row_of_x)(band, band->plane, row, from), count);
        e += count;
    }
}

/* The same, read where it lies if no border is near: a vector may be read beyond it. */
CX_INLINE const T *NAME(segment_with_border)(const NAME(band) *band, int64_t row, T *line)
{
    const cx_filter_axis *axis = &band->job->line;
    int64_t inner = band->job->inner, from = band->start - axis->low * inner;
    int64_t end = from + band->columns + NAME(filter_span)(axis) * inner;
    if (band->job->x_type == OWN_TYPE && from >= 0 && end + LANES <= band->length)
        return (const T *)NAME(row_of_x)(band, band->plane, row, from);
    NAME(copy_with_border)(band, row, line);
    return line;
}

/* Numbers of a job would be read anew for each byte: bytes may lie anywhere. */
CX_INLINE void NAME(fill_row)(T *to, T value, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = value;
}

CX_INLINE void NAME(add_row)(T *restrict to, const T *restrict from, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = to[i] + from[i];
}

/* A row of the input to ask for while row `r` of a band is filtered along its line: the one so many
   `rows` later, or, if filters went `down` before, one of those that the next band needs besides. Any
   place will do if there is none. */
CX_INLINE const T *NAME(row_ahead)(const NAME(band) *band, int64_t r, int64_t rows, int down)
{
    const cx_filter_job *job = band->job;
    int64_t row = band->first + rows + r, span = down ? NAME(filter_span)(&job->row) : 0;
    if (job->x_type != OWN_TYPE || job->plane.what != CX_FILTER_KEEP || row >= job->row.size)
        return (const T *)job->x;
    row = down ? job->row.sources[row + span] : row;
    return (const T *)NAME(row_of_x)(band, band->plane, row < 0 ? 0 : row, band->start);
}

#if IS_FLOAT
/* Three weights along the rows and three along the line, of rows that are read where they lie: their
   sums are made at once, in the order in which they would be one after the other. */
CX_INLINE int NAME(adds_crosses)(const cx_filter_job *job)
{
    const cx_filter_axis *row = &job->row, *line = &job->line;
    return job->plane.what == CX_FILTER_KEEP && row->what == CX_FILTER_WEIGHTS &&
           line->what == CX_FILTER_WEIGHTS && row->taps == 3 && line->taps == 3 && !job->exact &&
           row->dilation == 1 && line->dilation * job->inner == 1 && job->x_type == OWN_TYPE &&
           job->y_type == OWN_TYPE;
}

/* The same for one output, whose line may reach beyond its ends. */
CX_INLINE T NAME(cross_at)(const NAME(band) *band, const T *const *rows, const T *x, int64_t element)
{
    const cx_filter_axis *line = &band->job->line;
    const T *down = band->job->row.weights, *along = line->weights;
    T sum = 0;
    for (int64_t t = 0; t < 3; t++)
        sum += down[t] * rows[t][element - band->start];
    for (int64_t t = 0; t < 3; t++) {
        int64_t from = element + t - line->low;
        if (from < 0 || from >= line->size)
            from = NAME(beyond_line)(line, element + t);
        sum += along[t] * (from < 0 ? *band->constant : x[from]);
    }
    return sum;
}

CX_INLINE void NAME(add_up_crosses)(const NAME(band) *band, char *y, int64_t y_row)
{
    const cx_filter_job *job = band->job;
    int64_t low = job->line.low, start = band->start, end = start + band->columns;
    int64_t first = cx_min(NAME(most)(start, low), end);
    int64_t last = NAME(most)(first, cx_min(end, job->line.size - 2 + low));
    NAME(gather_rows)(band, 0);
    for (int64_t r = 0; r < band->rows; r++) {
        const T *const *rows = band->from + r;
        const T *x = (const T *)NAME(row_of_x)(band, band->plane, band->first + r, 0);
        T *to = (T *)(y + r * y_row);
        for (int64_t e = start; e < first; e++)
            to[e - start] = NAME(cross_at)(band, rows, x, e);
        int64_t i = NAME(crosses)(to, rows, x - low + start, job->row.weights, job->line.weights,
                                  first - start, last - start);
        for (int64_t e = start + i; e < end; e++)
            to[e - start] = NAME(cross_at)(band, rows, x, e);
    }
}
#endif

/* Weighted sums along each axis of the input itself, added up. */
CX_INLINE void NAME(add_up_band)(const NAME(band) *band, char *y, int64_t y_row)
{
    const cx_filter_job *job = band->job;
    int own = job->y_type == OWN_TYPE;
    for (int64_t r = 0; r < band->rows; r++)
        band->to[r] = own ? (T *)(y + r * y_row) : band->lines + r * job->pitch;
    if (job->row.what != CX_FILTER_KEEP) {
        NAME(gather_rows)(band, 0);
        NAME(filter_down)(&job->row, job->exact, band->to, band->from, band->rows, band->first,
                          band->columns, job->pitch, band->scratch);
    }
    for (int64_t r = 0; r < band->rows; r++) {
        T *to = band->to[r];
        int fresh = job->row.what == CX_FILTER_KEEP;
        if (job->plane.what != CX_FILTER_KEEP) {
            NAME(through_planes)(band, band->first + r, 1, fresh ? to : band->row);
            if (!fresh)
                NAME(add_row)(to, band->row, band->columns);
            fresh = 0;
        }
        if (job->line.what != CX_FILTER_KEEP) {
            int64_t step = job->line.dilation * job->inner;
            /* in memory of the rows, which are read by then */
            const T *line = NAME(segment_with_border)(band, band->first + r, band->sources);
            const T *ahead = NAME(row_ahead)(band, r, band->rows, job->row.what != CX_FILTER_KEEP);
            if (fresh)
                NAME(along_weights)(&job->line, to, line, step, band->columns, ahead);
            else
                NAME(along_more_weights)(&job->line, to, line, step, band->columns, ahead);
        }
        if (!own)
            NAME(row_to)(job->y_type, y + r * y_row, to, band->columns);
    }
}

/* A line of the band with its border, made in the memory at `made` if it has to be, where the result
   of filters `down` the rows is, if there were any. */
CX_INLINE const T *NAME(line_of_band)(const NAME(band) *band, int64_t row, T *made, int down)
{
    const cx_filter_job *job = band->job;
    if (!down)
        return NAME(segment_with_border)(band, band->first + row, made);
    NAME(row_through)(job->y_type, made + job->line.low * job->inner, band->columns);
    NAME(surround)(band, made);
    return made;
}

#if IS_FLOAT
/* Weighted sums along lines side by side, of as many as are a multiple of LANES, where that pays: the
   windows of plain sums need 32 registers. Returns how many. */
CX_INLINE int64_t NAME(lines_by_tiles)(const NAME(band) *band, char *y, int64_t y_row,
                                       int64_t before, int down)
{
    const cx_filter_job *job = band->job;
    const cx_filter_axis *axis = &job->line;
    int64_t r = 0, least = axis->symmetry ? CX_FOLDED_LINE_TAPS : CX_LINE_TAPS;
    const T *line[LANES], *ahead[LANES];
    T *to[LANES];
    int there = job->y_type == OWN_TYPE && y_row >= CX_PAGE_BYTES; /* eight in a page would be slow */
    if (axis->what != CX_FILTER_WEIGHTS || axis->taps < least)
        return 0;
    if (axis->dilation * job->inner != 1 || (VECTOR_BYTES < 64 && !axis->symmetry))
        return 0;
    for (; r + LANES <= band->rows; r += LANES) {
        for (int64_t i = 0; i < LANES; i++) {
            T *made = band->lines + (r + i) * job->pitch + before;
            line[i] = NAME(line_of_band)(band, r + i, made, down);
            ahead[i] = NAME(row_ahead)(band, r + i, down ? band->rows : LANES, down);
            to[i] = there ? (T *)(y + (r + i) * y_row) : made;
        }
        NAME(along_tiles)(axis, job->exact, to, line, band->columns, band->tile, ahead);
        for (int64_t i = 0; i < LANES && !there; i++)
            NAME(row_to)(job->y_type, y + (r + i) * y_row, to[i], band->columns);
    }
    return r;
}
#endif

/* Some rows of a piece; `known` ones of the input were gathered for the rows before. */
static void NAME(filter_band)(const NAME(band) *band, int64_t known)
{
    const cx_filter_job *job = band->job;
    const cx_filter_axis *axis = &job->line;
    int own = job->y_type == OWN_TYPE, along = axis->what != CX_FILTER_KEEP;
    int down = job->row.what != CX_FILTER_KEEP || job->plane.what != CX_FILTER_KEEP;
    /* so that the inside of a line begins with a vector */
    int64_t low = along ? axis->low * job->inner : 0;
    int64_t before = (low + LANES - 1) / LANES * LANES - low;
    int64_t number = (band->outer * job->plane.size + band->plane) * job->row.size + band->first;
    char *y = (char *)job->y + (number * job->out_length + band->start) * job->y_item;
    int64_t y_row = job->out_length * job->y_item;

#if IS_FLOAT
    if (job->adds && NAME(adds_crosses)(job)) {
        NAME(add_up_crosses)(band, y, y_row);
        return;
    }
#endif
    if (job->adds) {
        NAME(add_up_band)(band, y, y_row);
        return;
    }
    int careful = job->exact;
    if (down) {
        NAME(gather_rows)(band, known);
        careful = NAME(is_careful)(band, band->from, band->rows + NAME(filter_span)(&job->row),
                                   band->columns);
        for (int64_t r = 0; r < band->rows; r++)
            band->to[r] = own && !along ? (T *)(y + r * y_row)
                                        : band->lines + r * job->pitch + before + low;
        if (job->row.what == CX_FILTER_KEEP)
            for (int64_t r = 0; r < band->rows; r++)
                __builtin_memcpy(band->to[r], band->from[r], band->columns * sizeof(T));
        else
            NAME(filter_down)(&job->row, careful, band->to, band->from, band->rows, band->first,
                              band->columns, job->pitch, band->scratch);
    }
    int64_t r = 0;
#if IS_FLOAT
    if (along)
        r = NAME(lines_by_tiles)(band, y, y_row, before, down);
#endif
    for (; r < band->rows; r++) {
        T *result = along ? (own ? (T *)(y + r * y_row) : band->row) : band->to[r];
        if (along) {
            T *made = band->lines + (down ? r * job->pitch : 0) + before;
            const T *line = NAME(line_of_band)(band, r, made, down);
            if (!down)
                careful = NAME(is_careful)(
                    band, &line, 1, band->columns + NAME(filter_span)(axis) * job->inner);
            const T *ahead = NAME(row_ahead)(band, r, down ? band->rows : 1, down);
            NAME(filter_along)(axis, careful, result, line, axis->dilation * job->inner,
                               band->columns, ahead, job->pitch, band->scratch);
        }
        if (!own)
            NAME(row_to)(job->y_type, y + r * y_row, result, band->columns);
    }
}

/* Scratch memory: tables of rows, the constants, the rows that are made, those of one filter, lines,
   a row. See `scratch_bytes` in _filter.pyx. */
static void NAME(sweep_filter)(const void *given, int64_t first, int64_t end, char *scratch)
{
    const cx_filter_job *job = given;
    int64_t row_span = NAME(filter_span)(&job->row), plane_span = NAME(filter_span)(&job->plane);
    NAME(band) band = {.job = job, .length = job->line.size * job->inner};
    band.tile = (T *)scratch;
    band.constant = band.tile + job->tile;
    band.sources = band.constant + job->pitch;
    band.lines = band.sources + (job->step + row_span) * job->pitch;
    band.row = band.lines + job->step * job->pitch;
    band.scratch = band.row + job->pitch;
    int64_t kept = NAME(most)(job->row.taps, CX_FILTER_LEVELS) + 1;
    kept = NAME(most)(kept, 2 * job->plane.taps + 1);
    const T **from = (const T **)(band.scratch + kept * job->pitch);
    band.planes = from + job->band + row_span;
    band.to = (T **)(band.planes + plane_span + 1);
    NAME(fill_row)(band.constant, (T)job->fill, job->fills ? job->pitch : 1);
    for (int64_t piece = first; piece < end; piece++) {
        int64_t rest = piece / job->segments;
        band.start = piece % job->segments * job->segment;
        band.columns = cx_min(job->segment, job->out_length - band.start);
        int64_t begin = rest % job->bands * job->band;
        int64_t stop = cx_min(begin + job->band, job->row.size);
        rest /= job->bands;
        band.plane = rest % job->plane.size;
        band.outer = rest / job->plane.size;
        band.from = from;
        for (band.first = begin; band.first < stop; band.first += job->step) {
            band.rows = cx_min(job->step, stop - band.first);
            NAME(filter_band)(&band, band.first > begin ? row_span : 0);
            band.from += job->step;
        }
    }
}

#undef OWN_TYPE
#undef EACH_ELEMENT
