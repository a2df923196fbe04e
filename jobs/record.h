/* record.h: a result record: one window's counts, as the value of a Kafka
 * record and as a line of JSON. The key is JOB/START. */
#ifndef TALLY_RECORD_H
#define TALLY_RECORD_H

#include <stdint.h>

#include "cluster/base/buf.h"
#include "cluster/base/error.h"
#include "jobs/spec.h"

struct record {
    int64_t start, end; /* ms, [start, end) */
    uint64_t total;
    uint64_t *counts; /* one a series, in spec order */
};

/* Writes records of one job; its fixed parts are made once. */
struct record_writer;

struct record_writer *record_writer_new(const struct spec *spec);
void record_writer_free(struct record_writer *writer);
/* Appends the value, without a line end; `record->total` is ignored, the sum is written. */
void record_write(const struct record_writer *writer, const struct record *record, struct buf *buf);
/* Appends the key. */
void record_write_key(const struct record_writer *writer, const struct record *record,
                      struct buf *buf);

/* Reads a value. `record->counts` must have room for the spec's series.
 * Refuses (EXIT_INPUT) what is no record of this job: another job's, a series
 * the spec does not know, counts that do not add up to the total. */
int record_read(const struct spec *spec, const char *bytes, size_t length, struct record *record,
                struct error *error);

#endif
