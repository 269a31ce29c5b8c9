/* Runs networks (network.h): some items go through all layers before the next ones do. */

/* A part of the border of a map. Stretches of blocks that are vectors are whole vectors. */
static void NAME(clear_border)(const cx_map *map, T *maps, const cx_layer_part *part)
{
    int64_t blocks = (map->channels + map->lanes - 1) / map->lanes;
    int64_t gap = cx_part(map->gaps, part->parts, part->part);
    int64_t end_gap = cx_part(map->gaps, part->parts, part->part + 1);
    for (int64_t b = 0; b < blocks; b++)
        for (int64_t n = 0; n < part->items; n++) {
            T *plane = maps + map->start + b * map->block + n * map->item;
            for (int64_t i = gap; i < end_gap; i++) {
                T *at = plane + map->gap[2 * i], *end = at + map->gap[2 * i + 1];
                for (; map->lanes == LANES && at < end; at += LANES)
                    *(NAME(loose) *)at = (NAME(vector)){0};
                while (at < end)
                    *at++ = 0;
            }
        }
}

/* Whether all channels of a block are there, from its channel c on. */
CX_INLINE int NAME(is_whole)(const cx_map *map, int64_t c)
{
    return map->lanes == LANES && c % LANES == 0 && c + LANES <= map->channels;
}

/* A line of as many channels as a block has; returns the places that are copied, whole squares. */
static int64_t NAME(take_squares)(T *to, const T *from, int64_t channel, int64_t length)
{
    int64_t k = 0;
    for (; k + LANES <= length; k += LANES)
        NAME(turn_square)(to + k * LANES, LANES, from + k, channel);
    return k;
}

static int64_t NAME(give_squares)(T *to, const T *from, int64_t channel, int64_t length)
{
    int64_t k = 0;
    for (; k + LANES <= length; k += LANES)
        NAME(turn_square)(to + k, channel, from + k * LANES, LANES);
    return k;
}

/* The rows of a block of channels, whose planes are turned as a whole. */
static void NAME(take_planes)(const cx_layer *layer, T *to, const T *from, T *planes)
{
    int64_t channel = layer->array_channel;
    int64_t done = NAME(take_squares)(planes, from, channel, layer->array_plane);
    for (int64_t k = done; k < layer->array_plane; k++)
        for (int c = 0; c < LANES; c++)
            planes[k * LANES + c] = from[c * channel + k];
    for (int64_t i = 0; i < layer->lines; i++)
        for (int64_t k = 0; k < layer->length; k++)
            *(NAME(loose) *)(to + layer->line[i].out + k * LANES) =
                *(const NAME(loose) *)(planes + (layer->line[i].in + k) * LANES);
}

/* A line of a block, from its channel c on; lanes past the last channel are zeros. */
static void NAME(take_line)(const cx_layer *layer, int64_t c, T *to, const T *from)
{
    const cx_map *out = &layer->out;
    int64_t done = 0;
    if (NAME(is_whole)(out, c) && layer->array_step == 1)
        done = NAME(take_squares)(to, from, layer->array_channel, layer->length);
    for (int64_t end = c + out->lanes; c < end; c++, to++, from += layer->array_channel)
        for (int64_t k = done; k < layer->length; k++)
            to[k * out->lanes] = c < out->channels ? from[k * layer->array_step] : 0;
}

static void NAME(take_input)(const cx_layer *layer, T *maps, const cx_layer_part *part, const T *x,
                             T *space)
{
    const cx_map *out = &layer->out;
    int by_planes = layer->array_plane && layer->lines > 1 && layer->length % LANES;
    int64_t units = cx_layer_units(layer, part->items), blocks = units / part->items;
    int64_t end = cx_part(units, part->parts, part->part + 1);
    for (int64_t unit = cx_part(units, part->parts, part->part); unit < end; unit++) {
        int64_t n = unit / blocks, c = unit % blocks * out->lanes;
        T *to = maps + out->start + n * out->item + unit % blocks * out->block;
        const T *from = x + n * layer->array_item + c * layer->array_channel;
        if (by_planes && NAME(is_whole)(out, c)) {
            NAME(take_planes)(layer, to, from, space);
            continue;
        }
        for (int64_t i = 0; i < layer->lines; i++)
            NAME(take_line)(layer, c, to + layer->line[i].out, from + layer->line[i].in);
    }
}

/* A line of a block whose first channel is c. */
static void NAME(give_line)(const cx_layer *layer, int64_t c, T *to, const T *from)
{
    const cx_map *in = &layer->in;
    int64_t done = 0, channels = cx_min(in->lanes, in->channels - c);
    if (NAME(is_whole)(in, c))
        done = NAME(give_squares)(to, from, layer->array_channel, layer->length);
    for (int64_t lane = 0; lane < channels; lane++, to += layer->array_channel)
        for (int64_t k = done; k < layer->length; k++)
            to[k] = from[k * LANES + lane];
}

static void NAME(give_output)(const cx_layer *layer, const T *maps, const cx_layer_part *part,
                              T *y)
{
    const cx_map *in = &layer->in;
    int64_t units = cx_layer_units(layer, part->items), blocks = units / part->items;
    int64_t end = cx_part(units, part->parts, part->part + 1);
    for (int64_t unit = cx_part(units, part->parts, part->part); unit < end; unit++) {
        int64_t n = unit / blocks, c = unit % blocks * in->lanes;
        const T *from = maps + in->start + n * in->item + unit % blocks * in->block;
        T *to = y + n * layer->array_item + c * layer->array_channel;
        for (int64_t i = 0; i < layer->lines; i++)
            NAME(give_line)(layer, c, to + layer->line[i].out, from + layer->line[i].in);
    }
}

