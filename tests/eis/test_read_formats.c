/* One spectrum in the layouts of many instruments and in every dress that text has, each read back to its points; and
 * what is malformed, refused with its line. The layouts are built from their published descriptions. */
#include "base/base.h"
/* before cmocka, which has a macro of the name of one of its functions */
#include "read_support.h"

enum { COUNT = 7 };
static char   path[] = "/tmp/test_read_XXXXXX";
static double freq_hz[COUNT];
static eis_z  truth[COUNT];

static void make_truth(void) {
    for (int i = 0; i < COUNT; i++) freq_hz[i] = pow(10, 5 - i / 2.0);
    eis_impedance(EIS_SHUNT, example, 25, COUNT, freq_hz, truth);
}

static void write_bytes(const void *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size) fail_msg("cannot write %s", path);
    fclose(file);
}

static void write_string(const char *s) { write_bytes(s, strlen(s)); }

/* ---- rows by template ---- */

/* F: frequency, R, I: parts, N: minus the imaginary part, A: magnitude, L: its decimal logarithm, D, S: phase in
 * degrees, minus it, P: in radians, K: kilohertz, X: number of the row, V, W: deviations. Nine digits after the
 * first. */
static double value_of(char letter, int i) {
    double phase = atan2(truth[i].im, truth[i].re), size = hypot(truth[i].re, truth[i].im);
    switch (letter) {
    case 'F': return freq_hz[i];
    case 'K': return freq_hz[i] / 1000;
    case 'R': return truth[i].re;
    case 'I': return truth[i].im;
    case 'N': return -truth[i].im;
    case 'A': return size;
    case 'L': return log10(size);
    case 'D': return phase * 180 / M_PI;
    case 'S': return -phase * 180 / M_PI;
    case 'P': return phase;
    case 'V': return 0.01 * size;
    case 'W': return 0.02 * size;
    default: return i + 1;
    }
}

static void put_row(text *out, const char *row, int i) {
    char number[40];
    for (; *row; row++) {
        snprintf(number, sizeof number, *row == 'X' ? "%.0f" : "%.9e", value_of(*row, i));
        if (*row >= 'A' && *row <= 'Z') text_add(out, "%s", number);
        else text_add(out, "%c", *row == '~' ? ' ' : *row);
    }
}

static text fill(const char *head, const char *row, const char *tail) {
    text out = { 0 };
    text_add(&out, "%s", head);
    for (int i = 0; i < COUNT; i++) put_row(&out, row, i);
    text_add(&out, "%s", tail);
    return out;
}

/* Nine digits are written; a polar form doubles what is lost. */
static void expect_truth(const char *what, const eis_spectrum *s) {
    if (s->count != COUNT) fail_msg("%s: %lld points", what, (long long)s->count);
    for (int i = 0; i < COUNT; i++) {
        expect_near(what, s->freq_hz[i], freq_hz[i], 1e-8);
        expect_z(what, s->z[i], truth[i], 1e-7);
    }
}

static void expect_read(const char *what, int64_t sweeps) {
    eis_spectra  s;
    tide_failure failure = { 0 };
    if (eis_spectra_read(path, NULL, &s, &failure) != TIDE_OK) fail_msg("%s: %s", what, failure.message);
    if (s.count != sweeps) fail_msg("%s: %lld sweeps", what, (long long)s.count);
    for (int64_t k = 0; k < s.count; k++) expect_truth(what, &s.spectrum[k]);
    eis_spectra_free(&s);
}

/* ---- layouts ---- */

