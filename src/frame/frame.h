/* A frame from the inside. */
#ifndef FRAME_FRAME_H
#define FRAME_FRAME_H

#include <tidemill/frame.h>

typedef struct frame_column {
    char         *name;
    const double *values;
    int64_t       stride;
    double       *own;     /* the same, where the frame has them; NULL: borrowed */
} frame_column;

struct tide_frame {
    int64_t       rows, count, capacity;
    frame_column *columns;
    char         *time_name;   /* NULL: no time axis */
    int64_t      *time;        /* one of the two */
    double       *time_real;
};

/* The frame takes over `values` (malloc'ed, of f->rows numbers), also on failure. */
tide_status frame_take(tide_frame *f, const char *name, double *values, tide_failure *failure);
/* Likewise one of the two; the other is NULL. */
tide_status frame_take_time(tide_frame *f, const char *name, int64_t *whole, double *real, tide_failure *failure);

#endif
