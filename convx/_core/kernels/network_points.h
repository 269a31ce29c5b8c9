/* Convolutions of 3 by 3 taps in maps (network.h) by Winograd's algorithm, F(4, 3) in two axes: see
   points.h. Channels are lanes, so nothing is dealt or joined:

       tiles together    points[point][block of channels][tile][channel]         in L1 and L2
       product           sums[point][vector of filters][tile][filter]
       back              16 outputs, those outside of the plane dropped */

enum { NAME(MAP_POINTS) = 6, NAME(MAP_TILE) = 4 };

/* Elements from one point to the next, for so many vectors of each tile. */
CX_INLINE int64_t NAME(point_pitch)(const cx_layer *layer, const cx_map *map)
{
    return NAME(spread)(NAME(map_vectors)(map) * layer->tiles_together * LANES);
}

/* Elements of scratch memory. */
static int64_t NAME(points_size)(const cx_layer *layer)
{
    return NAME(MAP_POINTS) * NAME(MAP_POINTS) *
           (NAME(point_pitch)(layer, &layer->in) + NAME(point_pitch)(layer, &layer->out));
}

CX_INLINE void NAME(tile_to_points)(const T *x, int64_t row, T *points, int64_t pitch)
{
    NAME(vector) d[NAME(MAP_POINTS)], v[NAME(MAP_POINTS)];
    NAME(vector) down[NAME(MAP_POINTS)][NAME(MAP_POINTS)];
    CX_UNROLL for (int j = 0; j < NAME(MAP_POINTS); j++) {
        CX_UNROLL for (int i = 0; i < NAME(MAP_POINTS); i++)
            d[i] = *(const NAME(loose) *)(x + i * row + j * LANES);
        NAME(to_points)(NAME(MAP_POINTS), 1, d, v);
        CX_UNROLL for (int i = 0; i < NAME(MAP_POINTS); i++)
            down[i][j] = v[i];
    }
    for (int i = 0; i < NAME(MAP_POINTS); i++) {
        NAME(to_points)(NAME(MAP_POINTS), 1, down[i], v);
        CX_UNROLL for (int j = 0; j < NAME(MAP_POINTS); j++)
            *(NAME(loose) *)(points + (i * NAME(MAP_POINTS) + j) * pitch) = v[j];
    }
}

/* Returns a vector that is 0 if all outputs are finite. */
CX_INLINE NAME(vector) NAME(tile_from_points)(const T *sums, int64_t pitch, NAME(vector) bias,
                                              T *y)
{
    NAME(vector) m[NAME(MAP_POINTS)], v[NAME(MAP_TILE)], zero = {0};
    NAME(vector) down[NAME(MAP_TILE)][NAME(MAP_POINTS)];
    CX_UNROLL for (int j = 0; j < NAME(MAP_POINTS); j++) {
        CX_UNROLL for (int i = 0; i < NAME(MAP_POINTS); i++)
            m[i] = *(const NAME(loose) *)(sums + (i * NAME(MAP_POINTS) + j) * pitch);
        NAME(from_points)(NAME(MAP_POINTS), NAME(MAP_TILE), m, v);
        CX_UNROLL for (int i = 0; i < NAME(MAP_TILE); i++)
            down[i][j] = v[i];
    }
    CX_UNROLL for (int i = 0; i < NAME(MAP_TILE); i++) {
        NAME(from_points)(NAME(MAP_POINTS), NAME(MAP_TILE), down[i], v);
        CX_UNROLL for (int j = 0; j < NAME(MAP_TILE); j++) {
            zero += 0 * v[j];
            *(NAME(loose) *)(y + (i * NAME(MAP_TILE) + j) * LANES) = v[j] + bias;
        }
    }
    return zero;
}

/* A tile of some item. */
typedef struct {
    int64_t item, tile;
} NAME(tile_at);

CX_INLINE void NAME(next_tile)(const cx_layer *layer, NAME(tile_at) *at)
{
    if (++at->tile == layer->tiles) {
        at->tile = 0;
        at->item++;
    }
}

static void NAME(tiles_to_points)(const cx_layer *layer, T *maps, NAME(tile_at) at, int64_t count,
                                  T *points, int64_t row, int64_t pitch)
{
    int64_t blocks = NAME(map_vectors)(&layer->in);
    for (int64_t t = 0; t < count; t++, NAME(next_tile)(layer, &at)) {
        NAME(map_place) place = NAME(map_place_at)(layer, maps, at.item, &layer->tile[at.tile].at);
        for (int64_t b = 0; b < blocks; b++)
            NAME(tile_to_points)(place.in + b * layer->in.block, layer->in_row,
                                 points + b * row + t * LANES, pitch);
    }
}

