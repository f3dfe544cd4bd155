#ifndef SERVE_ACCESS_INSIDE_H
#define SERVE_ACCESS_INSIDE_H

#include <sodium.h>

#include "access.h"

typedef struct access_token { unsigned char hash[crypto_generichash_BYTES]; } access_token;

struct access_rules {
    bool          loopback;
    char         *allowed;
    unsigned char key[crypto_generichash_KEYBYTES];
    access_token *token;
    int           tokens;
    bool          needed;
};

#endif
