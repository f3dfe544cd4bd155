/* Telling a listener, which may be NULL: true where it wants to stop. */
#ifndef EIS_TELL_H
#define EIS_TELL_H

#include <math.h>
#include <tidemill/eis.h>

static inline eis_event eis_event_of(eis_tone tone, const char *message) {
    return (eis_event){ .tone = tone, .message = message, .loss = NAN, .val_loss = NAN, .seconds = NAN,
                        .seconds_left = NAN };
}

static inline bool eis_tell(eis_listener listener, void *user, eis_tone tone, const char *message) {
    eis_event event = eis_event_of(tone, message);
    return listener && listener(user, &event) != 0;
}

#endif
