#include "cluster/compose/compose.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/compose/load.h"

/* ---- The project's name */

/* As compose-go's NormalizeProjectName: lower case, [a-z0-9_-], first a letter or digit. */
static char *normalize(struct arena *arena, const char *name)
{
    char *text = arena_text(arena, name), *to = text;

    for (const char *from = text; *from; from++) {
        char c = (char)tolower((unsigned char)*from);
        if (isalnum((unsigned char)c) || (strchr("_-", c) && to > text))
            *to++ = c;
    }
    *to = '\0';
    return text;
}

/* The folder of the first file, by its real name. */
static const char *folder_name(struct arena *arena, const char *folder)
{
    char *real = realpath(folder, NULL), *name;
    const char *slash = real ? strrchr(real, '/') : NULL;

    name = arena_text(arena, slash ? slash + 1 : folder);
    free(real);
    return name;
}

static void set_project(struct loader *loader, const char *first_file)
{
    const struct unit *unit = loader->name_unit;
    const char *name = variables_get(unit->variables, "COMPOSE_PROJECT_NAME", 20);
    struct compose_text text = {0};
    const char *missing = NULL;

    if ((!name || !*name) && loader->name) {
        interpolate(loader->arena, &loader->budget, unit->variables, loader->name->text,
                    loader->name->length, &text, &missing);
        name = text.text;
    }
    if (!name || !*name)
        name = folder_name(loader->arena, path_folder(loader->arena, first_file));
    loader->compose->project = normalize(loader->arena, name);
    variables_set(loader->arena, loader->variables, "COMPOSE_PROJECT_NAME",
                  loader->compose->project);
}

/* ---- Loading */

static int load_all(struct loader *loader, const struct compose_request *request)
{
    if (load_files(loader, request) < 0)
        return -1;
    set_project(loader, request->files[0]);
    if (load_services(loader) < 0 || load_networks(loader) < 0)
        return -1;
    if (loader->budget.left == 0)
        return error_set(loader->error, EXIT_INPUT, "%s: its aliases and variables make too much",
                         request->files[0]);
    return 0;
}

int compose_load(const struct compose_request *request, struct compose **compose,
                 struct error *error)
{
    struct owner *owner = mem_alloc(1, sizeof *owner);
    struct loader loader = {.owner = owner,
                            .arena = &owner->arena,
                            .compose = &owner->compose,
                            .budget = {LIMIT_COMPOSE_VISITS},
                            .error = error,
                            .instead = request->instead};

    if (load_all(&loader, request) < 0) {
        compose_free(&owner->compose);
        return -1;
    }
    *compose = &owner->compose;
    return 0;
}

void compose_free(struct compose *compose)
{
    struct owner *owner = (struct owner *)compose;

    if (!compose)
        return;
    for (size_t i = 0; i < compose->source_count; i++)
        source_free(compose->sources[i]);
    arena_free(&owner->arena);
    free(owner);
}

/* ---- Looking things up */

const struct compose_service *compose_service(const struct compose *compose, const char *name)
{
    const struct owner *owner = (const struct owner *)compose;
    size_t at = names_find(&owner->services, name, strlen(name));

    return at == NAMES_NONE ? NULL : &compose->services[at];
}

const struct compose_pair *compose_variable(const struct compose_service *service, const char *name)
{
    for (size_t i = 0; i < service->environment_count; i++)
        if (strcmp(service->environment[i].name, name) == 0)
            return &service->environment[i];
    return NULL;
}
