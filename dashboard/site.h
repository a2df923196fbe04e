/* site.h: the page's files, as they are served: found by their path, with a
 * content type, a tag, and a compressed form where the build made one. */
#ifndef TALLY_SITE_H
#define TALLY_SITE_H

#include "dashboard/body.h"

struct site_file {
    const char *name; /* "index.html" */
    const char *type;
    struct body *plain, *gzip; /* gzip: NULL, or the file NAME.gz */
    char etag[24];             /* in quotes; the plain form's and the compressed form's differ */
    char etag_gzip[24];
};

struct site;

/* From the assets named web/...; free it with site_free. */
struct site *site_new(void);
void site_free(struct site *site);
/* "/" is "/index.html". NULL: only names that are known are served. */
const struct site_file *site_find(const struct site *site, const char *path);

#endif
