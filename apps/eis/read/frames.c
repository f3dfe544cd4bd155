/* Which instrument wrote a text, told by what stands in it and never by the file's name. */
#include "frames.h"

#include <stdio.h>

#include "table.h"

enum { HEAD = 8192 };  /* characters in which a mark must stand */

static slice head_of(const page *p) { return (slice){ p->memory, (int64_t)MIN2(p->length, (size_t)HEAD) }; }

static slice first_line(const page *p) {
    for (int64_t i = 0; i < p->count; i++)
        if (!slice_is_blank(p->line[i])) return slice_trim(p->line[i]);
    return (slice){ "", 0 };
}

/* Those that read more than tables. `begins`: the mark opens the file. */
static const struct { const char *mark; bool begins; tide_status (*read)(reading *, const page *); } frames[] = {
    { "EXPLAIN", true, gamry_read },
    { "VERSION", true, dfr_read },
    { "{", true, palmsens_read },
    { "primary_data", false, ivium_read },
    { "COMSOL", false, comsol_read },
};

/* Files whose imaginary part has the sign that its name says, however odd it looks. */
static const char *const signed_marks[] = {
    "EC-Lab ASCII FILE", "BT-Lab ASCII FILE", "ZPLOT2 ASCII", "ZPlotW Data File", "Z60W Data File", "VersaStudio",
    "Instrument Model:", "Elapsed Time (s)", "EXPLAIN",
};

static bool says_dfr(const page *p) {
    return p->count > 1 && cell_is_number(slice_trim(p->line[1]), DECIMAL_OPEN);
}

static bool is_frame(size_t k, const page *p) {
    if (frames[k].read == dfr_read && !says_dfr(p)) return false;
    if (frames[k].read == palmsens_read && slice_find(head_of(p), "measurement") < 0) return false;
    if (frames[k].read == ivium_read) {
        for (int64_t i = 0; i < p->count; i++)
            if (slice_find(p->line[i], frames[k].mark) >= 0) return true;
        return false;
    }
    return frames[k].begins ? slice_begins(first_line(p), frames[k].mark) : slice_find(head_of(p), frames[k].mark) >= 0;
}

tide_status page_points(reading *r, const page *p) {
    for (size_t i = 0; i < sizeof signed_marks / sizeof *signed_marks; i++)
        r->sign_stated |= slice_find(head_of(p), signed_marks[i]) >= 0;
    for (size_t k = 0; k < sizeof frames / sizeof *frames; k++)
        if (is_frame(k, p)) return frames[k].read(r, p);
    return tables_read(r, p, 0, p->count);
}

/* ---- Gamry .DTA ---- */

/* "ZCURVE<TAB>TABLE": where the name ends; 0: it is no such line. */
static int64_t table_name(slice line) {
    int64_t tab = 0;
    while (tab < line.length && line.text[tab] != '\t') tab++;
    return tab > 0 && slice_begins((slice){ line.text + tab, line.length - tab }, "\tTABLE") ? tab : 0;
}

static int64_t table_end(const page *p, int64_t i) {
    for (i++; i < p->count; i++)
        if (p->line[i].length > 0 && p->line[i].text[0] != '\t') break;
    return i;
}

static tide_status no_curve(reading *r, const char *list) {
    return reading_fail(r, 0, "ZCURVE",
                        "this Gamry file has no table ZCURVE, which holds the impedance; its tables are %s",
                        *list ? list : "none");
}

tide_status gamry_read(reading *r, const page *p) {
    char        list[200] = "";
    tide_status status = TIDE_OK;
    int64_t     curves = 0;
    for (int64_t i = 0; i < p->count && status == TIDE_OK; i++) {
        int64_t length = table_name(p->line[i]);
        if (!length) continue;
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%.*s", used ? ", " : "", (int)MIN2(length, 40), p->line[i].text);
        if (length != 6 || !slice_begins(p->line[i], "ZCURVE")) continue;
        curves++;
        status = tables_read(r, p, i + 1, table_end(p, i));
    }
    return status == TIDE_OK && !curves ? no_curve(r, list) : status;
}

/* ---- COMSOL ---- */

tide_status comsol_read(reading *r, const page *p) {
    int64_t before = r->count;
    reading_note(r, "a table of COMSOL: its columns were read as frequency, Re(Z) and -Im(Z)");
    tide_status status = tables_read(r, p, 0, p->count);
    for (int64_t i = before; status == TIDE_OK && !r->sign_stated && i < r->count; i++)
        r->point[i].z.im = -r->point[i].z.im;
    r->sign_stated = true;
    return status;
}
