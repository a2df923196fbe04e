/* doctor.h: compose files as text for the tests of brokers and rules. */
#ifndef TALLY_TESTS_DOCTOR_H
#define TALLY_TESTS_DOCTOR_H

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/compose/compose.h"
#include "cluster/doctor/finding.h"

static char doctor_folder[] = "/tmp/tally-doctor-XXXXXX";

static inline void doctor_write(const char *name, const char *text, size_t length)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", doctor_folder, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline int doctor_open(void **state)
{
    (void)state;
    return mkdtemp(doctor_folder) ? 0 : -1;
}

static inline int doctor_close(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", doctor_folder);
    return system(command);
}

/* The model of one file; the row's name is for the message. */
static inline struct compose *doctor_load(const char *row, const char *text, size_t length)
{
    char path[128];
    const char *files[] = {path, NULL};
    struct compose_request request = {.files = files};
    struct compose *compose = NULL;
    struct error error = {0};

    doctor_write("compose.yaml", text, length);
    snprintf(path, sizeof path, "%s/compose.yaml", doctor_folder);
    if (compose_load(&request, &compose, &error) < 0)
        fail_msg("%s: %s", row, error.text);
    return compose;
}

#endif
