/* compose.h: compose files as Docker Compose understands them: merged,
 * interpolated, extended; each value with its place. No Docker is asked.
 *
 * Sources: the Compose specification (compose-spec/compose-spec: 02-model,
 * 05-services, 12-interpolation, 13-merge) and compose-go's loader. */
#ifndef TALLY_COMPOSE_H
#define TALLY_COMPOSE_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/base/error.h"
#include "cluster/compose/model.h"
#include "cluster/compose/source.h"

/* What could not be known: an env_file, an `extends` or `include` that is not there or is
 * elsewhere, a variable with an error message. */
struct compose_unknown {
    char *text;
    struct place place;
    char *service; /* "" : it is about all */
};

/* Another file's path, where a compose file names it: env_file, `include`, `extends`. */
struct compose_reference {
    char *path; /* of the source */
    struct place place;
};

struct compose {
    char *project; /* its name, which is before its networks' */
    struct compose_service *services;
    size_t service_count;
    struct compose_network *networks; /* those named in the files; "default" if a service uses it */
    size_t network_count;
    struct compose_unknown *unknowns;
    size_t unknown_count;
    struct compose_reference *references;
    size_t reference_count;
    struct source **sources; /* all that was read; [0] is the first file */
    size_t source_count;
};

struct compose_request {
    const char *const *files;     /* merged in order; NULL-terminated, one at least */
    const char *const *env_files; /* --env-file, in order; NULL: what COMPOSE_ENV_FILES names, or
                                     the .env beside the first file, if it is there */
    /* Taken in the place of the files of the same path (as copies); NULL-terminated; NULL: none. */
    const struct source *const *instead;
};

/* EXIT_INPUT: no such file, no YAML, no compose file ("has no services"), beyond
 * a limit; with file, line and column where there is one. */
int compose_load(const struct compose_request *request, struct compose **compose,
                 struct error *error);
void compose_free(struct compose *compose);
/* Lists that end at NULL; free each text, and the list. */
struct compose_found {
    char **files;
    char **env_files; /* for the request, in place of what was asked; NULL: nothing instead */
};

/* The files that `docker compose` would take in this folder: what COMPOSE_FILE names, in its
 * .env, in what --env-file gave (NULL: nothing) or, for ".", in the environment; else those of
 * the folder, or of the nearest above it that has one: compose.yaml, compose.yml,
 * docker-compose.yml, docker-compose.yaml, with its override. EXIT_INPUT if there is none. */
int compose_find(const char *folder, const char *const *env_files, struct compose_found *found,
                 struct error *error);

/* NULL if there is none of that name. */
const struct compose_service *compose_service(const struct compose *compose, const char *name);
const struct compose_pair *compose_variable(const struct compose_service *service,
                                            const char *name);

#endif
