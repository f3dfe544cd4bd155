/* Published settings (docs: itransformer, section 11) and the Mac guide's, as rows of one table. */
#include <tidemill/forecast.h>

#include <stdio.h>

#include "base/base.h"
#include "options/options.h"

typedef struct preset {
    const char *name;
    const char *settings; /* "option=value ..." */
} preset;

#define SHARED "features=M seq-len=96 n-heads=8 dropout=0.1 activation=gelu patience=3 optimizer=adam " \
               "loss-function=mse lradj=type1 " \
               "weight-decay=0 grad-clip=0 min-epochs=0 epochs=10 "
#define SIZE(e, d, f) "e-layers=" #e " d-model=" #d " d-ff=" #f " "
#define FIT(batch, lr) "batch-size=" #batch " learning-rate=" #lr " "
#define NORM "use-norm=yes "
#define NO_NORM "use-norm=no "
#define HOURLY "marks=h " /* every published set has the hourly marks, whatever its step */
#define NO_MARKS "marks=none "
#define ROW(set, s, rest) { set "-" #s, SHARED "pred-len=" #s " " rest }
#define FOUR(set, rest) ROW(set, 96, rest), ROW(set, 192, rest), ROW(set, 336, rest), ROW(set, 720, rest)
#define SMALL SIZE(2, 128, 128) FIT(32, 1e-4) NORM HOURLY
#define PEMS "kind=pems " NO_MARKS
#define PEMS03 PEMS SIZE(4, 512, 512) FIT(32, 1e-3) NORM
#define PEMS04 PEMS SIZE(4, 1024, 1024) FIT(32, 5e-4) NO_NORM
#define PEMS07_SHORT PEMS SIZE(2, 512, 512) FIT(32, 1e-3) NO_NORM
#define PEMS08_SHORT PEMS SIZE(2, 512, 512) FIT(32, 1e-4) NORM
#define PEMS_LONG PEMS SIZE(4, 512, 512) FIT(16, 1e-3) NO_NORM
#define ETTH1_SHORT "kind=etth " SIZE(2, 256, 256) FIT(32, 1e-4) NORM HOURLY
#define ETTH1_LONG "kind=etth " SIZE(2, 512, 512) FIT(32, 1e-4) NORM HOURLY
#define MAC "kind=custom features=MS target=close marks=auto pred-len=24 n-heads=4 e-layers=1 dropout=0.1 " \
              "activation=gelu use-norm=yes " \
              "epochs=5 learning-rate=5e-4 optimizer=adam weight-decay=0 patience=10 min-epochs=10 " \
              "loss-function=financial " \
              "directional-weight=0.5 lradj=mac-cosine grad-clip=1 seed=2023 "

static const preset presets[] = {
    ROW("etth1", 96, ETTH1_SHORT), ROW("etth1", 192, ETTH1_SHORT), ROW("etth1", 336, ETTH1_LONG),
    ROW("etth1", 720, ETTH1_LONG),
    FOUR("etth2", "kind=etth " SMALL), FOUR("ettm1", "kind=ettm " SMALL), FOUR("ettm2", "kind=ettm " SMALL),
    ROW("exchange", 96, "kind=custom " SMALL), ROW("exchange", 192, "kind=custom " SMALL),
    ROW("exchange", 336, "kind=custom epochs=1 " SMALL), ROW("exchange", 720, "kind=custom " SMALL),
    FOUR("weather", "kind=custom aggregate=keep " SIZE(3, 512, 512) FIT(32, 1e-4) NORM HOURLY),
    FOUR("ecl", "kind=custom " SIZE(3, 512, 512) FIT(16, 5e-4) NORM HOURLY),
    FOUR("traffic", "kind=custom " SIZE(4, 512, 512) FIT(16, 1e-3) NORM HOURLY),
    FOUR("solar", "kind=solar " SIZE(2, 512, 512) FIT(32, 5e-4) NORM NO_MARKS),
    ROW("pems03", 12, PEMS03), ROW("pems03", 24, PEMS03), ROW("pems03", 48, PEMS03), ROW("pems03", 96, PEMS03),
    ROW("pems04", 12, PEMS04), ROW("pems04", 24, PEMS04), ROW("pems04", 48, PEMS04), ROW("pems04", 96, PEMS04),
    ROW("pems07", 12, PEMS07_SHORT), ROW("pems07", 24, PEMS07_SHORT), ROW("pems07", 48, PEMS_LONG),
    ROW("pems07", 96, PEMS_LONG),
    ROW("pems08", 12, PEMS08_SHORT), ROW("pems08", 24, PEMS08_SHORT), ROW("pems08", 48, PEMS_LONG),
    ROW("pems08", 96, PEMS_LONG),
    { "mac", MAC "batch-size=256 seq-len=96 d-model=192 d-ff=512 " },
    { "mac-m1", MAC "batch-size=256 seq-len=96 d-model=192 d-ff=768 " },
    { "mac-m2", MAC "batch-size=512 seq-len=96 d-model=256 d-ff=1024 " },
    { "mac-m3", MAC "batch-size=768 seq-len=96 d-model=320 d-ff=1280 " },
};
enum { PRESETS = sizeof presets / sizeof *presets };

const char *forecast_preset_name(int64_t i) { return i >= 0 && i < PRESETS ? presets[i].name : NULL; }

/* Sets one "option=value" unless the user gave that option. A preset's words are our own: they always parse. */
static tide_status apply_setting(forecast_options *o, const char *word, size_t length, tide_failure *failure) {
    char name[64], *value;
    snprintf(name, sizeof name, "%.*s", (int)length, word);
    value    = strchr(name, '=');
    *value++ = 0;
    return forecast_option_given(o, name) ? TIDE_OK : tide_option_put(forecast_table(), o, name, value, failure);
}

tide_status forecast_preset(forecast_options *o, const char *name, tide_failure *failure) {
    failure_clear(failure);
    const preset *found = NULL;
    if (!o || !name)
        return fail(failure, TIDE_EINVAL, o ? "there is no name of a preset" : "there are no options to set");
    char now[sizeof o->preset] = "";
    option_plain(forecast_option_find("preset"), name, now, sizeof now);
    for (int i = 0; i < PRESETS && !found; i++)
        if (!strcmp(presets[i].name, now)) found = &presets[i];
    if (!found)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "preset",
                       "there is no preset '%s': a published set and horizon such as etth1-96, or mac, mac-m1, "
                       "mac-m2, mac-m3", name);
    tide_status status = TIDE_OK;
    for (const char *word = found->settings; status == TIDE_OK && *word; word += strspn(word, " ")) {
        size_t length = strcspn(word, " ");
        status        = apply_setting(o, word, length, failure);
        word += length;
    }
    if (status == TIDE_OK) snprintf(o->preset, sizeof o->preset, "%s", now);
    return status;
}
