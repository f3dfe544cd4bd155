/* From what started the process to a transport: the plug-in is looked for where the environment says, beside the
 * library that this is in, and where it was installed. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "place.h"
#include "ranks.h"
#include "threads.h"

#ifndef TIDE_PLUGIN_FOLDER
#define TIDE_PLUGIN_FOLDER "/usr/local/lib/tidemill"
#endif
#define PLUGIN "libtidemill-mpi.so"

static tide_status not_there(const rank_place *p, const char *why, tide_failure *failure) {
    return fail(failure, TIDE_EDEVICE,
                "%s started this as one of %d processes, but they cannot work together: %s. Install the package "
                "tidemill-mpi (or build with Open MPI's headers), or start it alone", p->starter, p->count, why);
}

/* Each would think that it is alone, and train the same model. */
static tide_status strangers(const rank_place *p, int found, const char *name, tide_failure *failure) {
    return fail(failure, TIDE_EDEVICE,
                "%s started this as one of %d processes, but %s finds %d: start them with the mpirun of the MPI that "
                "the plug-in was built with, or by srun with PMIx; `ranks` false trains in each by itself",
                p->starter, p->count, name, found);
}

/* Its symbols are for all: the parts that MPI loads itself look for them. It stays loaded, as MPI must. */
static void *open_plugin(const char *path) { return dlopen(path, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE); }

/* Near the file that this code is in: a build that was not installed, a prefix that was moved. */
static void *open_near(void) {
    static const char *const places[] = { "", "tidemill/" };
    Dl_info     info;
    void       *at   = (void *)(uintptr_t)&open_plugin, *library = NULL;
    const char *name = dladdr(at, &info) && info.dli_fname ? info.dli_fname : "", *slash = strrchr(name, '/');
    for (int i = 0; slash && !library && i < 2; i++) {
        char path[1024];
        int  length = snprintf(path, sizeof path, "%.*s/%s%s", (int)(slash - name), name, places[i], PLUGIN);
        if (length < (int)sizeof path) library = open_plugin(path);
    }
    return library;
}

static const rank_transport *find_transport(const rank_place *p, tide_failure *failure) {
    const char *named   = getenv("TIDEMILL_MPI");
    void       *library = named ? open_plugin(named) : open_near();
    if (!library && !named) library = open_plugin(TIDE_PLUGIN_FOLDER "/" PLUGIN);
    const rank_transport *t = library ? dlsym(library, RANK_TRANSPORT_SYMBOL) : NULL;
    if (!t) {
        const char *why = dlerror();
        not_there(p, why ? why : PLUGIN " is not one of ours", failure);
    } else if (t->version != RANK_TRANSPORT_VERSION) {
        not_there(p, PLUGIN " is of another version of tidemill", failure);
        t = NULL;
    }
    return t;
}

tide_status ranks_join(ranks **out, tide_failure *failure) {
    rank_place p = rank_place_here();
    *out = NULL;
    if (rank_group_entered()) return ranks_join_by(&rank_threads, out, failure);
    if (p.count == 1) return TIDE_OK;
    const rank_transport *t = find_transport(&p, failure);
    tide_status           status = t ? ranks_join_by(t, out, failure) : TIDE_EDEVICE;
    if (status != TIDE_OK || ranks_count(*out) == p.count) return status;
    status = strangers(&p, ranks_count(*out), t->name, failure);
    ranks_leave(*out);
    *out = NULL;
    return status;
}
