/* assets.h: the files built into the program: shipped job specs, the sample,
 * the page. Made by the Makefile (build/assets.S) from the files themselves. */
#ifndef TALLY_ASSETS_H
#define TALLY_ASSETS_H

#include <stddef.h>

struct asset {
    const char *name; /* its path in the repository, or "web/FILE" for what the page loads */
    const char *data; /* not NUL-terminated */
    size_t length;
};

/* Ends with a row whose name is NULL. */
extern const struct asset assets[];

/* NULL if there is no such file. */
const struct asset *asset_find(const char *name);

#endif