static const struct { const char *name, *head, *row, *tail; } layouts[] = {
    { "ours", "frequency_hz,z_re_ohm,z_im_ohm\n", "F,R,I\n", "" },
    { "no names", "", "F,R,I\n", "" },
    { "no names, blanks", "", "~~F   R   I  \n", "" },
    { "semicolons", "Frequency [Hz];Re(Z) [Ohm];-Im(Z) [Ohm]\n", "F;R;N\n", "" },
    { "a bar", "f|Z'|Z''\n", "F|R|I\n", "" },
    { "polar, degrees", "f,|Z|,phase\n", "F,A,D\n", "" },
    { "polar, minus the phase", "Frequency (Hz)\tZ (\xce\xa9)\t-Phase (\xc2\xb0)\n", "F\tA\tS\n", "" },
    { "polar, radians", "freq/Hz,|Z|/Ohm,Phase/rad\n", "F,A,P\n", "" },
    { "polar, logarithm", "f/Hz;log10(|Z|/Ohm);phi/deg\n", "F;L;D\n", "" },
    { "kilohertz", "freq_kHz,Zre,Zim\n", "K,R,I\n", "" },
    { "printer's primes", "f / Hz\tZ\xe2\x80\xb2 / \xce\xa9\t\xe2\x88\x92Z\xe2\x80\xb3 / \xce\xa9\n", "F\tR\tN\n", "" },
    { "quoted names", "\"f\",\"Z'\",\"Z\"\"\"\n", "\"F\",\"R\",\"I\"\n", "" },
    { "names in a comment", "# measured on a Monday\n# f, Re, Im\n", "F,R,I\n", "" },
    { "Gamry", "EXPLAIN\nTAG\tEISPOT\nNOTES\tNOTES\t1\t&Notes...\n\tf, Z' and Z''\nOCVCURVE\tTABLE\t2\n"
               "\tPt\tT\tVf\n\t#\ts\tV\n\t0\t1\t2\n\t1\t2\t3\n"
               "ZCURVE\tTABLE\n\tPt\tTime\tFreq\tZreal\tZimag\tZsig\tZmod\tZphz\tIdc\tVdc\tIERange\n"
               "\t#\ts\tHz\tohm\tohm\tV\tohm\t\xb0\tA\tV\t#\n",
      "\tX\t1\tF\tR\tI\t1\tA\tD\t0\t0\t9\n", "EXPERIMENTABORTED\tTOGGLE\tT\tExperiment Aborted\nFRACURVE\tTABLE\t1\n"
                                                "\tPt\tT\tV\n\t#\tS\tV\n\t0\t1\t2\n" },
    { "EC-Lab", "EC-Lab ASCII FILE\r\nNb header lines : 4\r\n\r\n"
                "freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\t|Z|/Ohm\tPhase(Z)/deg\tcycle number\t\r\n",
      "F\tR\tN\tA\tD\t1\t\r\n", "" },
    { "ZPlot", "ZPLOT2 ASCII\n  Date: today\n  Freq(Hz)\tAmpl\tBias\tTime(Sec)\tZ'(a)\tZ''(b)\tGD\tErr\tRange\n"
               "End Comments\n",
      "F\t1\t0\t2\tR\tI\t0\t0\t4\n", "" },
    { "ZPlot, quoted", "\"ZPlotW Data File: Version 3.2c\"\n0,3,0,1,300000,0.005\n7\n"
                       "\"  Freq(Hz)    Ampl     Bias   Time(Sec)   Z'(a)    Z''(b)    GD   Err   Range\"\n",
      "F, 1, 0, 2, R, I, 0, 0, 4\n", "" },
    { "Autolab in ZPlot's dress", "\xef\xbb\xbf\"Z60W Data File: Version 1.1\"\n\"\"\n0,2,0,1,0.1,10000\n7\n"
                                  "\"  Freq (Hz)    Ampl   Bias   Time(Sec)   Z'(a)   Z''(b)   GD  Err  Range\"\n",
      "F,0,0,0,R,I,0,0,0\n", "" },
    { "PARSTAT", "Potential (V)\tCurrent (A)\tElapsed Time (s)\tFrequency (Hz)\tZre (ohms)\tZim (ohms)\t|Vac| (V)\t\n"
                 "1\t2\t3\t0\t0\t0\t0\t\n",
      "1\t2\t3\tF\tR\tI\t0\t\n", "" },
    { "VersaStudio", "<Application>\nName=VersaStudio\n</Application>\n<Segment1>\nType=2\n"
                     "Definition=Segment #, Point #, E(V), Frequency(Hz), E Real, E Imag, Z Real, Z Imag, 0\n",
      "1,X,0,F,7,7,R,I\n", "</Segment1>\n" },
    { "PowerSuite", "Frequency\t Zre\t Zimg\r\r\n", "F\t R\t I\r\r\n", "" },
    { "CH Instruments", "Feb. 20, 2020   15:55:08\nA.C. Impedance\nInstrument Model:  CHI660E\n"
                        "High Frequency (Hz) = 1e+5\n\nFreq/Hz, Z'/ohm, Z\"/ohm, Z/ohm, Phase/deg\n\n",
      "F, R, I, A, D\n", "" },
    { "NEISYS", "a sample, 1.12.2020, 14:42\nFixed value(s) :  AC Volt  [Vrms]=7.1e-03  \n"
                " Freq. [Hz]\t Zs' [Ohms]\t Zs'' [Ohms]\n",
      "F\tR\tI\n", "" },
    { "P00", "f/Hz  Z'/Ohm  -Z''/Ohm  a  b  c\n7\n", "F R N 0 0 0\n", "" },
    { "i2b", "one\ntwo\nthree\nfour\nfive\n", "F R I\n", "" },
    { "Ivium", "\x01\x02\x03\x04\x05\x06\x07\x01\x02\x03\x04\x05 bytes\n"
               "primary_data\n3\n7\n", "R I F\n", "\nmore\n" },
    { "Autolab .dfr", "VERSION8.0\n7\n0\n", "F\nR\nN\n0\n0\n0\n0\n0\n0\n", "" },
    { "Zahner", "Number\tFrequency/Hz\tImpedance/Ohm\tPhase/deg\tSignificance\tTime/s\n", "X\tF\tA\tD\t0.99\t0\n", "" },
    { "Sciospec", "3\nsample.spec\n2031-05-03\nfrequency[Hz], Re[ohms], Im[ohms]\n", "F, R, I\n", "" },
    { "COMSOL", "% Model: cell.mph\n% Version: COMSOL 6.1\n% freq, a, b\n", "F R N\n", "" },
    { "RelaxIS", "RelaxIS 3.0\nDate: 3.5.2031\nData: Frequency\tData: Z'\tData: Z''\nHz\tOhm\tOhm\n", "F\tR\tI\n", "" },
    { "NOVA", "\xef\xbb\xbf" "9/23/2024\r\n"
              "Time (s)\tFrequency (Hz)\tZ' (\xce\xa9)\t-Z'' (\xce\xa9)\tZ (\xce\xa9)\t-Phase (\xc2\xb0)\t"
              "OCP value (V)\r\n",
      "1\tF\tR\tN\tA\tS\t\r\n", "" },
    { "PalmSens text", "\"Date and time:,2031\"\r\nCH 3: Fixed at 7 freqs\r\n"
                       "\"freq / Hz,neg. Phase / \xc2\xb0,Z / Ohm,Z' / Ohm,-Z'' / Ohm,\"\r\n",
      "\"F,S,A,R,N,\"\r\n", "" },
};

