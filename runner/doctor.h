/* doctor.h: what `tally doctor` has found out about one compose file (or
 * several merged), and how it is told. */
#ifndef TALLY_RUNNER_DOCTOR_H
#define TALLY_RUNNER_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>

#include "cluster/doctor/correct.h"

struct checkup {
    /* Merged; its own, NULL-terminated; the first names the answer. With the variables' files, if
     * they were found, too. */
    char **files, **env_files;
    struct corrections result;
    bool known; /* false: `error` says why there is no verdict */
    struct error error;
};

/* The report, on stdout. */
void doctor_print(const struct checkup *checkup);
/* The object of --json for it; with `corrected`, what became of the files, too. */
json_t *doctor_json(const struct checkup *checkup, bool corrected);

/* The differences, on stdout. */
int doctor_print_diff(const struct checkup *checkup, struct error *error);
/* Writes each corrected file beside the old. */
int doctor_write(const struct checkup *checkup, struct error *error);

/* A rule with its example, on stdout. EXIT_USAGE when there is none of that id. */
int doctor_explain(const char *id, struct error *error);

#endif
