#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/log.h"
#include "cluster/base/output.h"
#include "runner/doctor.h"

static int fail(const char *path, struct error *error)
{
    return error_set(error, EXIT_FAILED, "%s: cannot be written: %s", path, strerror(errno));
}

/* The whole file or none of it: first under another name. With the old one's permissions. */
static int write_file(const char *path, const struct correction *correction, struct error *error)
{
    char *draft = mem_format("%s.XXXXXX", path);
    int descriptor = mkstemp(draft), result = 0;
    struct stat old;

    if (descriptor < 0) {
        fail(path, error);
        free(draft);
        return -1;
    }
    if (stat(correction->before->path, &old) == 0 && fchmod(descriptor, old.st_mode & 0777) < 0)
        result = fail(path, error);
    if (result == 0)
        result =
            output_write(descriptor, correction->after->bytes, correction->after->length, error);
    if (close(descriptor) < 0 && result == 0)
        result = fail(path, error);
    if (result == 0 && rename(draft, path) < 0)
        result = fail(path, error);
    if (result < 0)
        unlink(draft);
    free(draft);
    return result;
}

int doctor_write(const struct checkup *checkup, struct error *error)
{
    const struct corrections *result = &checkup->result;

    for (size_t i = 0; i < result->count; i++) {
        char *path = correct_path(result->list[i].before->path);
        int written = write_file(path, &result->list[i], error);
        if (written == 0)
            log_info("%s: written: %s", path, verdict_name(result->after->verdict));
        free(path);
        if (written < 0)
            return -1;
    }
    if (result->count == 0)
        log_info("%s: %s: nothing that could be corrected by itself", checkup->files[0],
                 verdict_name(result->before->verdict));
    return 0;
}