static void test_layouts(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        text t = fill(layouts[i].head, layouts[i].row, layouts[i].tail);
        write_bytes(t.data, t.length);
        expect_read(layouts[i].name, 1);
        text_free(&t);
    }
}

/* The body of Ivium's rows needs no blank between its columns of twelve. */
static void test_ivium_columns(void **state) {
    text t = { 0 };
    eis_spectra s;
    (void)state;
    text_add(&t, "primary_data\n3\n%d\n", COUNT);
    for (int i = 0; i < COUNT; i++) text_add(&t, "%12.5e%12.5e%12.5e\n", truth[i].re, truth[i].im, freq_hz[i]);
    write_bytes(t.data, t.length);
    text_free(&t);
    s = read_good(path, NULL);
    for (int i = 0; i < COUNT; i++) expect_z("Ivium", s.spectrum[0].z[i], truth[i], 1e-5);
    eis_spectra_free(&s);
}

/* JSON with a column for each unit; ZIm is -Im, and the bytes are UTF-16. */
static void test_pssession(void **state) {
    static const char *const units[] = { "Time", "Hertz", "ZRe", "ZIm" };
    static const char letters[] = "XFRN";
    text t = { 0 };
    (void)state;
    text_add(&t, "{\"Measurements\": [{\"Title\": \"EIS\", \"DataSet\": {\"Values\": [");
    for (int k = 0; k < 4; k++) {
        text_add(&t, "%s{\"Unit\": {\"Type\": \"PalmSens.Units.%s\"}, \"DataValues\": [", k ? ", " : "", units[k]);
        for (int i = 0; i < COUNT; i++) text_add(&t, "%s{\"V\": %.12e}", i ? ", " : "", value_of(letters[k], i));
        text_add(&t, "]}");
    }
    text_add(&t, "]}}]}");
    char *wide = calloc(2, t.length);
    for (size_t i = 0; i < t.length; i++) wide[2 * i] = t.data[i];
    write_bytes(wide, 2 * t.length);
    expect_read("PalmSens session", 1);
    free(wide);
    text_free(&t);
}

