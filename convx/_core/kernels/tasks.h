/* The tasks that a table of kernels lists: each finds its share and an algorithm computes it. */

static int64_t NAME(scratch_bytes)(const cx_pass *pass, int kind)
{
    char *end = NULL;
#if IS_FLOAT
    if (pass->fft_axes) {
        if (kind == CX_WEIGHT_GRADIENT)
            NAME(carve_spectral_gradient)(pass, &end);
        else
            NAME(carve_spectral)(pass, &end);
        return (int64_t)(intptr_t)end;
    }
#endif
    if (pass->lanes) {
        NAME(carve_lanes)(pass, &end);
        return (int64_t)(intptr_t)end;
    }
    if (pass->position_lanes) {
        NAME(carve_positions)(pass, &end);
        return (int64_t)(intptr_t)end;
    }
#if IS_FLOAT
    if (pass->in_passing && kind == CX_FORWARD) {
        NAME(carve_passing)(pass, &end);
        return (int64_t)(intptr_t)end;
    }
    if (pass->filter_vectors) {
        NAME(carve_filters)(pass, &end);
        return (int64_t)(intptr_t)end;
    }
    if (pass->slide_rows && kind == CX_WEIGHT_GRADIENT) {
        NAME(carve_slide_gradient)(pass, &end);
        return (int64_t)(intptr_t)end;
    }
    if (pass->winograd_tile) {
        if (kind == CX_WEIGHT_GRADIENT)
            NAME(carve_gradient)(pass, &end);
        else
            NAME(carve_winograd)(pass, &end);
        return (int64_t)(intptr_t)end;
    }
#endif
    NAME(carve)(pass, kind, &end);
    return (int64_t)(intptr_t)end;
}

static int64_t NAME(pack_tasks)(const cx_pass *pass)
{
#if IS_FLOAT
    if (pass->fft_axes)
        return NAME(pack_tasks_of_spectra)(pass);
#endif
    return pass->groups * NAME(filter_blocks)(pass);
}

static void NAME(pack)(const cx_pass *pass, const cx_call *call, int64_t task, char *scratch)
{
    int64_t blocks = NAME(filter_blocks)(pass), group = task / blocks, block = task % blocks;
#if IS_FLOAT
    if (pass->fft_axes) {
        NAME(pack_spectra)(pass, call, task, scratch);
        return;
    }
    if (pass->winograd_tile) {
        NAME(pack_winograd)(pass, call, group, block, scratch);
        return;
    }
    if (pass->filter_vectors) {
        NAME(pack_filters)(pass, call, group, block, scratch);
        return;
    }
#endif
    NAME(pack_direct)(pass, call, group, block, scratch);
}

static void NAME(forward)(const cx_pass *pass, const cx_call *call, int64_t task, char *scratch)
{
    cx_share share = cx_find_share(pass, task, NAME(filter_blocks)(pass));
#if IS_FLOAT
    if (pass->fft_axes) {
        NAME(forward_spectra)(pass, call, &share, scratch);
        return;
    }
    if (pass->parts && !pass->lanes) {
        NAME(forward_phases)(pass, call, &share, scratch);
        return;
    }
#endif
    if (pass->lanes) {
        NAME(forward_lanes)(pass, call, &share, scratch);
        return;
    }
#if IS_FLOAT
    if (pass->in_passing) {
        for (int64_t group = share.group; group < share.end_group; group++)
            NAME(forward_passing)(pass, call, group, &share, scratch);
        return;
    }
    if (pass->filter_vectors) {
        NAME(forward_filters)(pass, call, &share, scratch);
        return;
    }
    if (pass->winograd_tile) {
        for (int64_t group = share.group; group < share.end_group; group++)
            NAME(forward_winograd)(pass, call, group, &share, scratch);
        return;
    }
#endif
    NAME(forward_direct)(pass, call, &share, scratch);
}

static void NAME(weight_gradient)(const cx_pass *pass, const cx_call *call, int64_t task,
                                  char *scratch)
{
    cx_gradient_share share = cx_find_gradient_share(pass, call, task, NAME(filter_blocks)(pass));
#if IS_FLOAT
    if (pass->fft_axes) {
        NAME(gradient_spectra)(pass, call, &share, task, scratch);
        return;
    }
#endif
    if (pass->lanes) {
        NAME(gradient_lanes)(pass, call, &share, scratch);
        return;
    }
    if (pass->position_lanes) {
        NAME(gradient_positions)(pass, call, &share, scratch);
        return;
    }
#if IS_FLOAT
    if (pass->slide_rows) {
        NAME(gradient_slide)(pass, call, &share, task, scratch);
        return;
    }
    if (pass->in_passing) {
        NAME(gradient_passing)(pass, call, &share, scratch);
        return;
    }
    if (pass->winograd_tile) {
        NAME(gradient_winograd)(pass, call, &share, task, scratch);
        return;
    }
#endif
    NAME(gradient_direct)(pass, call, &share, scratch);
}

/* Add up the partial sums of some weights, in order. */
static void NAME(add_parts)(const cx_pass *pass, const cx_call *call, int64_t task, char *scratch)
{
    int64_t weights = pass->weight_size, first = task * CX_ADDED;
    int64_t end = cx_min(first + CX_ADDED, weights), i = first;
    const T *parts = call->input;
    T *to = call->output;
    (void)scratch;
    for (; i + LANES <= end; i += LANES) {
        NAME(vector) sum = *(const NAME(loose) *)(parts + i);
        for (int64_t part = 1; part < pass->row_parts; part++)
            sum += *(const NAME(loose) *)(parts + part * weights + i);
        *(NAME(loose) *)(to + i) = sum;
    }
    for (; i < end; i++) {
        T sum = parts[i];
        for (int64_t part = 1; part < pass->row_parts; part++)
            sum += parts[part * weights + i];
        to[i] = sum;
    }
}

/* Elements that a task of the weight gradient keeps its sums in, besides the output. */
static int64_t NAME(sums_size)(const cx_pass *pass)
{
#if IS_FLOAT
    if (pass->fft_axes)
        return NAME(spectral_sums_size)(pass);
    if (pass->slide_rows)
        return pass->task_groups * pass->taps * cx_max(LANES, NAME(sums_of_weight)(pass));
    if (pass->winograd_tile)
        return pass->in_passing ? 0 : NAME(sums_of)(pass).size;
#endif
    (void)pass;
    return 0;
}
