/* What every translation unit of printed C begins with. */
#ifndef TIDE_NATIVE_BEGIN_H
#define TIDE_NATIVE_BEGIN_H

#include "base/base.h"

/* Adds to `out` the numbers of the host's functions, host.h and lanes_c.h. Before it must stand what lanes_*.h,
 * math_f32.h and philox_lanes.h define. */
void native_begin(text *out);

#endif
