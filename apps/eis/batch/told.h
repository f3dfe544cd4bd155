/* A batch as JSON and as text. */
#ifndef EIS_BATCH_TOLD_H
#define EIS_BATCH_TOLD_H

#include "groups.h"

json_t *told_json(const batch_rows *rows, const batch_groups *groups); /* NULL: out of memory */
void    told_text(const batch_rows *rows, const batch_groups *groups, text *out);

#endif
