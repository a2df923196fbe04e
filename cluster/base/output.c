#include "cluster/base/output.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cluster/base/interrupt.h"

/* SIGPIPE is ignored otherwise, for the sake of sockets. */
static void end_by_broken_pipe(void)
{
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
}

int output_write(int descriptor, const char *bytes, size_t length, struct error *error)
{
    while (length > 0) {
        ssize_t wrote = write(descriptor, bytes, length);
        if (wrote < 0 && errno == EPIPE)
            end_by_broken_pipe();
        if (wrote < 0 && errno == EINTR && !interrupt_signal())
            continue;
        if (wrote < 0 && interrupt_signal())
            return interrupt_error(error);
        if (wrote < 0)
            return error_set(error, EXIT_FAILED, "cannot write %s: %s",
                             descriptor == STDOUT_FILENO ? "to standard output" : "the results",
                             strerror(errno));
        bytes += wrote;
        length -= (size_t)wrote;
    }
    return 0;
}

int output_flush(struct error *error)
{
    if (fflush(stdout) == 0)
        return 0;
    if (errno == EPIPE)
        end_by_broken_pipe();
    return error_set(error, EXIT_FAILED, "cannot write to standard output: %s", strerror(errno));
}
