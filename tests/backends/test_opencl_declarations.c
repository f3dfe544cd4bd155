/* What opencl.h says of OpenCL, beside what its own header says. Skipped where there is none. Whatever differs does not
 * compile. */
#if !__has_include(<CL/cl.h>)
int main(void) { return 77; }
#else
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <CL/cl_ext.h>

#include "backends/opencl/opencl.h"

#define SAME_NUMBER(name, number) _Static_assert(OCL_##name == (long long)CL_##name, "value of CL_" #name);
OPENCL_CONSTANTS(SAME_NUMBER)
OPENCL_ERRORS(SAME_NUMBER)

#define COMPARE(returns, name, takes)                                                                                  \
    typedef returns type_of_##name takes;                                                                              \
    _Static_assert(__builtin_types_compatible_p(type_of_##name, __typeof__(cl##name)), "type of cl" #name);
OPENCL_FUNCTIONS(COMPARE)

/* What is handed over by address. */
#define SAME_SIZE(ours, theirs) _Static_assert(sizeof(ours) == sizeof(theirs), "size of " #theirs);
SAME_SIZE(intptr_t, cl_context_properties)
SAME_SIZE(uint32_t, cl_bool)
SAME_SIZE(uint64_t, cl_ulong)
SAME_SIZE(uint64_t, cl_device_fp_config)

int main(void) { return 0; }
#endif
