#include "cluster/compose/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/base/buf.h"

/* Not blocked by a pipe that nobody writes to: what is no regular file is refused. */
static int open_regular(const char *path, size_t most, struct error *error)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;

    if (descriptor < 0)
        return error_set(error, EXIT_INPUT, "cannot open %s: %s", path, strerror(errno));
    if (fstat(descriptor, &status) < 0)
        error_set(error, EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        error_set(error, EXIT_INPUT, "cannot read %s: it is not a regular file", path);
    else if ((unsigned long long)status.st_size > most)
        error_set(error, EXIT_INPUT, "cannot read %s: it has %lld bytes, more than %zu", path,
                  (long long)status.st_size, most);
    else
        return descriptor;
    close(descriptor);
    return -1;
}

/* A file that grows meanwhile is read up to the limit. */
static int read_all(int descriptor, const char *path, size_t most, struct buf *bytes,
                    struct error *error)
{
    for (;;) {
        ssize_t got;
        buf_reserve(bytes, 65536);
        got = read(descriptor, bytes->data + bytes->length, 65536);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(error, EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
        if (got == 0)
            break;
        bytes->length += (size_t)got;
        if (bytes->length > most)
            return error_set(error, EXIT_INPUT, "cannot read %s: it has more than %zu bytes", path,
                             most);
    }
    bytes->data[bytes->length] = '\0';
    return 0;
}

int source_read(const char *path, size_t most, struct source **source, struct error *error)
{
    struct buf bytes = {0};
    int descriptor = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open_regular(path, most, error);
    int result;

    if (descriptor < 0)
        return -1;
    result = read_all(descriptor, path, most, &bytes, error);
    close(descriptor);
    if (result < 0) {
        buf_free(&bytes);
        return -1;
    }
    *source = mem_alloc(1, sizeof **source);
    **source = (struct source){mem_text(path), bytes.data, bytes.length};
    return 0;
}

struct source *source_copy(const struct source *source)
{
    struct source *copy = mem_alloc(1, sizeof *copy);

    *copy = (struct source){mem_text(source->path), mem_bytes(source->bytes, source->length),
                            source->length};
    return copy;
}

void source_free(struct source *source)
{
    if (!source)
        return;
    free(source->path);
    free(source->bytes);
    free(source);
}
