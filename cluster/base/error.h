/* error.h: one error object, filled where something fails, wrapped with
 * context on the way up, printed once, in main.
 *
 * Functions that can fail take a `struct error *` last and return 0, or -1
 * with the error set; on success they leave it untouched. */
#ifndef TALLY_ERROR_H
#define TALLY_ERROR_H

#include <stdarg.h>

/* The program's exit codes, the same for all commands. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,       /* the job failed, or a check found something broken */
    EXIT_USAGE = 2,        /* the command line */
    EXIT_INPUT = 3,        /* a bad input file: spec, CSV, compose */
    EXIT_UNREACHABLE = 4,  /* broker, master, engine */
    EXIT_REFUSED = 5,      /* by the master, the broker, or a preflight check */
    EXIT_KILLED = 6,       /* the driver was */
    EXIT_DRIVER_ERROR = 7, /* Spark's state ERROR: it could not be started */
    EXIT_LOST = 8,         /* the driver: the master knows it no more, or not where it is */
    EXIT_TIMEOUT = 9,      /* what was waited for did not come in time */
    EXIT_UNKNOWN = 10,     /* something was asked for and no answer came: it may have happened */
    EXIT_INTERRUPTED = 130,
    EXIT_TERMINATED = 143,
};

struct error {
    enum exit_code code;
    char text[1024]; /* one line: what failed, with which value, what to do */
};

/* Sets the error; always returns -1, so that callers can return it. */
int error_set(struct error *error, enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the text; the code stays. Always returns -1. */
int error_wrap(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts ": more" behind the text. Always returns -1. */
int error_add(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
