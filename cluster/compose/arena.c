#include "cluster/compose/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/hash.h"

/* Under the sanitizer each thing gets a piece of its own, so that a step beyond it shows. */
#ifdef __SANITIZE_ADDRESS__
#define PIECE_BYTES 4
#else
#define PIECE_BYTES 65536
#endif

struct arena_piece {
    struct arena_piece *next;
    max_align_t bytes[];
};

static char *add_piece(struct arena *arena, size_t bytes)
{
    struct arena_piece *piece = mem_alloc(1, sizeof *piece + bytes);

    piece->next = arena->pieces;
    arena->pieces = piece;
    return (char *)piece->bytes;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    char *at;

    if (size > 0 && count > SIZE_MAX / 2 / size)
        abort(); /* the limits keep everything far below */
    bytes = size > 0 && count > 0 ? count * size : 1;
    if (bytes >= PIECE_BYTES / 4)
        return add_piece(arena, bytes);
    bytes = (bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (bytes > arena->left) {
        arena->at = add_piece(arena, PIECE_BYTES);
        arena->left = PIECE_BYTES;
    }
    at = arena->at;
    arena->at += bytes;
    arena->left -= bytes;
    return at;
}

char *arena_bytes(struct arena *arena, const char *bytes, size_t length)
{
    char *copy = arena_alloc(arena, length + 1, 1);

    if (length)
        memcpy(copy, bytes, length);
    return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
    return arena_bytes(arena, text, strlen(text));
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    int length;
    char *text;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        abort(); /* only a broken format string gets here */
    text = arena_alloc(arena, (size_t)length + 1, 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

/* Lists have room for 3, 7, 15, ... and the zeroed one behind: what they outgrow
 * stays in the arena, at most as much again. */
void *arena_add(struct arena *arena, void *list, size_t *count, size_t size)
{
    char *elements;
    size_t room = *count + 1;

    memcpy(&elements, list, sizeof elements);
    if (!elements || (room >= 4 && (room & (room - 1)) == 0)) {
        char *grown = arena_alloc(arena, room < 4 ? 4 : room * 2, size);
        if (elements)
            memcpy(grown, elements, *count * size);
        elements = grown;
        memcpy(list, &elements, sizeof elements);
    }
    return elements + size * (*count)++;
}

void arena_free(struct arena *arena)
{
    while (arena->pieces) {
        struct arena_piece *next = arena->pieces->next;
        free(arena->pieces);
        arena->pieces = next;
    }
    *arena = (struct arena){0};
}

/* ---- Names */

struct name_slot {
    const char *name; /* NULL: free */
    size_t length, value;
};

/* Folded: the names come from files that their user wrote or chose. */
static size_t hash(const char *name, size_t length)
{
    uint64_t sum = hash_bytes(HASH_START, name, length);

    return (size_t)(sum ^ (sum >> 32));
}

static struct name_slot *find_slot(const struct names *names, const char *name, size_t length)
{
    size_t at = hash(name, length) & (names->size - 1);

    for (;; at = (at + 1) & (names->size - 1)) {
        struct name_slot *slot = &names->slots[at];
        if (!slot->name || (slot->length == length && memcmp(slot->name, name, length) == 0))
            return slot;
    }
}

size_t names_find(const struct names *names, const char *name, size_t length)
{
    struct name_slot *slot;

    if (!names->size)
        return NAMES_NONE;
    slot = find_slot(names, name, length);
    return slot->name ? slot->value : NAMES_NONE;
}

static void grow(struct arena *arena, struct names *names)
{
    struct names grown = {.count = names->count, .size = names->size ? names->size * 2 : 16};

    grown.slots = arena_alloc(arena, grown.size, sizeof *grown.slots);
    for (size_t i = 0; i < names->size; i++)
        if (names->slots[i].name)
            *find_slot(&grown, names->slots[i].name, names->slots[i].length) = names->slots[i];
    *names = grown;
}

void names_set(struct arena *arena, struct names *names, const char *name, size_t length,
               size_t value)
{
    struct name_slot *slot;

    if ((names->count + 1) * 2 > names->size)
        grow(arena, names);
    slot = find_slot(names, name, length);
    if (!slot->name)
        names->count++;
    *slot = (struct name_slot){name, length, value};
}
