/* A plate of a batch: a table of wells -> rows that name a file and have areas above 0, or a reason. */
#include <math.h>

#include "eis/batch/plate.h"
#include "target.h"

bytes fuzz_seed(int i) {
    static const char *const texts[] = {
        "file,well,condition,donor,time,area_cm2,blank\na.csv,A1,drug,d1,0.5,\"1,12\",\nb.csv,A2,,,12,0.33,e.csv\n",
        "File;sweep;TIME\n./day1/a.csv;2;1,5\n\n;;\n", "file\tnotes\nx\ty\n"
    };
    bytes b = { 0 };
    if (i < (int)(sizeof texts / sizeof *texts)) bytes_text(&b, texts[i]);
    return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    plate s;
    tide_failure why = { 0 };
    const char *path = fuzz_path("plate.csv");
    file_write(path, (bytes){ (unsigned char *)(uintptr_t)data, (int64_t)size });
    tide_status status = plate_read(path, NULL, NULL, &s, &why);
    fuzz_refusal(status, &why);
    for (int64_t i = 0; status == TIDE_OK && i < s.count; i++) {
        const plate_row *of = &s.of[i];
        fuzz_require(*of->file && (isnan(of->area_cm2) || of->area_cm2 > 0), "a row that is none", &why);
    }
    plate_free(&s);
    return 0;
}
