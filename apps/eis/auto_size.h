/* --auto-size of eis training. */
#ifndef EIS_AUTO_SIZE_H
#define EIS_AUTO_SIZE_H

#include <tidemill/eis.h>

/* With --auto-size a batch size that was not given becomes the one that suits this machine. Says so; without the
 * option, warns of one far above the advice, where that is more than an estimate. TIDE_ECANCELLED: stopped by the
 * listener. */
tide_status eis_auto_size(eis_options *o, eis_listener listener, void *user, tide_failure *failure);

#endif
