/* table.h: from bytes to a number, with constant-time lookup. */
#ifndef TALLY_TABLE_H
#define TALLY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;

/* `most` is the number of keys it can take. */
struct table *table_new(size_t most);
void table_free(struct table *table);
/* False, changing nothing, if the key is there already. The key's bytes are
 * not copied: they must outlive the table. */
bool table_add(struct table *table, const char *key, size_t length, uint32_t value);
/* `missing` when the key is not there. */
uint32_t table_find(const struct table *table, const char *key, size_t length, uint32_t missing);

#endif
