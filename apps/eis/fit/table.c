/* The options of fits that no other command has. */
#include <tidemill/eis.h>

#define S eis_fit_options
#define TEXT(field) TIDE_OPTION_TEXT(S, field)

static const tide_option rows[] = {
    { "circuit", TEXT(circuit), "epithelial", 0, "Question", "CIRCUIT",
      "a circuit's name, or elements in series and parallel: R0-p(R1,CPE1)",
      .suggested = "auto|epithelial|epithelial-electrode|epithelial-cpe|epithelial-cpe-electrode|epithelial-lateral|"
                   "epithelial-lateral-electrode|membranes|barrier|electrode|randles|randles-cpe|randles-finite|"
                   "coating|battery" },
    { "weights", TIDE_OPTION_CHOICE(S, weights, "modulus|unit|proportional|statistical|normalised"), NULL, 0,
      "Question", NULL,
      "what a residual is divided by: |Z|, 1, its own part, its deviation, or the spectrum's largest part",
      .synonyms = "boukamp=modulus" },
    { "fix", TEXT(fix), NULL, 0, "Question", "NAME=VALUE,...", "hold parameters, or tie them: Rs=20,R2=R1,C2=2*C1" },
    { "range", TEXT(range), NULL, 0, "Question", "NAME=LOW..HIGH,...", "bounds: Rs=0..1k,CPE1_n=0.7..1" },
    { "robust", TIDE_OPTION_BOOL(S, robust), NULL, 0, "Question", NULL,
      "take residuals as Student's: outliers count little, and are named" },
    { "keep-points", TIDE_OPTION_BOOL(S, keep_points), NULL, 0, "Question", NULL,
      "fit outliers, mains and points with Re Z < 0 too, which are else left out; `robust` keeps them as well" },
    { "profile", TIDE_OPTION_BOOL(S, profile), NULL, 0, "Question", NULL,
      "95 % intervals by the profile of the objective" },
    { "posterior", TIDE_OPTION_BOOL(S, posterior), NULL, 0, "Question", NULL,
      "draws of the posterior: 95 % intervals, medians, correlations; with `out` posterior.csv" },
    { "seed", TIDE_OPTION_INT(S, seed, 0, 9e15), "42", 0, "Question", "N", "random seed of `posterior`" },
    { "prior", TEXT(prior), NULL, 0, "Question", "NAME=VALUE+-SD,...",
      "what is known beside the data, of a parameter or of a ratio: Rs=20+-1,Ra/Rb=4.8+-1" },
    { "blank", TEXT(blank), NULL, TIDE_OPTION_RESOURCE, "Question", "FILE",
      "a spectrum without cells: its resistance and electrode are in the fit, with their errors" },
    { "same", TEXT(same), NULL, 0, "Question", "NAME,...",
      "fit all spectra together, these parameters the same in all: Ra,Rb,Ca,Cb,Rs" },
    { "start", TEXT(start), NULL, 0, "Question", "NAME=VALUE,...", "one more start: none is needed" },
};
_Static_assert(sizeof rows / sizeof *rows <= EIS_MAX_FIT_OPTIONS, "eis_fit_options.given is too short");

static const tide_option_table table = { rows, sizeof rows / sizeof *rows, sizeof(S), offsetof(S, given) };

const tide_option_table *eis_fit_table(void) { return &table; }

void eis_fit_options_default(eis_fit_options *o) { tide_options_default(&table, o); }