/* ---- BioLogic's binary ---- */

typedef struct bytes { unsigned char data[4096]; size_t size; } bytes;
static void put(bytes *b, const void *data, size_t size) { memcpy(b->data + b->size, data, size), b->size += size; }
static void put_u32(bytes *b, uint32_t v) {
    for (int k = 0; k < 4; k++) b->data[b->size++] = (unsigned char)(v >> 8 * k);
}
static void put_f32(bytes *b, double v) {
    float    f = (float)v;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    put_u32(b, bits);
}

/* version 0: one byte a column, rows at 100; 2 and 3: two bytes, rows at 405 and 406. The unknown column may have bytes
 * in the rows, which tell how wide it is. */
static bytes make_mpr(uint32_t version, bool newer, int unknown, bool filled) {
    static const unsigned ids[] = { 1, 2, 32, 37, 38 }; /* two flags share a byte */
    bytes  b = { 0 }, body = { 0 };
    size_t data = version == 0 ? 100 : 403 + version;
    put_u32(&body, COUNT);
    body.data[body.size++] = (unsigned char)(5 + (unknown > 0));
    for (int k = 0; k < 5 + (unknown > 0); k++) {
        unsigned id = k < 5 ? ids[k] : (unsigned)unknown;
        body.data[body.size++] = (unsigned char)id;
        if (version) body.data[body.size++] = (unsigned char)(id >> 8);
    }
    body.size = data;
    for (int i = 0; i < COUNT; i++) {
        body.data[body.size++] = 7;
        put_f32(&body, freq_hz[i]), put_f32(&body, truth[i].re), put_f32(&body, -truth[i].im);
        if (filled) put_u32(&body, 99);
    }
    put(&b, "BIO-LOGIC MODULAR FILE\x1a                         \0\0\0\0", 52);
    put(&b, "MODULEVMP data  VMP data                 ", 41);
    if (newer) put_u32(&b, 0xffffffff);
    put_u32(&b, (uint32_t)body.size), put_u32(&b, version);
    if (newer) put_u32(&b, 0);
    put(&b, "05.03.31", 8);
    put(&b, body.data, body.size);
    return b;
}

/* 24 bits of the numbers are stored. */
static void test_mpr(void **state) {
    (void)state;
    for (int k = 0; k < 6; k++) {
        bytes b = make_mpr((uint32_t[]){ 0, 2, 3 }[k % 3], k > 2, k % 3 ? 444 : 0, k % 3);
        write_bytes(b.data, b.size);
        eis_spectra s = read_good(path, NULL);
        assert_int_equal(s.spectrum[0].count, COUNT);
        for (int i = 0; i < COUNT; i++) expect_z(".mpr", s.spectrum[0].z[i], truth[i], 1e-6);
        eis_spectra_free(&s);
    }
    bytes b = make_mpr(3, false, 444, false);
    write_bytes(b.data, b.size);
    expect_refusal(path, NULL, 0, "", "column number 444");
    b = make_mpr(3, false, 0, false);
    write_bytes(b.data, b.size - 1);
    expect_refusal(path, NULL, 0, "", "cut short");
    b = make_mpr(9, false, 0, false);
    write_bytes(b.data, b.size);
    expect_refusal(path, NULL, 0, "", "version 9");
}

