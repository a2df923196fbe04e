#include "cluster/base/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static volatile sig_atomic_t received;
static int descriptor = -1;

static void on_signal(int number)
{
    static const uint64_t one = 1;
    int saved = errno;

    if (received)
        _exit(128 + number);
    received = number;
    if (write(descriptor, &one, sizeof one) < 0)
        _exit(128 + number); /* an eventfd takes it; if not, better to end than to hang */
    errno = saved;
}

void interrupt_install(void)
{
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: a read must end */

    descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int interrupt_signal(void)
{
    return received;
}

int interrupt_descriptor(void)
{
    return descriptor;
}

int interrupt_error(struct error *error)
{
    return error_set(error, received == SIGTERM ? EXIT_TERMINATED : EXIT_INTERRUPTED, "%s",
                     received == SIGTERM ? "terminated" : "interrupted");
}
