/* tar.h: the first file in a tar archive, as the Docker engine gives one
 * (ustar, and GNU's and pax's long names and sizes); and an archive written for
 * it. Bytes, no I/O. */
#ifndef TALLY_TAR_H
#define TALLY_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/base/buf.h"

enum tar_result {
    TAR_FILE,  /* a regular file */
    TAR_OTHER, /* the first thing in it is a folder, a link or the like; or there is nothing */
    TAR_MORE,  /* the bytes end before it is told */
    TAR_BROKEN /* no tar archive */
};

/* By the first bytes of an archive: the file's content begins at `*at` and has
 * `*size` bytes, which need not be there yet. */
enum tar_result tar_first_file(const char *bytes, size_t length, size_t *at, uint64_t *size);

/* Adds a file that all may read and run (0755, root's), or a folder, whose path
 * ends with a slash; a path of more than TAR_PATH bytes is refused: false.
 * `path` without a leading slash; `length` < 8 GiB. */
bool tar_add_file(struct buf *archive, const char *path, const char *bytes, size_t length);
/* What an archive ends with. */
void tar_end(struct buf *archive);
#define TAR_PATH 99

#endif
