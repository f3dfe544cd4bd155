/* What the routes of impedance share: a request becomes a task with spectra, options and known values, which a worker
 * answers spectrum by spectrum. */
#ifndef SERVE_ROUTES_EIS_H
#define SERVE_ROUTES_EIS_H

#include <tidemill/eis.h>

#include "base/base.h"
#include "serve/fields/record.h"
#include "serve/models/models.h"
#include "body_file.h"
#include "service.h"

typedef struct spectrum_in {
    numbers     freq, re, im, sigma_re, sigma_im;
    const char *name, *upload, *sweep;
    double      area_cm2;
} spectrum_in;

typedef struct eis_in {
    spectrum_in  *spectrum;
    record_list   spectra;
    const char   *known, *model;
    const json_t *options;
    bool          curve, draws;
} eis_in;

typedef struct eis_task eis_task;

/* One of the ways to ask about spectra. */
typedef struct eis_kind {
    const record      *in;
    const option_door *door;      /* of `options` */
    const option_door *reading;   /* of a file's query, besides: how it is read */
    bool               slow;      /* always for the queue of what takes long */
    bool               alone;     /* may be asked without a spectrum: of known values */
    /* The answer about spectrum i (NULL: none) as a JSON object into `out`. */
    tide_status (*answer)(eis_task *t, int thread, const eis_spectrum *s, text *out, tide_failure *failure);
} eis_kind;

struct eis_task {
    work_item       item;
    http_request   *r;
    serve          *s;
    const eis_kind *kind;
    body            body;
    eis_in          in;
    eis_options     options;
    eis_fit_options fit;
    eis_spectrum   *spectrum;   /* the body's memory, or that of `files` */
    int64_t         count;
    bool            listed;     /* the answer is a list */
    eis_spectra     files;
    model          *model;
    double          deadline;   /* os_seconds(); infinite */
    problem         problem;
};

extern const eis_kind eis_complete_kind, eis_check_kind, eis_fit_kind, eis_drt_kind;
extern const record spectrum_record;
extern const option_door eis_complete_door, eis_check_door, eis_drt_door, eis_fit_door, eis_fit_reading, eis_read_door;

/* eis_task.c */
void eis_task_begin(const eis_kind *kind, serve *s, http_request *r);
int  eis_task_stop(void *task, const eis_event *event);  /* a listener: has the client gone, is the time over? */
/* eis_spectra.c: fills the task's spectra from what was decoded, or from a file's bytes. */
bool eis_spectra_decode(eis_task *t);
bool eis_spectra_of_file(eis_task *t, const char *path, const char *name);
bool eis_spectra_of_body(eis_task *t, const char *bytes, size_t length);
void eis_spectrum_print(const eis_spectrum *s, int digits, text *out);  /* as numbers_print, without braces */

#endif
