/* Which step a series has: that of `freq`, if the stamps are such as it says; that of the run; else the one found. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_time.h"
#include "zoned.h"

/* Labels of months, quarters, years or weeks say no day: any word for their ends or their starts will do. */
static bool shows_days(const frame *f) {
    return f->format.kind != 'd' || f->time_columns.count != 1 || date_shape_days((date_shape)f->format.shape) == 1;
}

/* Stamps show what the step changes: days alone would be the same for each hour, and months for each day. */
static void show_step(frame *f) {
    time_format *format = &f->format;
    bool clock = f->step.unit >= UNIT_SECOND && f->step.unit <= UNIT_HOUR;
    if (format->kind != 'd' || f->time_columns.count != 1) return;
    if (!date_shape_shows((date_shape)format->shape, f->step))
        format->shape = step_months(f->step) ? DATE_YM : DATE_YMD, format->separator = '-', format->padded = true;
    if (clock && !format->middle) format->middle = ' ', format->colon = ':', format->hour_padded = true;
}

/* W-SUN for Mondays, ME for days within a month. */
static tide_status refuse_word(reading *r, time_step found, const int64_t *label) {
    const frame *f = r->out;
    int64_t      misfit;
    char         fits[STEP_TEXT], stamp[40], word[WORD_TEXT];
    if (!shows_days(f) || step_holds_all(f->step, label, f->file_rows, &misfit)) return TIDE_OK;
    step_name(fits, found, label, f->file_rows);
    zoned_print(stamp, f->zone, f->time[misfit], &f->format);
    return forecast_fail(r->failure, TIDE_EDATA, r->path, r->table.line[misfit], f->time_name,
                         "`freq` %s does not fit the time stamps, such as %s; `freq` %s does", r->options->freq, stamp,
                         found.sessions ? reading_word(word, fits, false) : fits);
}

/* What was found counts for nothing where it is not what is asked for. */
static tide_status note_word(reading *r, time_step found) {
    const frame *f = r->out;
    char name[STEP_TEXT];
    if (!step_same(found, f->step)) {
        found.sessions = 0;
        step_print(name, found);
        bool longer = time_advance(f->time[0], f->step, 1) > time_advance(f->time[0], found, 1);
        return reading_note(r, "most time stamps are %s apart; marks and future stamps follow `freq` %s%s\n", name,
                            r->options->freq, longer ? "; `aggregate` mean makes one row of those in each step" : "");
    }
    if (!found.sessions || f->step.sessions) return TIDE_OK;
    step_print(name, found);
    return reading_note(r, "the rows keep to %s; as `freq` says, the stamps of a forecast go on by %s, also between "
                           "these times\n", name, r->options->freq);
}

static tide_status take_word(reading *r, time_step found, const int64_t *label) {
    frame *f = r->out;
    step_parse(r->options->freq, &f->step);
    bool        months = step_months(f->step) && step_months(found), dayless = months && !shows_days(f);
    tide_status status = found.unit == UNIT_NONE || r->grid.unit ? TIDE_OK : refuse_word(r, found, label);
    if (status) return status;
    if (months && (!f->step.day || dayless)) f->step.day = found.day, f->step.business = found.business;
    show_step(f);
    return found.unit == UNIT_NONE ? TIDE_OK : note_word(r, found);
}

/* `label`: what clocks show at the stamps. */
static tide_status take_step(reading *r, time_step found, const int64_t *label) {
    frame *f = r->out;
    const time_step *run = r->options->run_step;
    char name[STEP_TEXT];
    bool keeps = run && step_keeps(*run, label, f->file_rows, found);
    f->step = keeps ? *run : found;
    if (r->options->freq) return take_word(r, found, label);
    if (keeps || !found.sessions) return TIDE_OK;
    step_print(name, found);
    return reading_note(r, "the rows keep to %s: between these times none are missing, and a forecast goes on at them; "
                           "`freq` %.*s takes all hours and days\n", name, (int)strcspn(name, ","), name);
}

tide_status reading_take_step(reading *r, time_step found) {
    int64_t *label = zoned_labels(r->out->zone, r->out->time, r->out->file_rows);
    if (!label) return reading_no_memory(r);
    tide_status status = take_step(r, found, label);
    free(label);
    return status;
}
