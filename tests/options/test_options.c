/* A table of every kind of row, and the tables of both applications: text, defaults, JSON, older spellings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <tidemill/eis.h>
#include <tidemill/forecast.h>

#include "options/options.h"

enum { A = 1, B = 2 };
typedef struct things {
    bool    flag, on;
    int64_t whole;
    double  real;
    int     choice, resume;
    char    text[8], lines[16];
    bool    given[8];
} things;
static const tide_option rows[] = {
    { "flag", TIDE_OPTION_BOOL(things, flag), NULL, A, "Group", NULL, "a switch" },
    { "on", TIDE_OPTION_BOOL(things, on), "true", A, "Group", NULL, "another" },
    { "whole-number", TIDE_OPTION_INT(things, whole, -1, 9), "5", A, "Group", "N", "what it is", .aliases = "n|whole" },
    { "real", TIDE_OPTION_REAL(things, real, 0, 1), "0.1", A | B, "Group", "X", "what it is" },
    { "choice", TIDE_OPTION_CHOICE(things, choice, "a|bb|b-c"), "bb", A, "Group", NULL, "what it is",
      .synonyms = "other=b-c|x=a" },
    { "resume", TIDE_OPTION_CHOICE(things, resume, "no|auto|must"), NULL, A | TIDE_OPTION_PLACE, "Group", NULL,
      "what it is", .bare = "must" },
    { "text", TIDE_OPTION_TEXT(things, text), "abc", B, "Group", "FILE", "what it is", .synonyms = "old-one=z|was=y" },
    { "lines", TIDE_OPTION_LIST(things, lines), NULL, B | TIDE_OPTION_HIDDEN, "Group", "FILE", "what it is" },
};
static const tide_option_table table = { rows, sizeof rows / sizeof *rows, sizeof(things), offsetof(things, given) };

static tide_status set(things *t, const char *name, const char *text, const char *says) {
    tide_failure f = { 0 };
    tide_status  status = tide_option_set(&table, t, name, text, &f);
    if (says && !strstr(f.message, says)) fail_msg("%s %s: \"%s\" does not say \"%s\"", name, text, f.message, says);
    if (says) assert_false(!strncmp(f.message, "--", 2));
    return status;
}

static void test_defaults(void **state) {
    things t;
    (void)state;
    memset(&t, 0xff, sizeof t);
    tide_options_default(&table, &t);
    assert_true(!t.flag && t.on && t.whole == 5 && t.real == 0.1 && t.choice == 1 && t.resume == 0);
    assert_true(!strcmp(t.text, "abc") && !*t.lines);
    for (int i = 0; i < 8; i++) assert_false(t.given[i]);
    assert_int_equal(tide_options_check(&table, &t, NULL), TIDE_OK);
}

static void test_set(void **state) {
    things t;
    (void)state;
    tide_options_default(&table, &t);
    assert_int_equal(set(&t, "flag", NULL, NULL), TIDE_OK);
    assert_int_equal(set(&t, "on", "False", NULL), TIDE_OK);
    assert_int_equal(set(&t, "n", "-1", NULL), TIDE_OK);
    assert_int_equal(set(&t, "choice", "other", NULL), TIDE_OK);
    assert_true(t.flag && !t.on && t.whole == -1 && t.choice == 2);
    assert_int_equal(set(&t, "choice", "b_c", NULL), TIDE_OK);
    assert_int_equal(set(&t, "whole_number", "9", NULL), TIDE_OK);
    assert_true(t.choice == 2 && t.whole == 9);
    assert_true(tide_option_given(&table, &t, "whole") && tide_option_given(&table, &t, "choice"));
    assert_false(tide_option_given(&table, &t, "real") || tide_option_given(&table, &t, "none-such"));
    assert_int_equal(tide_option_put(&table, &t, "real", "1", NULL), TIDE_OK);
    assert_true(t.real == 1 && !tide_option_given(&table, &t, "real"));
    assert_int_equal(set(&t, "lines", "a.csv", NULL) | set(&t, "lines", "b.csv", NULL), TIDE_OK);
    assert_string_equal(t.lines, "a.csv\nb.csv");
}

/* A word has another name now: of a choice, and in a text that is a list with commas. What is held is today's. */
static void test_synonyms(void **state) {
    static const char *const said[][2] = {
        { "was", "y" }, { "old_one,was", "z,y" }, { "b,old-one", "b,z" }, { "was,,b", "y,,b" }, { ",was,", ",y," },
        { "wa", "wa" }, { "wass", "wass" }, { "", "" }, { "old-one,was,old-one", "z,y,z" },
    };
    things t;
    (void)state;
    tide_options_default(&table, &t);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        assert_int_equal(set(&t, "text", said[i][0], NULL), TIDE_OK);
        assert_string_equal(t.text, said[i][1]);
    }
    assert_int_equal(set(&t, "text", "was,1234,was", "longer than 7"), TIDE_EINVAL);
    assert_int_equal(set(&t, "text", "was,123,was", NULL), TIDE_OK); /* 7 bytes as it is held */
    json_t *was = json_pack("{s:s, s:s}", "text", "old-one,b", "choice", "other"), *now = options_updated(&table, was);
    assert_string_equal(json_string_value(json_object_get(now, "text")), "z,b");
    assert_string_equal(json_string_value(json_object_get(now, "choice")), "b-c");
    json_decref(was), json_decref(now);
}

