#include "cluster/base/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cluster/base/clock.h"

/* timeout(1) and some shells send a signal twice at once: only one that comes
 * later means impatience. */
#define PATIENCE_MS 300

static volatile sig_atomic_t received;
static volatile int64_t received_at; /* written before `received`, read by the handler only */
static int descriptor = -1;

static void on_signal(int number)
{
    static const uint64_t one = 1;
    int saved = errno;

    if (received) {
        if (clock_monotonic_ms() - received_at >= PATIENCE_MS)
            _exit(128 + number);
        return;
    }
    received_at = clock_monotonic_ms();
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
