/* BioLogic .mpr: binary modules, of which "VMP data" has columns by number and rows without gaps, little endian. */
#include "frames.h"

#include <string.h>

static const char magic[] = "BIO-LOGIC MODULAR FILE\x1a";
enum { MAGIC = 52, NAMES = 6 + 10 + 25, COLUMNS_MOST = 255, WIDEST = 8 };
enum { ID_FREQUENCY = 32, ID_RE = 37, ID_MINUS_IM = 38, ID_CYCLE = 24 };

bool mpr_is(const unsigned char *b, size_t size) { return size > MAGIC && memcmp(b, magic, sizeof magic - 1) == 0; }

static uint32_t u32(const unsigned char *b) {
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static double f32(const unsigned char *b) {
    uint32_t bits = u32(b);
    float v;
    memcpy(&v, &bits, sizeof v);
    return (double)v;
}

static double f64(const unsigned char *b) {
    uint64_t bits = (uint64_t)u32(b) | (uint64_t)u32(b + 4) << 32;
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Columns whose numbers differ by 256 are of one kind. */
static const struct width {
    unsigned char from, to, bytes;
} widths[] = {
    { 4, 4, 8 },     { 5, 6, 4 },     { 7, 7, 8 },     { 8, 9, 4 },     { 11, 11, 8 },   { 13, 13, 8 },
    { 15, 20, 4 },   { 23, 24, 8 },   { 26, 27, 4 },   { 32, 38, 4 },   { 39, 39, 2 },   { 45, 46, 4 },
    { 69, 70, 4 },   { 74, 74, 8 },   { 75, 78, 4 },   { 96, 101, 4 },  { 105, 106, 4 }, { 110, 116, 8 },
    { 123, 126, 8 }, { 131, 131, 2 }, { 135, 136, 4 }, { 163, 169, 4 }, { 172, 179, 4 }, { 182, 182, 8 },
    { 185, 185, 4 }, { 206, 206, 4 }, { 211, 211, 8 }, { 212, 213, 4 }, { 215, 225, 4 }, { 230, 241, 4 },
    { 248, 249, 4 }, { 253, 253, 1 },
};

enum { UNKNOWN = 0, SHARED = -1 };
/* Bytes of a column. Flags share those of the first. */
static int width_of(unsigned id, bool *flag_seen) {
    static const unsigned char flags[] = { 1, 2, 3, 21, 31, 65 };
    if (id <= 255 && memchr(flags, (int)id, sizeof flags)) {
        bool first = !*flag_seen;
        *flag_seen = true;
        return first ? 1 : SHARED;
    }
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++)
        if ((id & 255) >= widths[k].from && (id & 255) <= widths[k].to) return widths[k].bytes;
    return UNKNOWN;
}

typedef struct module {
    const unsigned char *body;
    size_t size;
    uint32_t version;
} module;

/* The module at *at, which moves behind it; false: there is none. */
static bool next_module(const unsigned char *b, size_t size, size_t *at, module *m, bool *is_data) {
    size_t head = *at + NAMES;
    if (size < *at + NAMES + 4 || memcmp(b + *at, "MODULE", 6) != 0) return false;
    bool newer = u32(b + head) == 0xffffffffu; /* EC-Lab 11.50 and later */
    size_t begin = head + (newer ? 24 : 16);
    if (size < begin) return false;
    size_t length = u32(b + head + (newer ? 4 : 0));
    *m = (module){ b + begin, length, u32(b + head + (newer ? 8 : 4)) };
    *is_data = memcmp(b + *at + 6, "VMP data", 8) == 0;
    *at = begin + length;
    return length <= size - begin;
}

/* Three layouts of the list of columns, and where the rows begin. */
typedef struct columns {
    int count, row, at[256]; /* bytes of a row; where in it, by the number's low byte, -1: nowhere */
    size_t each, data;
    bool high_first;
} columns;

static tide_status read_layout(reading *r, const module *m, columns *c) {
    bool spread = m->version == 0 && m->size > 5 && m->body[5] == 0;
    *c = (columns){ .count = m->size > 5 ? m->body[4] : 0, .high_first = spread };
    c->each = m->version == 0 && !spread ? 1 : 2;
    c->data = m->version == 0 ? (spread ? 1007 : 100) : m->version == 2 ? 405 : 406;
    if (m->version != 0 && m->version != 2 && m->version != 3)
        return reading_fail(r, 0, NULL, "version %u of the .mpr data is not known here; export it as text (.mpt)",
                            m->version);
    if (m->size < c->data || 5 + c->each * (size_t)c->count > c->data)
        return reading_fail(r, 0, NULL, "the data of this .mpr file are cut short");
    return TIDE_OK;
}

static unsigned column_number(const module *m, const columns *c, int i) {
    const unsigned char *b = m->body + 5 + c->each * (size_t)i;
    return c->each == 1 ? b[0] : c->high_first ? (unsigned)(b[0] << 8 | b[1]) : (unsigned)(b[0] | b[1] << 8);
}

/* Known widths leave what one column that is not known must have. */
static tide_status find_widths(reading *r, const module *m, columns *c, size_t row, int *width) {
    bool flag_seen = false;
    int unknown = -1;
    size_t known = 0;
    for (int i = 0; i < c->count; i++) {
        width[i] = width_of(column_number(m, c, i), &flag_seen);
        if (width[i] == UNKNOWN && unknown >= 0)
            return reading_fail(
                r, 0, NULL, "column numbers %u and %u of this .mpr file are not known here; export it as text (.mpt)",
                column_number(m, c, unknown), column_number(m, c, i));
        if (width[i] == UNKNOWN) unknown = i;
        if (width[i] > 0) known += (size_t)width[i];
    }
    bool fits = unknown < 0 ? known == row : known < row && row <= known + WIDEST;
    if (!fits && unknown >= 0)
        return reading_fail(r, 0, NULL,
                            "column number %u of this .mpr file is not known here; export it as text (.mpt)",
                            column_number(m, c, unknown));
    if (!fits)
        return reading_fail(r, 0, NULL,
                            "the columns of this .mpr file do not fill its rows: it is damaged or cut short");
    if (unknown >= 0) width[unknown] = (int)(row - known);
    return TIDE_OK;
}

static tide_status place_columns(reading *r, const module *m, columns *c, uint32_t points) {
    int width[COLUMNS_MOST];
    size_t bytes = m->size - c->data;
    if (points == 0 || bytes % points != 0)
        return reading_fail(r, 0, NULL, "%u points do not fill the data of this .mpr file: it is damaged or cut short",
                            points);
    tide_status status = find_widths(r, m, c, bytes / points, width);
    memset(c->at, -1, sizeof c->at);
    for (int i = 0; i < c->count && status == TIDE_OK; i++) {
        int *at = &c->at[column_number(m, c, i) & 255];
        if (width[i] == SHARED) continue;
        if (*at < 0) *at = c->row;
        c->row += width[i];
    }
    return status;
}

static tide_status read_rows(reading *r, const module *m, const columns *c, uint32_t points) {
    tide_status status = reading_begin_sweep(r, "");
    double cycle = 0;
    for (uint32_t i = 0; i < points && status == TIDE_OK; i++) {
        const unsigned char *row = m->body + c->data + (size_t)i * (size_t)c->row;
        point one = { .freq_hz = f32(row + c->at[ID_FREQUENCY]),
                      .line = (int64_t)i + 1,
                      .z = { f32(row + c->at[ID_RE]), -f32(row + c->at[ID_MINUS_IM]) } };
        double now = c->at[ID_CYCLE] >= 0 ? f64(row + c->at[ID_CYCLE]) : 0;
        if (one.freq_hz == 0) r->resting++;
        else if (!(one.freq_hz > 0) || one.z.re - one.z.re != 0 || one.z.im - one.z.im != 0 ||
                 one.freq_hz - one.freq_hz != 0 || (one.z.re == 0 && one.z.im == 0))
            status = reading_fail(r, 0, NULL, "point %u has no usable frequency and impedance", i + 1);
        else {
            if (r->count > 0 && now != cycle) status = reading_begin_sweep(r, "");
            if (status == TIDE_OK) status = reading_add(r, &one);
            cycle = now;
        }
    }
    return status;
}

static tide_status read_data(reading *r, const module *m) {
    columns c;
    uint32_t points = u32(m->body);
    tide_status status = read_layout(r, m, &c);
    if (status == TIDE_OK) status = place_columns(r, m, &c, points);
    if (status != TIDE_OK) return status;
    if (c.at[ID_FREQUENCY] < 0 || c.at[ID_RE] < 0 || c.at[ID_MINUS_IM] < 0)
        return reading_fail(r, 0, NULL,
                            "this .mpr file has no impedance: freq/Hz, Re(Z)/Ohm and -Im(Z)/Ohm are needed");
    return read_rows(r, m, &c, points);
}

tide_status mpr_read(reading *r, const unsigned char *bytes, size_t size) {
    size_t at = MAGIC;
    module m;
    bool is_data;
    r->sign_stated = true;
    while (at < size && next_module(bytes, size, &at, &m, &is_data))
        if (is_data)
            return m.size < 6 ? reading_fail(r, 0, NULL, "the data of this .mpr file are cut short") : read_data(r, &m);
    return reading_fail(r, 0, NULL, "this .mpr file has no module of data, or it is cut short");
}