/* ---- dresses ---- */

static void test_encodings(void **state) {
    text  t = fill("f / Hz,Z' / \xce\xa9,Z'' / \xce\xa9\n", "F,R,I\n", "");
    char  wide[2][8192];
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < t.length; n++) {
        bool     two = (unsigned char)t.data[i] >= 0x80;
        unsigned c = two ? ((unsigned)t.data[i] & 0x1f) << 6 | ((unsigned)t.data[i + 1] & 0x3f) : (unsigned)t.data[i];
        wide[0][2 * n] = (char)c, wide[0][2 * n + 1] = (char)(c >> 8);
        wide[1][2 * n] = (char)(c >> 8), wide[1][2 * n + 1] = (char)c;
        i += two ? 2 : 1;
    }
    for (int k = 0; k < 2; k++) {
        write_bytes(wide[k], 2 * n);
        expect_read(k ? "UTF-16, big endian" : "UTF-16, little endian", 1);
    }
    text_free(&t);
}

static void test_line_ends(void **state) {
    static const char *const ends[] = { "\r\n", "\r\r\n", "\r", "\n\n" };
    (void)state;
    for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
        char head[64], row[16];
        snprintf(head, sizeof head, "f\tZ'\tZ''%s", ends[k]);
        snprintf(row, sizeof row, "F\tR\tI%s", ends[k]);
        text t = fill(head, row, "");
        write_bytes(t.data, t.length);
        expect_read("line ends", 1);
        text_free(&t);
    }
}

/* Commas for points, wherever the separator is another one. */
static void test_decimal_comma(void **state) {
    static const char *const rows[] = { "F;R;I\n", "F\tR\tI\n", "F   R   I\n" };
    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        text t = fill("", rows[k], "");
        for (size_t i = 0; i < t.length; i++) t.data[i] = t.data[i] == '.' ? ',' : t.data[i];
        write_bytes(t.data, t.length);
        expect_read("decimal commas", 1);
        text_free(&t);
    }
}

/* ---- several sweeps ---- */

static void test_sweeps(void **state) {
    static const struct { const char *what, *between, *row; } cases[] = {
        { "the frequency starts again", "", "F,R,I\n" },
        { "the names stand again", "\nf,Z',Z''\n", "F,R,I\n" },
        { "a line between", "Well: B1\n", "F,R,I\n" },
        { "a sweep that was broken off", "9e4,100,-1\n", "F,R,I\n" },
    };
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        text a = fill("f,Z',Z''\n", cases[k].row, ""), b = fill(cases[k].between, cases[k].row, "");
        bool broken = k == 3;
        text_add(&a, "%s", broken ? cases[k].between : b.data);
        write_bytes(a.data, a.length);
        expect_read(cases[k].what, broken ? 1 : 2);
        text_free(&a), text_free(&b);
    }
}

/* Up and down again, and a column that counts. */
static void test_directions(void **state) {
    text        t = fill("f,Z',Z'',cycle number\n", "F,R,I,1\n", "");
    eis_spectra s;
    (void)state;
    for (int i = COUNT - 1; i >= 0; i--) put_row(&t, "F,R,I,1\n", i);
    for (int i = COUNT - 1; i >= 0; i--) put_row(&t, "F,R,I,2\n", i);
    write_bytes(t.data, t.length);
    s = read_good(path, NULL);
    assert_int_equal(s.count, 3);
    for (int k = 0; k < 3; k++) assert_int_equal(s.spectrum[k].count, COUNT);
    assert_int_equal(s.spectrum[1].line[0], COUNT + 2);
    eis_spectra_free(&s);
    text_free(&t);
}

