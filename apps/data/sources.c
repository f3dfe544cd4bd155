/* What `data get` knows. The files belong to zhouhaoyi/ETDataset (CC BY-ND 4.0; cite Zhou et al., AAAI 2021). */
#include <strings.h>

#include "data.h"

static const data_source sources[] = {
    { "etth1", "ETTh1.csv", "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066", 2589657,
      "transformer temperature and load, station 1, hourly, 17,420 x 7 (CC BY-ND 4.0)" },
    { "etth2", "ETTh2.csv", "a3dc2c597b9218c7ce1cd55eb77b283fd459a1d09d753063f944967dd6b9218b", 2417960,
      "transformer temperature and load, station 2, hourly, 17,420 x 7 (CC BY-ND 4.0)" },
    { "ettm1", "ETTm1.csv", "6ce1759b1a18e3328421d5d75fadcb316c449fcd7cec32820c8dafda71986c9e", 10360719,
      "transformer temperature and load, station 1, every 15 minutes, 69,680 x 7 (CC BY-ND 4.0)" },
};

const data_source *data_sources(int64_t *count) {
    *count = (int64_t)(sizeof sources / sizeof *sources);
    return sources;
}

const data_source *data_find(const char *name) {
    int64_t count;
    const data_source *all = data_sources(&count);
    for (int64_t i = 0; i < count; i++)
        if (strcasecmp(all[i].name, name) == 0) return &all[i];
    return NULL;
}
