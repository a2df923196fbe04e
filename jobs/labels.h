/* labels.h: from a value to its series. */
#ifndef TALLY_LABELS_H
#define TALLY_LABELS_H

#include "cluster/base/table.h"
#include "jobs/spec.h"

struct labels {
    uint32_t of_byte[256]; /* values of one byte, the common case */
    uint32_t other;
    struct table *table;
};

/* The spec must outlive the labels. */
void labels_start(struct labels *labels, const struct spec *spec);
void labels_end(struct labels *labels);

static inline uint32_t labels_series(const struct labels *labels, const char *value, size_t length)
{
    if (length == 1)
        return labels->of_byte[(unsigned char)value[0]];
    return table_find(labels->table, value, length, labels->other);
}

#endif
