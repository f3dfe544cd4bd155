/* BioLogic .mpr: binary modules, of which "VMP data" has columns by number and rows without gaps, little endian. */
#include "frames.h"

#include <string.h>

static const char magic[] = "BIO-LOGIC MODULAR FILE\x1a";
enum { MAGIC = 52, NAMES = 6 + 10 + 25, COLUMNS_MOST = 255 };
enum { ID_FREQUENCY = 32, ID_RE = 37, ID_MINUS_IM = 38, ID_CYCLE = 24 };

bool mpr_is(const unsigned char *b, size_t size) {
    return size > MAGIC && memcmp(b, magic, sizeof magic - 1) == 0;
}

static uint32_t u32(const unsigned char *b) {
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static double f32(const unsigned char *b) {
    uint32_t bits = u32(b);
    float    v;
    memcpy(&v, &bits, sizeof v);
    return (double)v;
}

static double f64(const unsigned char *b) {
    uint64_t bits = (uint64_t)u32(b) | (uint64_t)u32(b + 4) << 32;
    double   v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Bytes of a column; 0: not known. Flags share one byte. */
static int width_of(unsigned id, bool *flag_seen) {
    static const unsigned char flags[]   = { 1, 2, 3, 21, 31, 65 }, shorts[] = { 39, 131 },
                               doubles[] = { 4, 7, 11, 13, 23, 24, 123, 124, 125, 126 },
                               floats[]  = { 5,  6,  8,  9,  19, 20, 32, 33,  34,
                                             35, 36, 37, 38, 76, 77, 169, 172, 174 };
    if (id > 255) return 0;
    if (memchr(doubles, (int)id, sizeof doubles)) return 8;
    if (memchr(floats, (int)id, sizeof floats)) return 4;
    if (memchr(shorts, (int)id, sizeof shorts)) return 2;
    if (!memchr(flags, (int)id, sizeof flags)) return 0;
    bool first = !*flag_seen;
    *flag_seen = true;
    return first ? 1 : -1; /* -1: no bytes of its own */
}

typedef struct module { const unsigned char *body; size_t size; uint32_t version; } module;

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

typedef struct columns { int count, row; int at[COLUMNS_MOST + 1]; size_t data; } columns;  /* at: by id, -1: none */

static tide_status place_column(reading *r, columns *c, unsigned id, bool *flag_seen) {
    int width = width_of(id, flag_seen);
    if (width == 0)
        return reading_fail(r, 0, NULL,
                            "column number %u of this .mpr file is not known here; export it as text (.mpt)", id);
    if (width > 0) c->at[id] = c->row, c->row += width;
    return TIDE_OK;
}

/* Three layouts of the list of columns, and where the rows begin. */
static tide_status read_columns(reading *r, const module *m, columns *c) {
    bool   flag_seen = false, spread = m->version == 0 && m->size > 5 && m->body[5] == 0;
    size_t each = m->version == 0 && !spread ? 1 : 2;
    *c = (columns){ .count = m->size > 5 ? m->body[4] : 0 };
    c->data = m->version == 0 ? (spread ? 1007 : 100) : m->version == 2 ? 405 : 406;
    for (int i = 0; i <= COLUMNS_MOST; i++) c->at[i] = -1;
    if (m->version != 0 && m->version != 2 && m->version != 3)
        return reading_fail(r, 0, NULL, "version %u of the .mpr data is not known here; export it as text (.mpt)",
                            m->version);
    if (m->size < c->data || 5 + each * (size_t)c->count > c->data)
        return reading_fail(r, 0, NULL, "the data of this .mpr file are cut short");
    tide_status status = TIDE_OK;
    for (int i = 0; i < c->count && status == TIDE_OK; i++) {
        const unsigned char *id = m->body + 5 + each * (size_t)i;
        unsigned number = each == 1 ? id[0] : spread ? (unsigned)(id[0] << 8 | id[1]) : (unsigned)(id[0] | id[1] << 8);
        status = place_column(r, c, number, &flag_seen);
    }
    return status;
}

static tide_status read_rows(reading *r, const module *m, const columns *c, uint32_t points) {
    tide_status status = reading_begin_sweep(r, "");
    double      cycle  = 0;
    for (uint32_t i = 0; i < points && status == TIDE_OK; i++) {
        const unsigned char *row = m->body + c->data + (size_t)i * (size_t)c->row;
        point one = { .freq_hz = f32(row + c->at[ID_FREQUENCY]), .line = (int64_t)i + 1,
                      .z = { f32(row + c->at[ID_RE]), -f32(row + c->at[ID_MINUS_IM]) } };
        double now = c->at[ID_CYCLE] >= 0 ? f64(row + c->at[ID_CYCLE]) : 0;
        if (one.freq_hz == 0) r->resting++;
        else if (!(one.freq_hz > 0) || one.z.re - one.z.re != 0 || one.z.im - one.z.im != 0
                 || one.freq_hz - one.freq_hz != 0 || (one.z.re == 0 && one.z.im == 0))
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
    columns     c;
    tide_status status = read_columns(r, m, &c);
    if (status != TIDE_OK) return status;
    if (c.at[ID_FREQUENCY] < 0 || c.at[ID_RE] < 0 || c.at[ID_MINUS_IM] < 0)
        return reading_fail(r, 0, NULL,
                            "this .mpr file has no impedance: freq/Hz, Re(Z)/Ohm and -Im(Z)/Ohm are needed");
    uint32_t points = u32(m->body);
    if (points > MOST_POINTS * 10 || (uint64_t)points * (uint64_t)c.row > m->size - c.data)
        return reading_fail(r, 0, NULL,
                            "%u points are more than this .mpr file has room for: it is damaged or cut short", points);
    return read_rows(r, m, &c, points);
}

tide_status mpr_read(reading *r, const unsigned char *bytes, size_t size) {
    size_t at = MAGIC;
    module m;
    bool   is_data;
    r->sign_stated = true;
    while (at < size && next_module(bytes, size, &at, &m, &is_data))
        if (is_data) return m.size < 6 ? reading_fail(r, 0, NULL, "the data of this .mpr file are cut short")
                                       : read_data(r, &m);
    return reading_fail(r, 0, NULL, "this .mpr file has no module of data, or it is cut short");
}
