/* PyTorch checkpoints: views, widened types, shared storages, every refusal. */
#include "check.h"

static float  floats[6] = { 0, 1, 2, 10, 11, 12 };
static int16_t shorts[4] = { -1, 2, -3, 4 };

/* A checkpoint with this pickle over data/0 = floats, data/1 = shorts. */
static tide_status read_code(bytes code, tide_archive *out, tide_failure *f) {
    const char *path = temporary("a.pth");
    zip_part parts[] = { { "best/data.pkl", code }, { "best/version", { (unsigned char *)(uintptr_t) "3\n", 2 } },
                         { "best/data/0", { (unsigned char *)floats, sizeof floats } },
                         { "best/data/1", { (unsigned char *)shorts, sizeof shorts } } };
    bytes file = zip_stored(parts, 4);
    file_write(path, file);
    bytes_clear(&file);
    bytes_clear(&code);
    return tide_pth_read(path, out, f);
}

static tide_status read_views(const pickle_view *views, int count, tide_archive *out, tide_failure *f) {
    bytes code = { 0 };
    pickle_begin(&code);
    for (int i = 0; i < count; i++) pickle_add(&code, &views[i]);
    pickle_end(&code);
    return read_code(code, out, f);
}

static void test_whole_file(void **state) {
    (void)state;
    static const float w[6] = { 0, 10, 1, 11, 2, 12 };
    static const int64_t n = -5;
    tide_failure f = { 0 };
    tide_archive a;
    bytes file = pth_file();
    file_write(temporary("w.pth"), file);
    bytes_clear(&file);
    check_ok("read", tide_pth_read(temporary("w.pth"), &a, &f), &f);
    assert_int_equal(a.count, 2);
    assert_string_equal(a.tensors[0].name, "w");
    check_same(&a.tensors[0],
               &(tide_tensor){ (char *)(uintptr_t)"w", TIDE_F32, TIDE_SHAPE(3, 2), (void *)(uintptr_t)w });
    check_same(&a.tensors[1], &(tide_tensor){ (char *)(uintptr_t) "n", TIDE_I64, TIDE_SCALAR, (void *)(uintptr_t)&n });
    tide_archive_free(&a);
}

static void test_views(void **state) {
    (void)state;
    static const pickle_view views[] = {
        { "module.all", "FloatStorage", "0", 6, 0, 1, { 6 }, { 1 } },
        { "column", "FloatStorage", "0", 6, 1, 1, { 2 }, { 3 } },
        { "short", "ShortStorage", "1", 4, 1, 2, { 3, 1 }, { 1, 3 } },
        { "none", "FloatStorage", "0", 6, 6, 2, { 0, 5 }, { 5, 1 } },
        { "tied", "FloatStorage", "0", 6, 0, 2, { 2, 3 }, { 3, 1 } },
    };
    static const float column[2] = { 1, 11 };
    static const int32_t widened[3] = { 2, -3, 4 };
    tide_failure f = { 0 };
    tide_archive a;
    check_ok("views", read_views(views, 5, &a, &f), &f);
    const tide_tensor wanted[] = {
        { (char *)(uintptr_t) "module.all", TIDE_F32, TIDE_SHAPE(6), floats },
        { (char *)(uintptr_t) "column", TIDE_F32, TIDE_SHAPE(2), (void *)(uintptr_t)column },
        { (char *)(uintptr_t) "short", TIDE_I32, TIDE_SHAPE(3, 1), (void *)(uintptr_t)widened },
        { (char *)(uintptr_t) "none", TIDE_F32, TIDE_SHAPE(0, 5), floats },
        { (char *)(uintptr_t) "tied", TIDE_F32, TIDE_SHAPE(2, 3), floats },
    };
    for (int i = 0; i < 5; i++) check_same(tide_archive_find(&a, wanted[i].name), &wanted[i]);
    tide_archive_free(&a);
}

