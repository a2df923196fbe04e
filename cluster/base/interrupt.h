/* interrupt.h: Ctrl-C and TERM. The handler only notes the signal and writes to
 * a descriptor; whoever waits looks at one of the two. A second signal, a
 * moment later, ends the program at once. */
#ifndef TALLY_INTERRUPT_H
#define TALLY_INTERRUPT_H

#include "cluster/base/error.h"

/* Installs the handlers for SIGINT and SIGTERM. Once, at the start of a
 * command that cleans up. */
void interrupt_install(void);
/* 0, or the signal that came. */
int interrupt_signal(void);
/* Becomes readable when a signal has come; -1 before interrupt_install. */
int interrupt_descriptor(void);
/* EXIT_INTERRUPTED or EXIT_TERMINATED, after the signal. Always returns -1. */
int interrupt_error(struct error *error);

#endif
