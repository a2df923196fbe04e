/* log.h: talk for people, on stderr; data goes to stdout and never through here.
 *
 * On a terminal there may be one status line at the bottom, rewritten in
 * place; messages go above it. Colours only on a terminal, and not with
 * NO_COLOR set (https://no-color.org). */
#ifndef TALLY_LOG_H
#define TALLY_LOG_H

#include <stdbool.h>

/* Call once, first: looks whether stderr is a terminal. */
void log_start(void);
void log_set_verbose(bool verbose);
bool log_is_terminal(void);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Only with --verbose. */
void log_verbose(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Replaces the status line; does nothing where stderr is no terminal. */
void log_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Wipes the status line, before other output and at the end. */
void log_status_clear(void);

#endif
