/* interpolate.h: $V, ${V}, ${V:-default}, ... as Docker Compose replaces them, and
 * the files that give variables: .env, --env-file, env_file. */
#ifndef TALLY_COMPOSE_INTERPOLATE_H
#define TALLY_COMPOSE_INTERPOLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/compose/arena.h"
#include "cluster/compose/compose.h"
#include "cluster/compose/yaml.h"

struct variable {
    const char *name, *value;
};

/* Of a project; those of `outer` win over them, and those of `over` over both. Starts as {0}. */
struct variables {
    const struct variables *outer, *over; /* NULL: there are none */
    struct names index;
    struct variable *list;
    size_t count;
};

/* NULL: there is none. */
const char *variables_get(const struct variables *variables, const char *name, size_t length);
/* Those of the process's environment, which win over all. */
void variables_of_shell(struct arena *arena, struct variables *variables);
/* In place of what it was. Nothing is copied. */
void variables_set(struct arena *arena, struct variables *variables, const char *name,
                   const char *value);

/* What is read of a text: `text`, `interpolated` and `unset` are set, and the message of
 * a `${V:?message}` whose V is missing. Forms that are none stay as they are. */
void interpolate(struct arena *arena, struct budget *budget, const struct variables *variables,
                 const char *text, size_t length, struct compose_text *result,
                 const char **missing);

/* The variables of a .env or env_file. Its values may use `outer`, and those
 * above them. `raw`: NAME=VALUE as it stands. A name without a value takes what
 * `outer` has, or is `absent`. Lines that are none are passed over. */
void env_file_read(struct arena *arena, struct budget *budget, const struct source *source,
                   const struct variables *outer, bool raw, struct compose_pair **pairs,
                   size_t *count);

#endif
