/* tar.h: the first file in a tar archive, as the Docker engine gives one
 * (ustar, and GNU's and pax's long names and sizes). Bytes in, no I/O. */
#ifndef TALLY_TAR_H
#define TALLY_TAR_H

#include <stddef.h>

enum tar_result {
    TAR_FILE,  /* a regular file, whole */
    TAR_OTHER, /* the first thing in it is a folder, a link or the like; or there is nothing */
    TAR_BROKEN /* no tar archive, or it ends too soon */
};

/* `*file` points into the bytes. */
enum tar_result tar_first_file(const char *bytes, size_t length, const char **file, size_t *size);

#endif
