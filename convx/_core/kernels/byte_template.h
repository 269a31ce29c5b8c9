/* The sweeps of one instruction set for bytes: filters and medians of images. */

#include "types.h"
#include "partial.h"
#include "filter_elements.h"
#include "filter_bytes.h"
#include "filter_down.h"
#include "filter_along.h"
#include "filter_sweep.h"
#include "footprint_sweep.h"
#include "median_sweep.h"

static const cx_sweeps NAME(sweeps) = {
    .filter = NAME(sweep_filter),
    .footprint = NAME(sweep_footprint),
    .median = NAME(sweep_median),
};

#include "end_types.h"
