/* The numbers of processors: measured on two cores and on sixteen (bench/results/chains.md, threads.md). */
#include "backend.h"

const backend_cut processor_cut = {
    .grains = 16, .grain_rows = 11, .alike_rows = 16,
    .fewest_tasks = 4, .least_rows = 24, .most_rows = 192, .most_lanes = 1 << 17,
    .least_lanes = 256, .least_sample_lanes = 16, .least_common_rows = 8,
    /* enough to be worth handing out, few enough for L2 */
    .map_lanes = 16384, .row_map_rows = 64, .row_map_least = 64, .row_map_most = 1024,
    .product_rows = 64, .gradient_rows = 128,
    .few_rows = 32, .few_cols = 64, .few_tasks = 4, .small_product = 64 * 64 * 64,
    .whole_row = 4096,
    /* Measured with bf16 on one core (AMX; f32 at 150 GFLOP/s): 64x64x32 is 1.6 to 1.9 times as fast, 48x48x32 and
     * 96x96x11 are slower. Below 32 rows casting the other operand, usually a weight, costs more than the product
     * saves. */
    .half_rows = 32, .half_cols = 16, .half_depth = 32, .half_work = 1 << 17, .half_queries = 32,
};
