/* tar.h: the first file in a tar archive, as the Docker engine gives one
 * (ustar, and GNU's and pax's long names and sizes); and an archive written for
 * it. Bytes, no I/O. */
#ifndef TALLY_TAR_H
#define TALLY_TAR_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/base/buf.h"

enum tar_result {
    TAR_FILE,  /* a regular file, whole */
    TAR_OTHER, /* the first thing in it is a folder, a link or the like; or there is nothing */
    TAR_BROKEN /* no tar archive, or it ends too soon */
};

/* `*file` points into the bytes. */
enum tar_result tar_first_file(const char *bytes, size_t length, const char **file, size_t *size);

/* Adds a file that all may read and run (0755, root's), or a folder, whose path
 * ends with a slash; a path of more than TAR_PATH bytes is refused: false.
 * `path` without a leading slash; `length` < 8 GiB. */
bool tar_add_file(struct buf *archive, const char *path, const char *bytes, size_t length);
/* What an archive ends with. */
void tar_end(struct buf *archive);
#define TAR_PATH 99

#endif
