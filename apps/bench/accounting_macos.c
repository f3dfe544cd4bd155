/* Energy that macOS charges to this process (libproc.h: billed energy, in nanojoules; whether a GPU's work is in it is
 * not documented). A process cannot begin a new peak of its own. */
#include <libproc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "parts.h"

bool account_new_peak(void) { return false; }

bool account_energy(double *microjoules, double *range) {
    struct rusage_info_v4 usage;
    *microjoules = *range = 0;
    if (proc_pid_rusage(getpid(), RUSAGE_INFO_V4, (rusage_info_t *)&usage)) return false;
    *microjoules = 1e-3 * (double)usage.ri_billed_energy;
    return usage.ri_billed_energy > 0;
}