static void test_views_refused(void **state) {
    (void)state;
    static const struct { pickle_view view; const char *part; } cases[] = {
        { { "w", "FloatStorage", "0", 6, 1, 1, { 6 }, { 1 } }, "shape (6) at element 1 does not fit its storage of 6" },
        { { "w", "FloatStorage", "0", 6, 0, 2, { 3, 2 }, { 3, 1 } }, "does not fit" },
        { { "w", "FloatStorage", "0", 6, 0, 1, { 7 }, { 0 } }, "does not fit" },
        { { "w", "FloatStorage", "0", 6, 0, 2, { 2, 2 }, { 0x7fffffff, 1 } }, "does not fit" },
        { { "w", "FloatStorage", "0", 6, -1, 1, { 1 }, { 1 } }, "a tensor is not (storage, offset" },
        { { "w", "FloatStorage", "0", 6, 0, 1, { -1 }, { 1 } }, "a tensor is not (storage, offset" },
        { { "w", "FloatStorage", "0", 5, 0, 1, { 5 }, { 1 } }, "should hold 5 elements of 4 bytes; it holds 24 bytes" },
        { { "w", "FloatStorage", "9", 6, 0, 1, { 6 }, { 1 } }, "tensor 'w': its storage data/9 is not in this file" },
        { { "w", "FloatStorage", "../data/0", 6, 0, 1, { 6 }, { 1 } }, "is not in this file" },
        { { "w", "ComplexFloatStorage", "0", 3, 0, 1, { 3 }, { 1 } },
          "asks for torch.ComplexFloatStorage; only a plain dictionary" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tide_failure f = { 0 };
        tide_archive a;
        check_failure(cases[i].part, read_views(&cases[i].view, 1, &a, &f), &f, TIDE_EDATA, cases[i].part);
        assert_null(a.tensors);
    }
    pickle_view twice[] = { { "w", "FloatStorage", "0", 6, 0, 1, { 6 }, { 1 } },
                            { "w", "FloatStorage", "0", 6, 0, 1, { 6 }, { 1 } } };
    tide_failure f = { 0 };
    tide_archive a;
    check_failure("twice", read_views(twice, 2, &a, &f), &f, TIDE_EDATA, "tensor 'w' is in this file twice");
}

/* Many names for one storage would unfold into far more memory than the file has. */
static void test_sharing_bounded(void **state) {
    (void)state;
    enum { MANY = 500 };
    char names[MANY][8];
    pickle_view views[MANY];
    for (int i = 0; i < MANY; i++) {
        views[i] = (pickle_view){ names[i], "FloatStorage", "0", 1000, 0, 1, { 1000 }, { 1 } };
        snprintf(names[i], sizeof names[i], "%d", i);
    }
    static unsigned char storage[4000];
    bytes code = { 0 };
    tide_failure f = { 0 };
    tide_archive a;
    pickle_begin(&code);
    for (int i = 0; i < MANY; i++) pickle_add(&code, &views[i]);
    pickle_end(&code);
    bytes file = zip_stored((zip_part[]){ { "a/data.pkl", code }, { "a/data/0", { storage, sizeof storage } } }, 2);
    file_write(temporary("s.pth"), file);
    check_failure("sharing", tide_pth_read(temporary("s.pth"), &a, &f), &f, TIDE_EDATA,
                  "the tensors of this file overlap");
    bytes_clear(&code);
    bytes_clear(&file);
}

static void test_pickles_refused(void **state) {
    (void)state;
    static const struct { const char *code; int length; const char *part; } cases[] = {
#define CODE(text) text, sizeof text - 1
        { CODE("\x80\2cos\nsystem\nX\4\0\0\0true\x85R."), "asks for os.system; only a plain dictionary of tensors" },
        { CODE("\x80\2cposix\nsystem\n."), "asks for posix.system" },
        { CODE("\x80\4\x95."), "protocol 4; 2, which torch.save uses" },
        { CODE("\x80\2iabc\n."), "operation 0x69" },
        { CODE("\x80\2K\1."), "does not hold a dictionary" },
        { CODE("\x80\2}X\5\0\0\0epochK\1s."), "entry 'epoch' is not a tensor" },
        { CODE("\x80\2}K\1K\1s."), "key that is not a text" },
        { CODE("\x80\2}h\7s."), "recalls what it never stored" },
        { CODE("\x80\2}r\xff\xff\xff\x7f."), "remembers more values" },
        { CODE("\x80\2}X\xff\xff\xff\xffx"), "a text is longer" },
        { CODE("\x80\2}X\1\0\0\0\xff."), "not UTF-8" },
        { CODE("\x80\2}"), "never ends" },
        { CODE("\x80\2}.}"), "does not leave one value" },
        { CODE("\x80\2}}."), "does not leave one value" },
        { CODE("\x80\2t."), "no beginning" },
        { CODE("\x80\2(u."), "no dictionary" },
        { CODE("\x80\2R."), "lacks its function" },
        { CODE("\x80\2K\1Q."), "five items" },
        { CODE("\x80\2\x8a\x09" "123456789."), "more than 64 bits" },
        { CODE("\x80\2ctorch\nFloatStorage"), "never ends" },
        { CODE("\x80\2" "ccollections\nOrderedDict\nK\1\x85R."), "unexpected arguments" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tide_failure f = { 0 };
        tide_archive a;
        bytes code = { 0 };
        bytes_add(&code, cases[i].code, cases[i].length);
        check_failure(cases[i].part, read_code(code, &a, &f), &f, TIDE_EDATA, cases[i].part);
    }
}

static void check_zip(const zip_part *parts, int count, const char *part) {
    tide_failure f = { 0 };
    tide_archive a;
    bytes file = zip_stored(parts, count);
    file_write(temporary("z.pth"), file);
    bytes_clear(&file);
    check_failure(part, tide_pth_read(temporary("z.pth"), &a, &f), &f, TIDE_EDATA, part);
}

static void test_archives_refused(void **state) {
    (void)state;
    bytes nothing = { (unsigned char *)(uintptr_t) "\x80\2}.", 4 }, big = { (unsigned char *)(uintptr_t) "big", 3 };
    check_zip((zip_part[]){ { "x.npy", nothing } }, 1, "has no member FOLDER/data.pkl");
    check_zip((zip_part[]){ { "data.pkl", nothing } }, 1, "has no member FOLDER/data.pkl");
    check_zip((zip_part[]){ { "a/data.pkl", nothing }, { "a/byteorder", big } }, 2, "not little-endian");
    tide_failure f = { 0 };
    tide_archive a;
    file_write(
        temporary("old.pth"),
        (bytes){ (unsigned char *)(uintptr_t)"\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.and so on, longer than 22",
                 40 });
    check_failure("before 1.6", tide_pth_read(temporary("old.pth"), &a, &f), &f, TIDE_EDATA,
                  "not a checkpoint of PyTorch 1.6 or later");
}

/* Every type, empty and without axes: read back as it was, and the same bytes again. */
static void test_written(void **state) {
    (void)state;
    tide_failure f = { 0 };
    tide_archive a = sample_archive(true), back;
    char         first[65], second[65];
    check_ok("write", tide_pth_write(temporary("w.pth"), &a, &f), &f);
    check_ok("sum", tide_file_sha256(temporary("w.pth"), first, &f), &f);
    check_ok("read", tide_pth_read(temporary("w.pth"), &back, &f), &f);
    assert_int_equal(back.count, a.count);
    for (int64_t i = 0; i < a.count; i++) {
        assert_string_equal(back.tensors[i].name, a.tensors[i].name);
        check_same(&back.tensors[i], &a.tensors[i]);
    }
    check_ok("again", tide_pth_write(temporary("w.pth"), &back, &f), &f);
    check_ok("sum", tide_file_sha256(temporary("w.pth"), second, &f), &f);
    assert_string_equal(first, second);
    tide_archive_free(&a);
    tide_archive_free(&back);
    check_ok("nothing", tide_pth_write(temporary("n.pth"), &a, &f), &f);
    check_ok("nothing", tide_pth_read(temporary("n.pth"), &back, &f), &f);
    assert_int_equal(back.count, 0);
}

static void test_not_written(void **state) {
    (void)state;
    char         name[1100];
    tide_failure f = { 0 };
    tide_archive a = { 0 };
    memset(name, 'n', sizeof name), name[1001] = 0;
    assert_int_equal(tide_archive_add(&a, name, TIDE_F32, TIDE_SHAPE(6), floats), TIDE_OK);
    check_failure("a long name", tide_pth_write(temporary("l.pth"), &a, &f), &f, TIDE_EINVAL, "is too long");
    a.tensors[0].name[1000] = 0;
    check_ok("as long as may be", tide_pth_write(temporary("l.pth"), &a, &(tide_failure){ 0 }), &(tide_failure){ 0 });
    tide_archive_free(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),         cmocka_unit_test(test_not_written),
        cmocka_unit_test(test_whole_file),      cmocka_unit_test(test_views),
        cmocka_unit_test(test_views_refused),
        cmocka_unit_test(test_sharing_bounded), cmocka_unit_test(test_pickles_refused),
        cmocka_unit_test(test_archives_refused),
    };
    return cmocka_run_group_tests_name("checkpoints", tests, NULL, remove_files);
}
