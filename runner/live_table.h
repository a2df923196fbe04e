/* live_table.h: the newest windows of a job as a table, rewritten in place on a
 * terminal. */
#ifndef TALLY_LIVE_TABLE_H
#define TALLY_LIVE_TABLE_H

#include <stdbool.h>

#include "jobs/record.h"

struct live_table;

struct live_table *live_table_new(const struct spec *spec);
void live_table_free(struct live_table *table);
/* Of a window's records the one with the largest total stays. */
void live_table_put(struct live_table *table, const struct record *record);
/* Appends the table, over its last appearance, if it changed since; else nothing. */
void live_table_draw(struct live_table *table, struct buf *out);

#endif