static void NAME(multiply_points)(const cx_layer *layer, int64_t count, const T *points,
                                  int64_t in_pitch, T *sums, int64_t out_pitch, int64_t row,
                                  NAME(asked) *asked)
{
    const T *weights = layer->weights, zeros[CX_MOST_FILTER_VECTORS * LANES] = {0};
    int64_t all = NAME(map_vectors)(&layer->out), last = (all - 1) % layer->vectors + 1;
    NAME(map_parts) of_block = NAME(cut_outputs)(count, layer->vectors);
    NAME(map_parts) of_last = NAME(cut_outputs)(count, last);
    for (int64_t p = 0; p < NAME(MAP_POINTS) * NAME(MAP_POINTS); p++)
        for (int64_t v = 0, vectors; v < all; v += vectors) {
            vectors = cx_min(layer->vectors, all - v);
            NAME(ask_for)(0, &asked->input);
            NAME(ask_for)(1, &asked->output);
            NAME(map_parts) parts = vectors == last ? of_last : of_block;
            NAME(map_target) target = {sums + p * out_pitch + v * row, LANES, row, 0, 0, 0};
            const T *x = points + p * in_pitch;
            for (int64_t i = 0; i < parts.count; i++) {
                int64_t rows = parts.rows + (i < parts.longer);
                NAME(map_products)[vectors][rows](layer->steps, layer->offset, x, LANES, weights,
                                                  zeros, &target);
                x += rows * LANES;
                target.y += rows * LANES;
            }
            weights += layer->steps * vectors * LANES;
        }
}

static void NAME(tiles_from_points)(const cx_layer *layer, T *maps, NAME(tile_at) at,
                                    int64_t count, const T *sums, int64_t row, int64_t pitch,
                                    int8_t *failed)
{
    T outputs[NAME(MAP_TILE) * NAME(MAP_TILE) * LANES];
    int64_t all = NAME(map_vectors)(&layer->out);
    for (int64_t t = 0; t < count; t++, NAME(next_tile)(layer, &at)) {
        const cx_map_tile *tile = &layer->tile[at.tile];
        NAME(map_place) place = NAME(map_place_at)(layer, maps, at.item, &tile->at);
        NAME(vector) zero = {0};
        for (int64_t v = 0; v < all; v++) {
            NAME(vector) bias = *(const NAME(loose) *)((const T *)layer->bias + v * LANES);
            zero += NAME(tile_from_points)(sums + v * row + t * LANES, pitch, bias, outputs);
            NAME(map_block) block = {
                tile->rows, tile->columns, outputs, 0, place.out + v * layer->out.block,
                NAME(MAP_TILE) * LANES, layer->residual_row, layer->out_row,
            };
            if (place.residual)
                block.residual = place.residual + v * layer->residual.block;
            NAME(finish_map)(layer, &block);
        }
        for (int lane = 0; lane < LANES; lane++)
            if (zero[lane] != 0) /* other tiles of the item may be another thread's */
                __atomic_store_n(&failed[at.item], 1, __ATOMIC_RELAXED);
    }
}

static void NAME(run_points)(const cx_layer *layer, T *maps, const cx_layer_part *part, T *space,
                             int8_t *failed, NAME(asked) asked)
{
    int64_t tiles = cx_layer_units(layer, part->items);
    int64_t end = cx_part(tiles, part->parts, part->part + 1);
    int64_t in_pitch = NAME(point_pitch)(layer, &layer->in), row = layer->tiles_together * LANES;
    int64_t out_pitch = NAME(point_pitch)(layer, &layer->out);
    T *points = space, *sums = space + NAME(MAP_POINTS) * NAME(MAP_POINTS) * in_pitch;
    int64_t blocks = (NAME(map_vectors)(&layer->out) + layer->vectors - 1) / layer->vectors;
    int64_t first = cx_part(tiles, part->parts, part->part), all = end - first;
    int64_t groups = (all + layer->tiles_together - 1) / layer->tiles_together;
    NAME(deal_asked)(&asked, cx_max(1, groups * NAME(MAP_POINTS) * NAME(MAP_POINTS) * blocks));
    for (int64_t g = 0, count; g < groups; g++, first += count) {
        NAME(tile_at) at = {first / layer->tiles, first % layer->tiles};
        count = cx_part(all, groups, g + 1) - cx_part(all, groups, g);
        NAME(tiles_to_points)(layer, maps, at, count, points, row, in_pitch);
        NAME(multiply_points)(layer, count, points, in_pitch, sums, out_pitch, row,
                              &asked);
        NAME(tiles_from_points)(layer, maps, at, count, sums, row, out_pitch, failed);
    }
}