/* Every option of the guides: what earlier versions wrote is what this one writes. */
static void test_guides(void **state) {
    static const struct { bool eis; const char *name, *was, *now; } words[] = {
        { false, "compat", "marks-hourly,guide", "marks-hourly,mac" }, { false, "preset", "guide-m2", "mac-m2" },
        { false, "lradj", "guide-type1", "mac-type1" },                { false, "lradj", "guide-cosine", "mac-cosine" },
        { true, "compat", "guide", "mlx" },                            { true, "compat-guide", "yes", "mlx" },
        { true, "compat-guide", "guide", "mlx" },                      { true, "masks", "guide", "mlx" },
        { true, "lradj", "guide-type2", "mac-type2" },                 { true, "lradj", "guide-slower", "mac-slower" },
    };
    static forecast_options f;
    static eis_options      e;
    char                    text[256], json[256];
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const tide_option_table *t = words[i].eis ? eis_table() : forecast_table();
        void                    *o = words[i].eis ? (void *)&e : (void *)&f;
        const tide_option       *row = tide_option_find(t, words[i].name);
        tide_options_default(t, o);
        assert_int_equal(tide_option_set(t, o, words[i].name, words[i].was, NULL), TIDE_OK);
        assert_string_equal(tide_option_get(o, row, text, sizeof text), words[i].now);
        tide_options_default(t, o);
        snprintf(json, sizeof json, "{\"format_version\": 1, \"options\": {\"%s\": \"%s\"}}", words[i].name,
                 words[i].was);
        assert_int_equal(tide_options_from_json(t, o, json, NULL), TIDE_OK);
        assert_string_equal(tide_option_get(o, row, text, sizeof text), words[i].now);
        if (!strcmp(words[i].was, "yes")) continue;
        json_t *was = json_pack("{s:s}", words[i].name, words[i].was), *now = options_updated(t, was);
        assert_string_equal(json_string_value(json_object_get(now, row->name)), words[i].now);
        json_decref(was), json_decref(now);
    }
    assert_true(EIS_COMPAT_GUIDE == EIS_COMPAT_MLX && EIS_MASKS_GUIDE == EIS_MASKS_MLX);
}

/* A switch that became a choice takes what a switch takes. */
static void test_bare(void **state) {
    static const struct { const char *text; int value; } said[] = {
        { NULL, 2 }, { "yes", 2 }, { "true", 2 },  { "auto", 1 },
        { "no", 0 }, { "off", 0 }, { "False", 0 }, { "must", 2 },
    };
    things t;
    (void)state;
    tide_options_default(&table, &t);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        assert_int_equal(set(&t, "resume", said[i].text, NULL), TIDE_OK);
        assert_int_equal(t.resume, said[i].value);
    }
}