static void test_sigma(void **state) {
    text t = fill("frequency_hz,z_re_ohm,z_im_ohm,sigma_re_ohm,sigma_im_ohm\n", "F,R,I,V,W\n", "");
    (void)state;
    write_bytes(t.data, t.length);
    eis_spectra s = read_good(path, NULL);
    for (int i = 0; i < COUNT; i++) {
        assert_non_null(s.spectrum[0].sigma);
        expect_near("sigma of Re", s.spectrum[0].sigma[i].re, value_of('V', i), 1e-8);
        expect_near("sigma of Im", s.spectrum[0].sigma[i].im, value_of('W', i), 1e-8);
    }
    eis_spectra_free(&s);
    text_free(&t);
}

/* ---- conversion ---- */

/* To our CSV and back: the same bits, sigma too. */
static void test_convert(void **state) {
    eis_options  o;
    eis_result   r;
    tide_failure failure = { 0 };
    text t = fill("f;|Z|;Phase;sigma_re_ohm;sigma_im_ohm\n", "F;A;D;V;W\n", "");
    (void)state;
    write_bytes(t.data, t.length);
    text_free(&t);
    eis_options_default(&o);
    snprintf(o.spectra, sizeof o.spectra, "%s", path);
    eis_spectra before = read_good(path, NULL);
    if (eis_convert(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    write_string(r.csv);
    eis_spectra after = read_good(path, NULL);
    for (int i = 0; i < COUNT; i++) {
        assert_true(before.spectrum[0].freq_hz[i] == after.spectrum[0].freq_hz[i]);
        assert_memory_equal(&before.spectrum[0].z[i], &after.spectrum[0].z[i], sizeof(eis_z));
        assert_memory_equal(&before.spectrum[0].sigma[i], &after.spectrum[0].sigma[i], sizeof(eis_z));
    }
    eis_result_free(&r);
    eis_spectra_free(&before), eis_spectra_free(&after);
}

/* ---- what is malformed ---- */

#define ROWS "1e5,9,-1\n1e4,9,-1\n1e3,9,-1\n1e2,9,-1\n1e1,9,-1\n"

static const struct { const char *text; int64_t row; const char *column, *part; } refused[] = {
    { "", 0, "", "empty" },
    { "hello\n", 0, "", "no table of frequencies and impedances" },
    { "f,Z',Z''\n", 1, "", "no rows of numbers follow" },
    { "f,Z',Z''\n1e5,9,-1\n", 0, "", "1 points; at least 5" },
    { "f,Z',Z''\n0,0,0\n0,0,0\n", 1, "frequency_hz", "a frequency above 0" },
    { "f,Z',Z''\n1e5,9,-1\n-1e4,9,-1\n", 3, "frequency_hz", "must be positive, not -10000 Hz" },
    { "f,Z',Z''\n1e5,9,-1\n1e4,0,0\n", 3, "z_re_ohm", "an impedance of 0" },
    { "f,Z',Z''\n1e5,9,-1\n1e4,nan,-1\n", 3, "Z'", "column Z': \"nan\" is not a finite number" },
    { "f,Z',Z''\n1e5,9,-1\n1e4,9,1e999\n", 3, "Z''", "\"1e999\" is not a finite number" },
    { "f,Z',Z''\n1e5,9\n", 2, "Z''", "column Z'': \"\" is not a finite number" },
    { "f,Z',Z''\n1e5,9,-1\n1e4,9\n", 3, "Z''", "column Z''" },
    { "f,Z',Z''\n1e5,x,-1\n" ROWS, 2, "Z'", "\"x\" is not a finite number" },
    { "f,Z',Z''\n1e5,9,-1,4\n", 2, "", "4 cells where the line of names has 3" },
    { "f;Z';Z''\n1,5;9;-1\n1.5;9;-1\n", 3, "f", "decimal commas; one mark only" },
    { "f,Z',Z''\n" ROWS "that is all\n1e5,9,-1\n", 7, "", "rows follow it at line 8" },
    { "Z',Z''\n9,-1\n", 1, "freq/Hz", "there is no column freq/Hz (nor frequency_hz, Frequency (Hz), f); the columns "
                                      "are Z', Z''" },
    { "f,Z'\n1,9\n", 1, "z_re_ohm", "no column has the impedance" },
    { "f,Z',#NAME?\n1,9,-1\n", 1, "#NAME?", "a spreadsheet took a name" },
    { "f,f,Z',Z''\n1,1,9,-1\n", 1, "f", "columns 1 and 2 are both called f" },
    { "f,Z',Re(Z),Z''\n1,9,9,-1\n", 1, "Z'", "columns 2 and 3 are both the real part" },
    { "a,b,c\n" ROWS, 1, "freq/Hz", "none of these columns is known: a, b, c" },
    { "1,2,3,4\n1,2,3,4\n1,2,3,4\n1,2,3,4\n", 1, "", "4 columns of numbers without names" },
    { "f mhz,Z',Z''\n" ROWS, 1, "units", "can be milli or mega" },
    { "f,Z',Z''\n1e5,9,1\n1e4,9,1\n1e3,9,1\n1e2,9,1\n1e1,9,1\n", 0, "z_im_ohm", "looks like -Im(Z); use `flip-im`" },
    { "EXPLAIN\nTAG\tEISPOT\n", 0, "ZCURVE", "its tables are none" },
    { "primary_data\n3\n2\n9 -1 1e5\n9 x 1e4\n", 5, "", "row 2 is none" },
    { "primary_data\n2\n1\n9 -1\n", 0, "", "no primary_data of three columns" },
    { "VERSION8.0\n2\n0\n1e5\n9\nx\n", 6, "", "here -Im(Z) was to stand" },
    { "{\"Measurements\": [}", 1, "", "this is no JSON" },
    { "{\"Measurements\": []}", 0, "", "no measurement with Hertz" },
    { "%PDF-1.7 and so on\n", 0, "", "a PDF document" },
};

static void test_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        write_string(refused[i].text);
        expect_refusal(path, NULL, refused[i].row, refused[i].column, refused[i].part);
    }
    write_bytes("PK\3\4\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    expect_refusal(path, NULL, 0, "", "an Excel workbook");
    write_bytes("\1\2\3\4\5\6\7\1\2\3\4\5", 12);
    expect_refusal(path, NULL, 0, "", "is no text");
}

/* Each limit, and one less. */
static void test_limits(void **state) {
    FILE *file = fopen(path, "w");
    (void)state;
    fputs("f,Z',Z''\n", file);
    for (int i = 0; i < 1000001; i++) fprintf(file, "%d,9,-1\n", i + 1);
    fclose(file);
    expect_refusal(path, NULL, 0, "", "1000001 points in one sweep; at most 1000000");
    text t = { 0 };
    text_add(&t, "f,Z',Z''\n1e5,9,-1");
    for (int i = 0; i < 70000; i++) text_add(&t, " ");
    write_bytes(t.data, t.length);
    expect_refusal(path, NULL, 2, "", "characters; up to 65536 are read");
    text_free(&t);
    for (int i = 0; i < 10001; i++) text_add(&t, "f,Z',Z''\n1e5,9,-1\n");
    write_bytes(t.data, t.length);
    expect_refusal(path, NULL, 0, "", "more than 10000 sweeps");
    text_free(&t);
}

static int setup(void **state) {
    int fd = mkstemp(path);
    (void)state;
    make_truth();
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state) {
    (void)state;
    return unlink(path);
}

/* --seeds FOLDER: each layout as a file, for tools/fuzz.sh. */
static int write_seeds(const char *folder) {
    make_truth();
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        char name[512];
        snprintf(name, sizeof name, "%s/layout-%02zu", folder, i);
        FILE *file = fopen(name, "wb");
        text  t = fill(layouts[i].head, layouts[i].row, layouts[i].tail);
        if (!file || fwrite(t.data, 1, t.length, file) != t.length) return 1;
        text_free(&t);
        fclose(file);
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--seeds") == 0) return write_seeds(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),       cmocka_unit_test(test_ivium_columns), cmocka_unit_test(test_pssession),
        cmocka_unit_test(test_mpr),           cmocka_unit_test(test_encodings),     cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_decimal_comma), cmocka_unit_test(test_sweeps),        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_sigma),         cmocka_unit_test(test_convert),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, setup, teardown);
}
