/* eis_complete for a caller that goes on with the answer. */
#ifndef EIS_COMPLETE_H
#define EIS_COMPLETE_H

#include <tidemill/eis.h>

/* `kept`, zeroed before, receives the last answer, if it is not NULL: eis_answer_free. The arguments are good. */
tide_status complete_keeping(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                             eis_answer *kept, tide_failure *failure);

#endif
