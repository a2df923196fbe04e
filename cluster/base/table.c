#include "cluster/base/table.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/hash.h"

struct slot {
    const char *key; /* NULL: free */
    size_t length;
    uint32_t value;
};

struct table {
    struct slot *slots;
    size_t mask; /* their number, a power of two at least twice the keys, less one */
};

struct table *table_new(size_t most)
{
    struct table *table = mem_alloc(1, sizeof *table);
    size_t count = 16;

    while (count < most * 2)
        count *= 2;
    table->slots = mem_alloc(count, sizeof *table->slots);
    table->mask = count - 1;
    return table;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    free(table->slots);
    free(table);
}

/* Folded; the keys come from a spec its user wrote, so nobody attacks the table. */
static size_t hash(const char *key, size_t length)
{
    uint64_t sum = hash_bytes(HASH_START, key, length);

    return (size_t)(sum ^ (sum >> 32));
}

/* The key's slot, or the free one where it would go. */
static struct slot *find_slot(const struct table *table, const char *key, size_t length)
{
    size_t at = hash(key, length) & table->mask;

    for (;; at = (at + 1) & table->mask) {
        struct slot *slot = &table->slots[at];
        if (!slot->key ||
            (slot->length == length && (length == 0 || memcmp(slot->key, key, length) == 0)))
            return slot;
    }
}

bool table_add(struct table *table, const char *key, size_t length, uint32_t value)
{
    struct slot *slot = find_slot(table, key, length);

    if (slot->key)
        return false;
    *slot = (struct slot){key, length, value};
    return true;
}

uint32_t table_find(const struct table *table, const char *key, size_t length, uint32_t missing)
{
    const struct slot *slot = find_slot(table, key, length);

    return slot->key ? slot->value : missing;
}
