/* arena.h: what is made together and freed together: the texts and lists of one
 * set of compose files. And a table of names in it. */
#ifndef TALLY_ARENA_H
#define TALLY_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_piece;

/* Starts as {0}. */
struct arena {
    struct arena_piece *pieces;
    char *at;
    size_t left;
};

void *arena_alloc(struct arena *arena, size_t count, size_t size); /* zeroed */
char *arena_bytes(struct arena *arena, const char *bytes, size_t length);
char *arena_text(struct arena *arena, const char *text);
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Adds a zeroed element to the list at `*list`, which has `*count` of `size`
 * bytes, and returns it. One more zeroed element is always behind the last. */
void *arena_add(struct arena *arena, void *list, size_t *count, size_t size);
void arena_free(struct arena *arena);

/* From names to numbers; starts as {0}. Names are not copied. */
struct names {
    struct name_slot *slots;
    size_t count, size; /* size: a power of two, or 0 */
};

#define NAMES_NONE SIZE_MAX

size_t names_find(const struct names *names, const char *name, size_t length);
/* In place of what the name had. */
void names_set(struct arena *arena, struct names *names, const char *name, size_t length,
               size_t value);

#endif
