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
        NAME(to_points)(NAME(MAP_POINTS), d, v);
        CX_UNROLL for (int i = 0; i < NAME(MAP_POINTS); i++)
            down[i][j] = v[i];
    }
    for (int i = 0; i < NAME(MAP_POINTS); i++) {
        NAME(to_points)(NAME(MAP_POINTS), down[i], v);
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

/* The tiles first … first + count - 1 of all items. */
static void NAME(multiply_tiles)(const cx_layer *layer, T *maps, int64_t first, int64_t count,
                                 T *space, int8_t *failed)
{
    int64_t blocks = NAME(map_vectors)(&layer->in), all = NAME(map_vectors)(&layer->out);
    int64_t in_pitch = NAME(point_pitch)(layer, &layer->in);
    int64_t out_pitch = NAME(point_pitch)(layer, &layer->out);
    int64_t row = layer->tiles_together * LANES;
    T *points = space, *sums = space + NAME(MAP_POINTS) * NAME(MAP_POINTS) * in_pitch;
    T outputs[NAME(MAP_TILE) * NAME(MAP_TILE) * LANES], zeros[CX_MOST_FILTER_VECTORS * LANES] = {0};
    for (int64_t t = 0; t < count; t++) {
        int64_t item = (first + t) / layer->tiles;
        const cx_map_tile *tile = &layer->tile[(first + t) % layer->tiles];
        NAME(map_place) place = NAME(place_of)(layer, maps, item, &tile->at);
        for (int64_t b = 0; b < blocks; b++)
            NAME(tile_to_points)(place.in + b * layer->in.block, layer->in_row,
                                 points + b * row + t * LANES, in_pitch);
    }
    const T *weights = layer->weights;
    for (int64_t p = 0; p < NAME(MAP_POINTS) * NAME(MAP_POINTS); p++)
        for (int64_t v = 0, vectors; v < all; v += vectors) {
            vectors = cx_min(layer->vectors, all - v);
            int64_t most = NAME(most_rows)(vectors), parts = (count + most - 1) / most;
            for (int64_t i = 0; i < parts; i++) {
                int64_t t = cx_part(count, parts, i), end = cx_part(count, parts, i + 1);
                NAME(map_products)[vectors][end - t](
                    layer->steps, layer->offset, points + p * in_pitch + t * LANES, LANES, weights,
                    zeros, sums + p * out_pitch + v * row + t * LANES, row);
            }
            weights += layer->steps * vectors * LANES;
        }
    for (int64_t t = 0; t < count; t++) {
        int64_t item = (first + t) / layer->tiles;
        const cx_map_tile *tile = &layer->tile[(first + t) % layer->tiles];
        NAME(map_place) place = NAME(place_of)(layer, maps, item, &tile->at);
        for (int64_t v = 0; v < all; v++) {
            NAME(vector) bias = *(const NAME(loose) *)((const T *)layer->bias + v * LANES);
            NAME(vector) zero = NAME(tile_from_points)(sums + v * row + t * LANES, out_pitch, bias,
                                                       outputs);
            for (int lane = 0; lane < LANES; lane++)
                failed[item] |= !(zero[lane] == 0);
            T *out = place.out + v * layer->out.block;
            const T *residual = place.residual ? place.residual + v * layer->residual.block : 0;
            for (int64_t r = 0; r < tile->rows; r++) {
                NAME(finish_map)(layer, outputs + r * NAME(MAP_TILE) * LANES, 0, tile->columns, 1,
                                 out + r * layer->out_row, residual);
                if (residual)
                    residual += layer->residual_row;
            }
        }
    }
}

static void NAME(run_points)(const cx_layer *layer, T *maps, int64_t items, T *space,
                             int8_t *failed)
{
    int64_t tiles = items * layer->tiles, together = layer->tiles_together;
    for (int64_t first = 0; first < tiles; first += together)
        NAME(multiply_tiles)(layer, maps, first, cx_min(together, tiles - first), space, failed);
}