static void test_refused(void **state) {
    static const char *const refused[][3] = {
        { "flag", "maybe", "`flag` is yes or no, not 'maybe'" },
        { "whole", "10", "`whole-number` is a whole number from -1 to 9, not '10'" },
        { "whole", "1.5", "whole number" }, { "whole", "", "whole number" }, { "whole", NULL, "needs a value" },
        { "real", "nan", "a number from 0 to 1" }, { "real", "inf", "a number" }, { "real", "1e-1x", "a number" },
        { "choice", "c", "`choice` is one of a, bb, b-c, not 'c'" }, { "choice", "b", "one of" },
        { "choice", "", "one of" },
        { "resume", "perhaps", "one of no, auto, must" },
        { "text", "12345678", "`text` is longer than 7 bytes" }, { "lines", "a\nb", "line break" },
        { "lines", "123456789012345", "too many" }, { "rael", "1", "did you mean `real`?" },
        { "zzzz", "1", "no option 'zzzz'" },
    };
    things t, before;
    (void)state;
    tide_options_default(&table, &t);
    before = t;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(set(&t, refused[i][0], refused[i][1], refused[i][2]), TIDE_EINVAL);
    assert_memory_equal(&t, &before, sizeof t);
}

static void test_check(void **state) {
    things t;
    tide_failure f;
    (void)state;
#define BAD(change, option)                                                                       \
    tide_options_default(&table, &t), f = (tide_failure){ 0 };                                     \
    change;                                                                                        \
    assert_int_equal(tide_options_check(&table, &t, &f), TIDE_EINVAL), assert_string_equal(f.column, option)
    BAD(t.whole = 10, "whole-number");
    BAD(t.real = NAN, "real");
    BAD(t.choice = 3, "choice");
    BAD(t.choice = -1, "choice");
    BAD(memset(t.text, 'x', sizeof t.text), "text");
    BAD(memset(t.lines, 'x', sizeof t.lines), "lines");
}

static void test_find(void **state) {
    char buffer[32];
    (void)state;
    assert_ptr_equal(tide_option_find(&table, "whole_number"), &rows[2]);
    assert_ptr_equal(tide_option_find(&table, "n"), &rows[2]);
    assert_null(tide_option_find(&table, "whol"));
    assert_string_equal(tide_option_nearest(&table, "whole-numbr", A), "whole-number");
    assert_null(tide_option_nearest(&table, "whole-numbr", B));
    assert_null(tide_option_nearest(&table, "line", A | B)); /* hidden */
    assert_string_equal(tide_word_nearest("bbb", "a|bb|b-c", buffer, sizeof buffer), "bb");
    assert_null(tide_word_nearest("zzz", "a|bb|b-c", buffer, sizeof buffer));
}

static void test_json(void **state) {
    things t, again;
    (void)state;
    tide_options_default(&table, &t);
    set(&t, "whole", "3", NULL), set(&t, "lines", "a", NULL), set(&t, "lines", "b,c", NULL), set(&t, "on", "no", NULL);
    set(&t, "text", "x", NULL), set(&t, "real", "0.3", NULL), set(&t, "choice", "a", NULL);
    char *json = tide_options_json(&table, &t, A | B, TIDE_OPTION_PLACE);
    assert_non_null(json);
    assert_null(strstr(json, "resume"));
    tide_options_default(&table, &again);
    assert_int_equal(tide_options_from_json(&table, &again, json, NULL), TIDE_OK);
    memset(t.given, 0, sizeof t.given), memset(again.given, 0, sizeof again.given);
    assert_memory_equal(&t, &again, sizeof t);
    free(json);
}

/* What a run.json says, in each shape that there was. */
static void test_run_json(void **state) {
    static const char *const runs[] = {
        "{\"format_version\": 1, \"command\": \"eis train\", \"options\": {\"n-epochs\": 7, \"n-workers\": 3, "
        "\"compat-guide\": true, \"resume\": true, \"out\": \"x\", \"gone\": 1, \"learning-rate\": 0.25}}",
        "{\"format_version\": 1, \"command\": \"eis train\", \"n_epochs\": 7, \"learning_rate\": 0.25, \"width\": 32, "
        "\"choices\": {}, \"version\": \"0.1.0\"}",
    };
    tide_failure f = { 0 };
    eis_options *o = eis_options_new();
    (void)state;
    for (int i = 0; i < 2; i++) {
        eis_options_default(o);
        assert_int_equal(tide_options_from_json(eis_table(), o, runs[i], &f), TIDE_OK);
        assert_true(o->epochs == 7 && o->learning_rate == 0.25 && !*o->out && !o->resume);
        assert_true(i ? o->hidden_dim == 32 : o->threads == 3 && o->compat == EIS_COMPAT_MLX);
    }
    assert_int_equal(tide_options_from_json(eis_table(), o, "{\"gone\": 1}", &f), TIDE_EINVAL);
    assert_string_equal(f.column, "gone");
    eis_options_free(o);
}

