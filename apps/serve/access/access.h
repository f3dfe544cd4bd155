/* Who may ask: tokens, and which names and pages a browser may come by. */
#ifndef SERVE_ACCESS_H
#define SERVE_ACCESS_H

#include <stdbool.h>

#include <tidemill/core.h>

typedef struct access_rules access_rules;

/* `token_file`: lines of "TOKEN" or "NAME TOKEN", of 16 characters or more; # begins a comment. "": none are asked for.
 * It is to be readable by its owner alone. Of the tokens only hashes are kept, under a key that is made now.
 * `loopback`: then a Host must be this machine's name for itself (or of `allowed`, names by commas), or else a page of
 * any site could ask here under a name that it lets point to this machine (DNS rebinding).
 * TIDE_EIO, TIDE_EDATA with the line, TIDE_ENOMEM. */
tide_status access_open(const char *token_file, bool loopback, const char *allowed, access_rules **out,
                        tide_failure *failure);
void        access_close(access_rules *a);  /* NULL is fine */

bool access_host_fits(const access_rules *a, const char *host);
/* A page's request: only from pages of this service. NULL: it comes from none. */
bool access_origin_fits(const access_rules *a, const char *origin, const char *host);
/* The value of the header Authorization, "Bearer TOKEN"; NULL: there is none. The same time whichever token it is. */
bool access_token_fits(const access_rules *a, const char *authorization);

/* Is the address, or the name, one of this machine for itself? */
bool access_is_loopback(const char *host);

#endif
