/* tidemill machine: what this machine is, and what training on it should look like. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "machine/machine.h"

enum { MEASURE_NOT, MEASURE_ONCE, MEASURE_AGAIN };
typedef struct target {
    char device[32];
    int  measure;
} target;

static const tide_option rows[] = {
    CLI_ROW_DEVICE(target, "whose rates and sizes are shown; another than cpu is measured if nothing is kept"),
    { "measure", TIDE_OPTION_CHOICE(target, measure, "no|once|again"), NULL, 0, "Machine", NULL,
      "measure products, memory and program start (under 3 s) and keep the result; again: even if one is kept",
      .bare = "once" },
};
static const tide_option_table options = TIDE_OPTION_TABLE(target, rows);

static const tide_option_table *table(void) { return &options; }

/* Work that is not ours makes the machine look slow. */
static void warn_if_busy(const machine *m) {
    double load;
    if (getloadavg(&load, 1) == 1 && load > 0.5 * m->processors)
        warn("warning: this machine is busy (load %.1f): what is measured now may be low; `measure` again when it is "
             "idle",
             load);
}

/* Nothing makes a machine faster than it is: the better figures are the true ones. */
static tide_status stay_with(const machine *m, const machine_rates *kept, machine_rates *rates) {
    char path[1024] = "";
    machine_rates_path(m, path, NULL);
    warn("warning: this machine is busy: products run at %.0f GFLOP/s and memory at %.1f GB/s now, %.0f and %.1f were "
         "measured at %s, which "
         "is kept; delete %s if the machine has changed",
         rates->gflops[MACHINE_F32], rates->bandwidth_gbs, kept->gflops[MACHINE_F32], kept->bandwidth_gbs,
         kept->measured_at, path);
    *rates = *kept;
    return TIDE_OK;
}

/* What cannot be kept is still told. */
static tide_status measure(const cli_call *call, const machine *m, machine_rates *rates, tide_failure *failure) {
    tide_failure unkept = { 0 };
    machine_rates kept;
    bool had = machine_rates_read(m, &kept, NULL) == TIDE_OK;
    warn_if_busy(m);
    if (!call->quiet) progress_line("measuring");
    tide_status status = machine_measure(m, rates, failure);
    progress_end();
    if (status == TIDE_OK && had && machine_rates_busy(rates, &kept)) return stay_with(m, &kept, rates);
    if (status == TIDE_OK && machine_rates_write(m, rates, &unkept) != TIDE_OK)
        warn("warning: the measurement is not kept: %s", unkept.message);
    return status;
}

static tide_status find_rates(const cli_call *call, const machine *m, machine_rates *rates, tide_failure *failure) {
    int how = ((const target *)call->target)->measure;
    tide_failure unread = { 0 };
    tide_status  kept = how == MEASURE_AGAIN ? TIDE_EIO : machine_rates_read(m, rates, &unread);
    if (kept == TIDE_OK) return TIDE_OK;
    if (kept == TIDE_EDATA)
        warn("warning: %s; %s", unread.message, how ? "measuring again" : "`measure` measures again");
    if (how || !machine_on_cpu(m)) return measure(call, m, rates, failure);
    machine_estimate(m, rates);
    return TIDE_OK;
}

static int run(cli_call *call) {
    machine        here;
    machine_rates  rates;
    machine_advice advice;
    tide_failure   failure = { 0 };
    machine_detect(NULL, &here);
    if (tide_device_info(((const target *)call->target)->device, &here.device, &failure) != TIDE_OK ||
        find_rates(call, &here, &rates, &failure) != TIDE_OK)
        return report_failure(&failure, call->json);
    machine_advise(&here, &rates, &advice);
    char *text = call->json ? machine_json(&here, &rates, &advice) : machine_text(&here, &rates, &advice);
    if (!text) return report_failure(&(tide_failure){ .status = TIDE_ENOMEM, .message = "out of memory" }, call->json);
    int code = call->json ? print_result(text, true) : print_page(text);
    free(text);
    return code;
}

const cli_command command_machine = {
    .name = "machine", .words = "", .summary = "show what this machine is, what sizes and threads suit it, and why",
    .more = "For Apple's chips the sizes are those of the Mac and the MLX guide (docs/machine.md). Elsewhere they "
            "follow from the speed\nof the machine: measured once with --measure and kept, or else estimated.\n\n"
            "oneDNN multiplies where it is found; TIDEMILL_ONEDNN=FILE names it, TIDEMILL_ONEDNN=none does without.\n\n"
            "  tidemill machine\n  tidemill machine --measure --json\n"
            "  tidemill machine --device opencl\n",
    .files = "~/.cache/tidemill: the rates of this machine, once measured\n",
    .rows = { { table, 0, 0 } }, .target_size = sizeof(target), .run = run,
};