/* One output of a pool. NaN is the maximum of what has it. */
CX_INLINE NAME(vector) NAME(pool_places)(const cx_layer *layer, const T *x, int64_t output)
{
    const int64_t *place = layer->offset + layer->first[output];
    const int64_t *end = layer->offset + layer->first[output + 1];
    NAME(vector) result = *(const NAME(loose) *)(x + *place++);
    if (layer->kind == CX_LAYER_MEAN) {
        for (; place < end; place++)
            result += *(const NAME(loose) *)(x + *place);
        return result * (T)layer->factor[output];
    }
    for (; place < end; place++) {
        NAME(vector) v = *(const NAME(loose) *)(x + *place);
        result = NAME(select)((NAME(mask))(v > result) | (NAME(mask))(v != v), v, result);
    }
    return result;
}

static void NAME(run_pool)(const cx_layer *layer, T *maps, const cx_layer_part *part, T *sums)
{
    NAME(map_lines) lines = NAME(lines_of)(layer, part);
    for (int64_t v = 0; v < NAME(map_vectors)(&layer->out); v++)
        for (int64_t i = lines.first; i < lines.end; i++) {
            NAME(map_place) place = NAME(map_place_of)(layer, maps, i);
            const T *in = place.in + v * layer->in.block;
            T *out = place.out + v * layer->out.block;
            int64_t first = i % layer->lines * layer->length;
            for (int64_t k = 0, rows; k < layer->length; k += rows) {
                rows = cx_min(ROWS, layer->length - k);
                for (int64_t r = 0; r < rows; r++)
                    *(NAME(loose) *)(sums + r * LANES) =
                        NAME(pool_places)(layer, in, first + k + r);
                NAME(map_block) block = {1, rows, sums, 0, out + k * layer->out_step, 0, 0, 0};
                NAME(finish_map)(layer, &block);
            }
        }
}

/* Whether the items of an array follow one another without gaps. */
CX_INLINE int NAME(is_dense)(const cx_layer *layer, const cx_map *map)
{
    return layer->array_plane && layer->array_channel == layer->array_plane &&
           layer->array_item == map->channels * layer->array_plane;
}

/* What a layer of all items of a piece asks for: the next piece's input behind the first layer, the
   output before the last one. */
static NAME(asked) NAME(asked_by)(const cx_network *network, int64_t index,
                                  const cx_layer_part *part)
{
    NAME(asked) asked = {0};
    const cx_layer *first = network->layer, *last = network->layer + network->layers - 1;
    int64_t next = part->first + part->items, items = cx_min(part->items, network->batch - next);
    if (part->parts > 1 || network->layer[index].merged)
        return asked;
    if (index == 1 && items > 0 && NAME(is_dense)(first, &first->out)) {
        const T *from = (const T *)network->input + next * first->array_item;
        asked.input = NAME(ahead_of)(from, items * first->array_item);
    }
    if (index == network->layers - 2) {
        const T *to = (const T *)network->output + part->first * last->array_item;
        asked.output = NAME(ahead_of)(to, part->items * last->array_item);
    }
    return asked;
}

static void NAME(run_layer)(const cx_network *network, int64_t index, const cx_layer_part *part,
                            char *maps_memory, char *space_memory)
{
    const cx_layer *layer = &network->layer[index];
    T *maps = (T *)maps_memory, *space = (T *)space_memory;
    switch (layer->kind) {
    case CX_LAYER_INPUT:
        NAME(take_input)(layer, maps, part,
                         (const T *)network->input + part->first * layer->array_item, space);
        break;
    case CX_LAYER_PRODUCT:
        NAME(run_product)(layer, maps, part, space, NAME(asked_by)(network, index, part));
        break;
    case CX_LAYER_POINTS:
        NAME(run_points)(layer, maps, part, space, network->failed + part->first,
                         NAME(asked_by)(network, index, part));
        break;
    case CX_LAYER_SINGLE:
        NAME(run_single)(layer, maps, part, space, NAME(asked_by)(network, index, part));
        break;
    case CX_LAYER_MAX:
    case CX_LAYER_MEAN:
        NAME(run_pool)(layer, maps, part, space);
        break;
    case CX_LAYER_OUTPUT:
        NAME(give_output)(layer, maps, part,
                          (T *)network->output + part->first * layer->array_item);
        return;
    }
    NAME(clear_border)(&layer->out, maps, part);
}

static void NAME(run_network)(const void *of, int64_t first, int64_t end, char *scratch)
{
    const cx_network *network = of;
    char *space = (char *)((T *)scratch + network->maps);
    for (int64_t piece = first; piece < end; piece++) {
        int64_t item = cx_part(network->batch, network->pieces, piece);
        int64_t items = cx_part(network->batch, network->pieces, piece + 1) - item;
        cx_layer_part whole = {item, items, 0, 1};
        for (int64_t i = 0; i < network->layers; i++)
            NAME(run_layer)(network, i, &whole, scratch, space);
    }
}

/* Elements of scratch memory that layers need besides their maps. */
static int64_t NAME(network_space)(const cx_network *network)
{
    int64_t most = CX_MOST_FILTER_VECTORS * NAME(SUMS_PITCH);
    for (int64_t i = 0; i < network->layers; i++) {
        const cx_layer *layer = &network->layer[i];
        if (layer->kind == CX_LAYER_POINTS)
            most = cx_max(most, NAME(points_size)(layer));
        if (layer->kind == CX_LAYER_INPUT)
            most = cx_max(most, layer->array_plane * LANES);
    }
    return most;
}
