/* --device auto: the device on which the very step of a run is fastest. */
#ifndef TIDE_TRAIN_DEVICE_H
#define TIDE_TRAIN_DEVICE_H

#include "step.h"

enum { TRAIN_DEVICE = 32, TRAIN_DEVICE_LINE = 600 };

bool        train_device_open(const char *device);     /* "auto": not chosen yet */
/* What stands for the device where it is not chosen: "cpu" for "auto", else itself. */
const char *train_device_now(const char *device);

/* TIDE_OK for "auto", else as tide_device_info. */
tide_status train_device_there(const char *device, tide_failure *failure);

/* Whether a fixed program of products, normalisations, masks, sorting and a gradient step has cpu's numbers on the
 * device; else `why` is what is wrong, a few words. */
enum { TRAIN_DEVICE_WHY = 160 };
bool train_device_works(const char *device, char why[TRAIN_DEVICE_WHY]);

/* A step to time, and what it is fed. */
typedef struct train_sample { train_step *step; train_feed feeds[TRAIN_FEEDS]; int count; } train_sample;
/* The run as it would be on a device: `open` builds it there, model and step, `close` takes it away, also what there is
 * of an `open` that failed. `tell` comes before what may take long; another status than TIDE_OK ends it. */
typedef struct train_trial {
    void        *user;
    tide_status (*open)(void *user, const char *device, train_sample *out, tide_failure *failure);
    void        (*close)(void *user);
    tide_status (*tell)(void *user, const char *line, tide_failure *failure);
} train_trial;

typedef struct train_device_choice {
    char device[TRAIN_DEVICE];
    char line[TRAIN_DEVICE_LINE];   /* why, a sentence: for people and for run.json; "": it was not chosen here */
} train_device_choice;

/* Of the devices that are there, all but ref and check, those that work: on each two steps to warm up and up to 20
 * timed ones, 2 s in all, but for making the step (on a GPU for the first time: seconds) and for what two steps on each
 * take that are longer. Where there is cpu alone nothing is timed. A trial's parameters and random numbers go with it.
 * Fails as `tell` does. */
tide_status train_device_choose(const train_trial *t, train_device_choice *out, tide_failure *failure);

/* Of a run that goes on: where its folder (NULL: none) says which device it was begun on, that one, and nothing is
 * timed. */
bool train_device_resumed(const char *folder, train_device_choice *out);

/* "auto" of what answers by a trained run: the device of run.json in the folder `run` for `batch` samples from
 * TRAIN_DEVICE_BATCH on, where it is there, else "cpu". Another device stays as it is. `out` may be `device`. */
enum { TRAIN_DEVICE_BATCH = 64 };
void train_device_of_run(const char *device, const char *run, int64_t batch, char out[TRAIN_DEVICE]);

#endif
