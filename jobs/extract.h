/* extract.h: the counted value out of a Kafka record, in the spec's format. */
#ifndef TALLY_EXTRACT_H
#define TALLY_EXTRACT_H

#include "jobs/csv.h"
#include "jobs/spec.h"

struct extract;

/* The spec must outlive it. */
struct extract *extract_new(const struct spec *spec);
void extract_free(struct extract *extract);
/* False with `*why` when the record cannot be read. `bytes` may be NULL: a
 * record without a value counts as "". `*value` is valid until the next call. */
bool extract_value(struct extract *extract, const char *bytes, size_t length,
                   struct csv_field *value, enum reject *why);

#endif
