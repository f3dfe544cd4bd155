/* The project's own headers that printed kernels stand on, as text, in their order. */
#include "native_headers.h"

#include <stddef.h>

#include "half_text.h"
#include "lanes_avx2_text.h"
#include "lanes_avx512_text.h"
#include "lanes_plain_text.h"
#include "math_f32_text.h"
#include "philox_lanes_text.h"

const native_header native_headers[] = {
    { NULL, half_text }, { "avx512", lanes_avx512_text }, { "avx2", lanes_avx2_text }, { "baseline", lanes_plain_text },
    { NULL, math_f32_text }, { NULL, philox_lanes_text }, { NULL, NULL },
};