static void test_updated(void **state) {
    json_t *was = json_pack("{s:i, s:b, s:b, s:i}", "n-epochs", 7, "resume", 1, "compat-guide", 0, "gone", 1),
           *now = options_updated(eis_table(), was);
    (void)state;
    assert_int_equal(json_integer_value(json_object_get(now, "epochs")), 7);
    assert_string_equal(json_string_value(json_object_get(now, "resume")), "auto");
    assert_string_equal(json_string_value(json_object_get(now, "compat")), "none");
    assert_true(json_is_true(json_object_get(now, "compile"))); /* came later */
    assert_null(json_object_get(now, "n-epochs"));
    assert_int_equal(json_integer_value(json_object_get(now, "gone")), 1);
    json_decref(was), json_decref(now);
}

/* Of a table: no name twice, every default what its row accepts and reads back as. */
static void check_table(const tide_option_table *t) {
    char buffer[8192];
    char *o = malloc(t->size);
    tide_options_default(t, o);
    assert_int_equal(tide_options_check(t, o, NULL), TIDE_OK);
    for (int64_t i = 0; i < t->count; i++) {
        const tide_option *row = &t->rows[i];
        assert_ptr_equal(tide_option_find(t, row->name), row);
        assert_true(row->help && *row->help && row->group && *row->group);
        assert_null(strstr(row->help, "--"));
        const char *value = tide_option_get(o, row, buffer, sizeof buffer), *alias;
        if (row->standard) assert_string_equal(value, row->standard);
        if (row->flags & TIDE_OPTION_COMMAND_ON) assert_string_equal(value, "false");
        if (row->bare) assert_int_equal(option_put(o, row, NULL, NULL), TIDE_OK);
        for (int k = 0, n; (n = option_word(row->aliases, k, &alias)); k++) {
            snprintf(buffer, sizeof buffer, "%.*s", n, alias);
            assert_ptr_equal(tide_option_find(t, buffer), row);
        }
    }
    free(o);
}

static void test_tables(void **state) {
    (void)state;
    check_table(&table), check_table(forecast_table()), check_table(eis_table());
    assert_int_equal(forecast_options_size(), sizeof(forecast_options));
    /* one spelling: what both have is of one type, with one set of names */
    for (int64_t i = 0; i < eis_table()->count; i++) {
        const tide_option *e = &eis_table()->rows[i], *f = forecast_option_find(e->name);
        if (f && strcmp(e->name, "compat")) assert_int_equal(e->type, f->type);
    }
    static const char *const old[] = { "n-epochs", "train-epochs", "n-workers", "workers", "lr", "run" };
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        assert_string_equal(eis_option_find(old[i])->name, forecast_option_find(old[i])->name);
}

/* What stands for a path or a device in help, and options that are known to name one in a part of their text. */
static bool names_resource(const tide_option *row) {
    static const char *const stand[] = { "FILE", "DIR", "RUN", "DEVICE" };
    static const char *const known[] = { "threads", "memory-limit", "memory-limit-mib", "sum", "ranks", "join" };
    for (size_t i = 0; row->metavar && i < sizeof stand / sizeof *stand; i++)
        if (strstr(row->metavar, stand[i])) return true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(row->name, known[i]) == 0) return true;
    return false;
}

/* A service leaves these rows out: one that lacked the flag would let a request read or write any file. */
static void test_resources(void **state) {
    const tide_option_table *const tables[] = { forecast_table(), eis_table(), eis_fit_table() };
    (void)state;
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (int64_t i = 0; i < tables[t]->count; i++) {
            const tide_option *row = &tables[t]->rows[i];
            if (names_resource(row) != !!(row->flags & TIDE_OPTION_RESOURCE))
                fail_msg("table %zu, option %s: named like a resource %d, flagged %d", t, row->name,
                         names_resource(row), !!(row->flags & TIDE_OPTION_RESOURCE));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_set),      cmocka_unit_test(test_synonyms),
        cmocka_unit_test(test_guides),   cmocka_unit_test(test_bare),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_check),    cmocka_unit_test(test_find),     cmocka_unit_test(test_json),
        cmocka_unit_test(test_run_json), cmocka_unit_test(test_updated),  cmocka_unit_test(test_tables),
        cmocka_unit_test(test_resources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
