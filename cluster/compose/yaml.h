/* yaml.h: YAML as a tree whose nodes know their bytes. Aliases are shared
 * nodes, never copies; merge keys are resolved. */
#ifndef TALLY_COMPOSE_YAML_H
#define TALLY_COMPOSE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/base/error.h"
#include "cluster/compose/arena.h"
#include "cluster/compose/source.h"

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };
/* Compose's own tags: `!reset` takes away what earlier files said, `!override` replaces it. */
enum node_tag { TAG_NONE, TAG_RESET, TAG_OVERRIDE };

struct node;

struct entry {
    struct node *key; /* a scalar; NULL in lists */
    struct node *value;
    size_t end;  /* behind the entry's own last byte: of an alias, not of what it stands for */
    bool shared; /* by a merge key */
};

struct node {
    enum node_kind kind;
    enum node_tag tag;
    bool shared;        /* an alias stands for it, too */
    bool flow;          /* {...} or [...] */
    bool open;          /* its end has not been read */
    bool busy;          /* for who walks: it is being looked at */
    struct place place; /* of a list or map: from its first byte to behind its last */
    const char *text;   /* of a scalar; NUL-terminated, and no NUL within */
    size_t length;
    struct entry *entries;
    size_t count;
    struct names index; /* of a large map */
};

/* How much more may be visited and made before the files are refused: aliases
 * and merge keys make much out of little. */
struct budget {
    size_t left;
};

/* False, for good, when more was spent than there was. */
bool budget_spend(struct budget *budget, size_t amount);

/* The documents in a source. EXIT_INPUT, with its place, for what is no YAML or beyond a limit. */
int yaml_read(struct arena *arena, const struct source *source, struct budget *budget,
              struct node ***documents, size_t *count, struct error *error);

/* NULL if `map` is no map or has no such key. */
const struct entry *map_find(const struct node *map, const char *key);
struct node *map_get(const struct node *map, const char *key);
/* `~`, `null`, nothing; also no node at all. */
bool node_is_null(const struct node *node);

#endif
