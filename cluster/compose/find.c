/* Which files a project has: those that COMPOSE_FILE names, or those of a folder. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/compose/load.h"

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* The names that compose-go looks for, in its order (cli/options.go). */
static char *first_of(const char *folder, const char *const *names)
{
    for (; *names; names++) {
        char *path = strcmp(folder, ".") == 0
                         ? mem_text(*names)
                         : mem_format("%s%s%s", folder,
                                      folder[strlen(folder) - 1] == '/' ? "" : "/", *names);
        if (exists(path))
            return path;
        free(path);
    }
    return NULL;
}

static char **files_in(const char *folder)
{
    static const char *const names[] = {"compose.yaml", "compose.yml", "docker-compose.yml",
                                        "docker-compose.yaml", NULL};
    static const char *const overrides[] = {"compose.override.yml", "compose.override.yaml",
                                            "docker-compose.override.yml",
                                            "docker-compose.override.yaml", NULL};
    char *file = first_of(folder, names), **files;

    if (!file)
        return NULL;
    files = mem_alloc(3, sizeof *files);
    files[0] = file;
    files[1] = first_of(folder, overrides);
    return files;
}

/* The folders above are looked through by their real names. */
static char **files_above(const char *folder)
{
    char *path = realpath(folder, NULL), **files = NULL;
    char *slash;

    while (path && !files && (slash = strrchr(path, '/')) && path[1]) {
        slash[slash == path] = '\0';
        files = files_in(path);
    }
    free(path);
    return files;
}

/* ---- COMPOSE_FILE */

/* Where COMPOSE_FILE may be: the shell, which wins, and the .env or the files of --env-file. */
struct naming {
    struct arena arena;
    struct variables shell, variables;
};

static void read_naming(struct naming *naming, const char *path)
{
    struct budget budget = {LIMIT_COMPOSE_VISITS};
    struct compose_pair *pairs = NULL;
    struct source *source;
    struct error error;
    size_t count = 0;

    if (source_read(path, LIMIT_ENV_FILE_BYTES, &source, &error) < 0)
        return; /* who reads the project says so, if it has to be there */
    env_file_read(&naming->arena, &budget, source, &naming->shell, false, &pairs, &count);
    for (size_t i = 0; i < count; i++)
        if (!pairs[i].absent)
            variables_set(&naming->arena, &naming->variables, pairs[i].name, pairs[i].value.text);
    source_free(source);
}

static const char *naming_get(const struct naming *naming, const char *name)
{
    return variables_get(&naming->variables, name, strlen(name));
}

/* Paths between colons, or what COMPOSE_PATH_SEPARATOR says, as seen from the folder. */
static char **split_paths(struct naming *naming, const char *folder, const char *paths)
{
    const char *separator = naming_get(naming, "COMPOSE_PATH_SEPARATOR");
    size_t count = 0, length;
    char **files = NULL;

    if (!separator || !*separator)
        separator = ":";
    for (; *paths; paths += length) {
        const char *end = strstr(paths, separator);
        size_t path = end ? (size_t)(end - paths) : strlen(paths);
        length = end ? path + strlen(separator) : path;
        if (path == 0)
            continue;
        files = mem_grow(files, count + 2, sizeof *files);
        files[count++] =
            mem_text(path_join(&naming->arena, folder, arena_bytes(&naming->arena, paths, path)));
        files[count] = NULL;
    }
    return files;
}

/* A .env that names files elsewhere counts for them, before the one beside them. */
static char **env_files_of(struct naming *naming, const char *env, const char *first)
{
    char *beside = path_join(&naming->arena, path_folder(&naming->arena, first), ".env");
    char **files = mem_alloc(3, sizeof *files);
    size_t count = 0;

    if (strcmp(beside, env) != 0 && exists(beside))
        files[count++] = mem_text(beside);
    files[count] = mem_text(env);
    return files;
}

/* False: COMPOSE_FILE is nowhere. The shell's is for this folder. */
static bool find_named(struct naming *naming, const char *folder, const char *const *env_files,
                       struct compose_found *found)
{
    const char *env = path_join(&naming->arena, folder, ".env"), *named;
    bool here = strcmp(folder, ".") == 0, by_shell, others = getenv("COMPOSE_ENV_FILES") != NULL;

    if (here)
        variables_of_shell(&naming->arena, &naming->shell);
    naming->variables.outer = &naming->shell;
    by_shell = naming_get(naming, "COMPOSE_FILE") != NULL;
    for (size_t i = 0; env_files && env_files[i]; i++)
        read_naming(naming, env_files[i]);
    if (!env_files && !others)
        read_naming(naming, env);
    named = naming_get(naming, "COMPOSE_FILE");
    found->files = named ? split_paths(naming, folder, named) : NULL;
    if (found->files && !env_files && !by_shell)
        found->env_files = env_files_of(naming, env, found->files[0]);
    return found->files != NULL;
}

int compose_find(const char *folder, const char *const *env_files, struct compose_found *found,
                 struct error *error)
{
    struct naming naming = {0};
    bool named;

    *found = (struct compose_found){0};
    if (access(folder, X_OK) < 0)
        return error_set(error, EXIT_INPUT, "cannot look into %s: %s", folder, strerror(errno));
    named = find_named(&naming, folder, env_files, found);
    arena_free(&naming.arena);
    if (named)
        return 0;
    found->files = files_in(folder);
    if (!found->files)
        found->files = files_above(folder);
    if (!found->files)
        return error_set(error, EXIT_INPUT,
                         "there is no compose.yaml or docker-compose.yml in %s or above it; name "
                         "the file",
                         folder);
    return 0;
}
