/* What an instrument measured is looked at before a circuit is asked for. */
#include "base/base.h"
#include "completion.h"
#include "eis/check/faults.h"
#include "eis/check/kept.h"
#include "thin.h"

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the spectrum");
}

/* What is wrong with the data is said first, and what makes any answer meaningless is the answer. */
static tide_status tell_faults(const faults *f, bool keeps, text *flaws, tide_failure *failure) {
    for (int64_t i = 0; i < f->count; i++)
        if (f->of[i].unfit)
            return fail_at(failure, TIDE_EDATA, NULL, 0, eis_fault_name(f->of[i].kind), "%s", f->of[i].sentence);
    for (int64_t i = 0; i < f->count; i++) {
        eis_fault_kind kind = f->of[i].kind;
        const char *without = f->of[i].points == 1 ? ": the answer is without it" : ": the answer is without them";
        text_add(flaws, "%s%s\n", f->of[i].sentence, fault_leaves_out(kind) && !keeps ? without : "");
    }
    return TIDE_OK;
}

tide_status complete_measured(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    faults f;
    noise_estimate seen;
    question own = *q;
    eis_spectrum kept = { 0 };
    text flaws = { 0 };
    bool keeps = q->robust && s->count <= THIN_FROM; /* joined points would be theirs too */
    *out = (completion){ 0 };
    if (!faults_of(s, &f)) return no_memory(failure);
    tide_status status = tell_faults(&f, keeps, &flaws, failure);
    if (status == TIDE_OK && !keeps && !kept_new(s, f.left_out, &kept)) status = no_memory(failure);
    if (status == TIDE_OK && !keeps && !s->sigma && kept.count == s->count)
        seen = noise_of_rest(&f.rest, f.robust), own.seen = &seen;
    if (status == TIDE_OK) status = complete_one(&own, keeps ? s : &kept, out, failure);
    faults_free(&f);
    kept_free(&kept);
    if (status == TIDE_OK && flaws.failed) status = no_memory(failure);
    if (status == TIDE_OK) out->flaws = flaws.data;
    else completion_free(out), text_free(&flaws);
    return status;
}
