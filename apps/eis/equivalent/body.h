/* What stands in braces behind an element, and the place in a string where it is read. */
#ifndef EIS_BODY_H
#define EIS_BODY_H

#include "equivalent.h"

typedef struct reader { const char *text, *at; tide_failure *failure; } reader;

void reader_skip(reader *r);          /* blanks */
bool reader_take(reader *r, char c);  /* that letter, if it is the next behind blanks */
/* "`circuit`, column 4: expected ... but there is ...". Returns TIDE_EINVAL. */
tide_status reader_fail(reader *r, const char *format, ...) TIDE_PRINTF(2, 3);

/* At '{': values, limits and the label, if there is one, which may be empty. */
tide_status read_body(reader *r, equivalent *e, const circuit_part *part, bool *labelled, char label[PART_NAME]);

#endif
