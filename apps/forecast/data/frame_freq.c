/* Which step a series has: that of `freq`, if the stamps are such as it says; that of the run; else the one found. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "frame_time.h"

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
static tide_status refuse_word(reading *r, time_step found) {
    const frame *f = r->out;
    int64_t      misfit;
    char         fits[STEP_TEXT], stamp[40], word[WORD_TEXT];
    if (!shows_days(f) || step_holds_all(f->step, f->time, f->file_rows, &misfit)) return TIDE_OK;
    step_name(fits, found, f->time, f->file_rows);
    time_print(stamp, f->time[misfit], &f->format);
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
        return reading_note(r, "most time stamps are %s apart; marks and future stamps follow `freq` %s\n", name,
                            r->options->freq);
    }
    if (!found.sessions || f->step.sessions) return TIDE_OK;
    step_print(name, found);
    return reading_note(r, "the rows keep to %s; as `freq` says, the stamps of a forecast go on by %s, also between "
                           "these times\n", name, r->options->freq);
}

static tide_status take_word(reading *r, time_step found) {
    frame *f = r->out;
    step_parse(r->options->freq, &f->step);
    bool        months = step_months(f->step) && step_months(found), label = months && !shows_days(f);
    tide_status status = found.unit == UNIT_NONE ? TIDE_OK : refuse_word(r, found);
    if (status) return status;
    if (months && (!f->step.day || label)) f->step.day = found.day, f->step.business = found.business;
    show_step(f);
    return found.unit == UNIT_NONE ? TIDE_OK : note_word(r, found);
}

tide_status reading_take_step(reading *r, time_step found) {
    frame *f = r->out;
    const time_step *run = r->options->run_step;
    char name[STEP_TEXT];
    bool keeps = run && step_keeps(*run, f->time, f->file_rows, found);
    f->step = keeps ? *run : found;
    if (r->options->freq) return take_word(r, found);
    if (keeps || !found.sessions) return TIDE_OK;
    step_print(name, found);
    return reading_note(r, "the rows keep to %s: between these times none are missing, and a forecast goes on at them; "
                           "`freq` %.*s takes all hours and days\n", name, (int)strcspn(name, ","), name);
}
