/* The posterior by Student's likelihood: which points hardly count. */
#ifndef EIS_POSTERIOR_ROBUST_H
#define EIS_POSTERIOR_ROBUST_H

#include "completion.h"

/* As complete_one. The density is that of all points; the verdict, and where the density is sought, are by those that
 * count. */
tide_status complete_robust(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure);

#endif
