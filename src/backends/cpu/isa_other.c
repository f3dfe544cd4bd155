/* Machines with one instruction set. */
#include "isa.h"

extern const isa_table isa_baseline;

tide_status isa_choose(const char *name, const isa_table **out, tide_failure *why) {
    if (name && strcmp(name, isa_baseline.name) != 0)
        return fail(why, TIDE_EDEVICE, "TIDEMILL_ISA is '%s'; here it can only be baseline", name);
    *out = &isa_baseline;
    return TIDE_OK;
}
