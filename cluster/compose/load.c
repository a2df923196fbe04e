/* Files, their documents, include and extends: what each service is made of. */
#include "cluster/compose/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/limits.h"

int fail_node(struct loader *loader, const struct node *node, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(loader->error, EXIT_INPUT, "%s:%zu:%zu: %s", node->place.source->path,
                     node->place.line, node->place.column, text);
}

void add_unknown(struct loader *loader, const char *service, const struct place *place,
                 const char *format, ...)
{
    struct compose *compose = loader->compose;
    struct compose_unknown *unknown;
    char text[1024];
    va_list arguments;

    if (compose->unknown_count >= LIMIT_COMPOSE_UNKNOWN)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    unknown =
        arena_add(loader->arena, &compose->unknowns, &compose->unknown_count, sizeof *unknown);
    *unknown = (struct compose_unknown){arena_text(loader->arena, text), *place,
                                        arena_text(loader->arena, service)};
}

/* ---- Paths and files */

char *path_join(struct arena *arena, const char *folder, const char *path)
{
    const char *home = getenv("HOME");

    if (path[0] == '~' && (path[1] == '/' || !path[1]) && home)
        return arena_format(arena, "%s%s", home, path + 1);
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    if (!*path || strcmp(path, ".") == 0)
        return arena_text(arena, folder);
    if (path[0] == '/' || strcmp(folder, ".") == 0)
        return arena_text(arena, path);
    return arena_format(arena, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/",
                        path);
}

void add_reference(struct loader *loader, const char *path, const struct place *place)
{
    struct compose *compose = loader->compose;
    struct compose_reference *reference = arena_add(loader->arena, &compose->references,
                                                    &compose->reference_count, sizeof *reference);

    *reference = (struct compose_reference){arena_text(loader->arena, path), *place};
}

char *path_folder(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return arena_text(arena, ".");
    return arena_bytes(arena, path, slash == path ? 1 : (size_t)(slash - path));
}

/* What was given in the place of the file, or the file. */
static int read_source(const struct loader *loader, const char *path, size_t most,
                       struct source **source, struct error *error)
{
    for (const struct source *const *given = loader->instead; given && *given; given++)
        if (strcmp((*given)->path, path) == 0) {
            *source = source_copy(*given);
            return 0;
        }
    return source_read(path, most, source, error);
}

const struct source *load_source(struct loader *loader, const char *path, size_t most,
                                 struct error *error)
{
    struct compose *compose = loader->compose;
    size_t left = LIMIT_COMPOSE_BYTES - loader->bytes;
    size_t at = names_find(&loader->source_index, path, strlen(path));
    struct source *source;

    if (at != NAMES_NONE)
        return compose->sources[at];
    if (compose->source_count >= LIMIT_COMPOSE_FILES) {
        error_set(error, EXIT_INPUT, "cannot read %s: it is one file more than %d", path,
                  LIMIT_COMPOSE_FILES);
        return NULL;
    }
    if (read_source(loader, path, most < left ? most : left, &source, error) < 0)
        return NULL;
    loader->bytes += source->length;
    names_set(loader->arena, &loader->source_index, source->path, strlen(source->path),
              compose->source_count);
    *(struct source **)arena_add(loader->arena, &compose->sources, &compose->source_count,
                                 sizeof source) = source;
    return source;
}

/* NULL with the error set; `file->failed` then tells a second caller that it was no use. */
static struct file *open_file(struct loader *loader, const char *path, struct error *error)
{
    size_t at = names_find(&loader->file_index, path, strlen(path));
    const struct source *source;
    struct file *file;

    if (at != NAMES_NONE)
        return &loader->files[at];
    source = load_source(loader, path, LIMIT_COMPOSE_BYTES, error);
    if (!source)
        return NULL;
    file = arena_add(loader->arena, &loader->files, &loader->file_count, sizeof *file);
    file->path = arena_text(loader->arena, path);
    names_set(loader->arena, &loader->file_index, file->path, strlen(file->path),
              loader->file_count - 1);
    file->failed = yaml_read(loader->arena, source, &loader->budget, &file->documents, &file->count,
                             loader->error) < 0;
    return file;
}

/* ---- Documents */

/* Compose's first form had the services at the top level. */
static bool is_first_form(const struct node *root)
{
    size_t services = 0;

    if (root->kind != NODE_MAP || map_find(root, "services"))
        return false;
    for (size_t i = 0; i < root->count; i++) {
        const struct node *value = root->entries[i].value;
        if (strncmp(root->entries[i].key->text, "x-", 2) == 0)
            continue;
        if (!map_find(value, "image") && !map_find(value, "build") && !map_find(value, "extends"))
            return false;
        services++;
    }
    return services > 0;
}

static struct node *services_of(struct node *root)
{
    return is_first_form(root) ? root : map_get(root, "services");
}

static struct draft *find_draft(const struct drafts *drafts, const char *name)
{
    size_t at = names_find(&drafts->index, name, strlen(name));

    return at == NAMES_NONE ? NULL : &drafts->list[at];
}

static struct draft *need_draft(struct loader *loader, struct drafts *drafts,
                                const struct node *key)
{
    struct draft *draft = find_draft(drafts, key->text);

    if (draft)
        return draft;
    names_set(loader->arena, &drafts->index, key->text, key->length, drafts->count);
    draft = arena_add(loader->arena, &drafts->list, &drafts->count, sizeof *draft);
    draft->name = key->text;
    draft->place = key->place;
    return draft;
}

static void add_layer(struct loader *loader, struct draft *draft, struct layer layer)
{
    *(struct layer *)arena_add(loader->arena, &draft->layers, &draft->count, sizeof layer) = layer;
}

/* ---- extends */

/* Where a service is being put together. */
struct assembly {
    struct loader *loader;
    struct draft *draft;
    int depth;
};

static int add_service_layers(struct assembly *assembly, const struct file *file,
                              struct node *service, const struct unit *unit, bool shared);

static char *path_text(struct loader *loader, const struct node *node, const struct unit *unit)
{
    struct compose_text text = {0};
    const char *missing = NULL;

    interpolate(loader->arena, &loader->budget, unit->variables, node->text, node->length, &text,
                &missing);
    return text.text;
}

static bool is_remote(const char *path)
{
    return strstr(path, "://") || strncmp(path, "git@", 4) == 0 || strncmp(path, "oci:", 4) == 0 ||
           strncmp(path, "github.com/", 11) == 0;
}

/* Of the file's documents the last that has the service. */
static struct node *service_in_file(const struct file *file, const char *name)
{
    for (size_t i = file->count; i-- > 0;) {
        struct node *service = map_get(services_of(file->documents[i]), name);
        if (service)
            return service;
    }
    return NULL;
}

static int extend_here(struct assembly *assembly, const struct file *file, const struct node *name,
                       const struct unit *unit)
{
    struct loader *loader = assembly->loader;
    struct node *base = service_in_file(file, name->text);
    const struct draft *earlier = find_draft(&loader->services, name->text);

    if (base) {
        base->shared = true;
        return add_service_layers(assembly, file, base, unit, true);
    }
    if (!earlier || earlier == assembly->draft) {
        add_unknown(loader, assembly->draft->name, &name->place,
                    "extends the service %s, which is not in this file", name->text);
        return 0;
    }
    for (size_t i = 0; i < earlier->count; i++) {
        struct layer layer = earlier->layers[i];
        layer.shared = true;
        layer.map->shared = true;
        add_layer(loader, assembly->draft, layer);
    }
    return 0;
}

static int extend_file(struct assembly *assembly, const struct node *where, const struct node *name,
                       const struct unit *unit)
{
    struct loader *loader = assembly->loader;
    char *path = path_text(loader, where, unit);
    struct unit *other;
    struct error error;
    struct file *file;
    struct node *base;

    if (is_remote(path)) {
        add_unknown(loader, assembly->draft->name, &where->place, "extends %s, which is elsewhere",
                    path);
        return 0;
    }
    path = path_join(loader->arena, unit->folder, path);
    file = open_file(loader, path, &error);
    if (!file) {
        add_unknown(loader, assembly->draft->name, &where->place, "extends: %s", error.text);
        return 0;
    }
    if (file->failed)
        return -1;
    base = service_in_file(file, name->text);
    if (!base) {
        add_unknown(loader, assembly->draft->name, &name->place,
                    "extends the service %s, which is not in %s", name->text, path);
        return 0;
    }
    add_reference(loader, path, &where->place);
    other = arena_alloc(loader->arena, 1, sizeof *other);
    *other = (struct unit){path_folder(loader->arena, path), unit->variables};
    base->shared = true;
    return add_service_layers(assembly, file, base, other, true);
}

static int extend(struct assembly *assembly, const struct file *file, const struct node *extends,
                  const struct unit *unit)
{
    const struct node *name = extends, *where = NULL;

    if (extends->kind == NODE_MAP) {
        name = map_get(extends, "service");
        where = map_get(extends, "file");
    }
    if (!name || name->kind != NODE_SCALAR || (where && where->kind != NODE_SCALAR))
        return fail_node(assembly->loader, extends,
                         "extends takes a service's name, or a mapping of service and file");
    if (assembly->depth >= LIMIT_COMPOSE_EXTENDS)
        return fail_node(assembly->loader, extends, "more than %d services extend one another",
                         LIMIT_COMPOSE_EXTENDS);
    if (!where || node_is_null(where))
        return extend_here(assembly, file, name, unit);
    return extend_file(assembly, where, name, unit);
}

static int add_service_layers(struct assembly *assembly, const struct file *file,
                              struct node *service, const struct unit *unit, bool shared)
{
    struct loader *loader = assembly->loader;
    struct node *extends;

    if (node_is_null(service))
        return 0;
    if (service->kind != NODE_MAP)
        return fail_node(loader, service, "a service must be a mapping");
    if (service->busy)
        return fail_node(loader, service, "the service extends itself, by %s",
                         assembly->draft->name);
    extends = map_get(service, "extends");
    if (extends && extends->tag != TAG_RESET && !node_is_null(extends)) {
        int result;
        service->busy = true;
        assembly->depth++;
        result = extend(assembly, file, extends, unit);
        assembly->depth--;
        service->busy = false;
        if (result < 0)
            return -1;
    }
    add_layer(loader, assembly->draft, (struct layer){service, unit, shared});
    return 0;
}

static int take_services(struct loader *loader, const struct file *file, struct node *services,
                         const struct unit *unit)
{
    if (services->kind != NODE_MAP)
        return fail_node(loader, services, "services must be a mapping");
    for (size_t i = 0; i < services->count; i++) {
        const struct entry *entry = &services->entries[i];
        struct assembly assembly = {.loader = loader};
        if (strncmp(entry->key->text, "x-", 2) == 0 && !map_find(entry->value, "image"))
            continue;
        assembly.draft = need_draft(loader, &loader->services, entry->key);
        if (loader->services.count > LIMIT_COMPOSE_SERVICES)
            return fail_node(loader, entry->key, "more than %d services", LIMIT_COMPOSE_SERVICES);
        if (entry->value->tag != TAG_NONE)
            assembly.draft->count = 0;
        assembly.draft->removed = entry->value->tag == TAG_RESET;
        if (entry->value->tag != TAG_RESET &&
            add_service_layers(&assembly, file, entry->value, unit, entry->shared) < 0)
            return -1;
    }
    return 0;
}

static int take_networks(struct loader *loader, const struct node *networks,
                         const struct unit *unit)
{
    if (node_is_null(networks))
        return 0;
    if (networks->kind != NODE_MAP)
        return fail_node(loader, networks, "networks must be a mapping");
    for (size_t i = 0; i < networks->count; i++) {
        const struct entry *entry = &networks->entries[i];
        struct draft *draft = need_draft(loader, &loader->networks, entry->key);
        if (entry->value->kind == NODE_MAP)
            add_layer(loader, draft, (struct layer){entry->value, unit, false});
    }
    return 0;
}

/* ---- include */

static int take_path(struct loader *loader, const char *path, const struct unit *unit,
                     const struct node *from);

static struct unit *included_unit(struct loader *loader, const struct node *item,
                                  const char *first_path, const struct unit *unit)
{
    struct unit *own = arena_alloc(loader->arena, 1, sizeof *own);
    struct node *folder = map_get(item, "project_directory");

    own->variables = unit->variables;
    if (folder && folder->kind == NODE_SCALAR)
        own->folder = path_join(loader->arena, unit->folder, path_text(loader, folder, unit));
    else
        own->folder = path_folder(loader->arena, first_path);
    return own;
}

/* -1: there is no such file. */
static int add_variables(struct loader *loader, struct variables *variables, const char *path,
                         struct error *error)
{
    struct compose_pair *pairs = NULL;
    size_t count = 0;
    const struct source *source = load_source(loader, path, LIMIT_ENV_FILE_BYTES, error);

    if (!source)
        return -1;
    env_file_read(loader->arena, &loader->budget, source, variables->outer, false, &pairs, &count);
    for (size_t i = 0; i < count; i++)
        if (!pairs[i].absent)
            variables_set(loader->arena, variables, pairs[i].name, pairs[i].value.text);
    return 0;
}

static void include_env_file(struct loader *loader, const struct node *path,
                             const struct unit *unit, struct variables *variables)
{
    struct error error;

    if (path->kind != NODE_SCALAR)
        return;
    if (add_variables(loader, variables,
                      path_join(loader->arena, unit->folder, path_text(loader, path, unit)),
                      &error) < 0)
        add_unknown(loader, "", &path->place, "env_file: %s", error.text);
}

/* Of an included project: its env_file, or the .env in its folder. */
static void include_variables(struct loader *loader, const struct node *item,
                              const struct unit *unit, struct unit *own)
{
    struct variables *variables = arena_alloc(loader->arena, 1, sizeof *variables);
    struct node *env_file = map_get(item, "env_file");
    struct error error;

    variables->outer = unit->variables;
    own->variables = variables;
    if (node_is_null(env_file))
        add_variables(loader, variables, path_join(loader->arena, own->folder, ".env"), &error);
    else if (env_file->kind == NODE_SCALAR)
        include_env_file(loader, env_file, unit, variables);
    for (size_t i = 0; env_file && env_file->kind == NODE_LIST && i < env_file->count; i++)
        include_env_file(loader, env_file->entries[i].value, unit, variables);
}

static int include_path(struct loader *loader, const struct node *item, const struct node *path,
                        const struct unit *unit, struct unit **own)
{
    char *text;

    if (path->kind != NODE_SCALAR)
        return fail_node(loader, path, "include takes paths");
    text = path_text(loader, path, unit);
    if (is_remote(text)) {
        add_unknown(loader, "", &path->place, "includes %s, which is elsewhere", text);
        return 0;
    }
    text = path_join(loader->arena, unit->folder, text);
    if (names_find(&loader->included, text, strlen(text)) != NAMES_NONE)
        return 0;
    names_set(loader->arena, &loader->included, text, strlen(text), 1);
    if (!*own) {
        *own = included_unit(loader, item, text, unit);
        include_variables(loader, item, unit, *own);
    }
    return take_path(loader, text, *own, path);
}

static int include_item(struct loader *loader, const struct node *item, const struct unit *unit)
{
    const struct node *path = item->kind == NODE_MAP ? map_get(item, "path") : item;
    struct unit *own = NULL;

    if (!path || (path->kind == NODE_MAP))
        return fail_node(loader, item, "include takes a list of paths, or of mappings with a path");
    if (path->kind == NODE_SCALAR)
        return include_path(loader, item, path, unit, &own);
    for (size_t i = 0; i < path->count; i++)
        if (include_path(loader, item, path->entries[i].value, unit, &own) < 0)
            return -1;
    return 0;
}

static int take_includes(struct loader *loader, const struct node *include, const struct unit *unit)
{
    if (node_is_null(include))
        return 0;
    if (include->kind != NODE_LIST)
        return fail_node(loader, include, "include must be a list");
    for (size_t i = 0; i < include->count; i++)
        if (include_item(loader, include->entries[i].value, unit) < 0)
            return -1;
    return 0;
}

/* ---- A project */

static int take_document(struct loader *loader, const struct file *file, struct node *root,
                         const struct unit *unit)
{
    struct node *services;

    if (node_is_null(root))
        return 0;
    if (root->kind != NODE_MAP)
        return fail_node(loader, root, "is no compose file: its top level is not a mapping");
    if (!is_first_form(root)) {
        struct node *name = map_get(root, "name");
        if (take_includes(loader, map_get(root, "include"), unit) < 0 ||
            take_networks(loader, map_get(root, "networks"), unit) < 0)
            return -1;
        if (name && name->kind == NODE_SCALAR && unit == loader->name_unit)
            loader->name = name;
    }
    services = services_of(root);
    return node_is_null(services) ? 0 : take_services(loader, file, services, unit);
}

/* `from`: what includes it; NULL: the user. */
static int take_path(struct loader *loader, const char *path, const struct unit *unit,
                     const struct node *from)
{
    struct error error;
    struct file *file = open_file(loader, path, &error);

    if (!file && from) {
        add_unknown(loader, "", &from->place, "include: %s", error.text);
        return 0;
    }
    if (!file) {
        *loader->error = error;
        return -1;
    }
    if (from)
        add_reference(loader, path, &from->place);
    if (file->failed)
        return -1;
    for (size_t i = 0; i < file->count; i++)
        if (take_document(loader, file, file->documents[i], unit) < 0)
            return -1;
    return 0;
}

/* The first file is the first of the sources, whatever else is read. */
static int read_first(struct loader *loader, const char *path)
{
    const struct file *file = open_file(loader, path, loader->error);

    return !file || file->failed ? -1 : 0;
}

/* COMPOSE_ENV_FILES: paths between commas. */
static int read_env_files(struct loader *loader, const char *paths, struct variables *variables)
{
    for (size_t length; *paths; paths += length + (paths[length] == ',')) {
        length = strcspn(paths, ",");
        if (length > 0 &&
            add_variables(loader, variables, arena_bytes(loader->arena, paths, length),
                          loader->error) < 0)
            return -1;
    }
    return 0;
}

/* What was asked for must be there; a .env need not, and may be switched off. */
static int read_variables(struct loader *loader, const struct compose_request *request,
                          const char *folder, struct variables *variables)
{
    const char *named = getenv("COMPOSE_ENV_FILES"), *off = getenv("COMPOSE_DISABLE_ENV_FILE");
    struct error error;

    for (size_t i = 0; request->env_files && request->env_files[i]; i++)
        if (add_variables(loader, variables, request->env_files[i], loader->error) < 0)
            return -1;
    if (request->env_files)
        return 0;
    if (named && *named)
        return read_env_files(loader, named, variables);
    if (!off || !strchr("1tT", *off) || !*off)
        add_variables(loader, variables, path_join(loader->arena, folder, ".env"), &error);
    return 0;
}

int load_files(struct loader *loader, const struct compose_request *request)
{
    struct variables *shell = arena_alloc(loader->arena, 1, sizeof *shell);
    struct variables *variables = arena_alloc(loader->arena, 1, sizeof *variables);
    struct unit *unit = arena_alloc(loader->arena, 1, sizeof *unit);

    variables_of_shell(loader->arena, shell);
    variables->outer = shell;
    loader->variables = variables;
    *unit = (struct unit){path_folder(loader->arena, request->files[0]), variables};
    if (read_first(loader, request->files[0]) < 0)
        return -1;
    if (read_variables(loader, request, unit->folder, variables) < 0)
        return -1;
    loader->name_unit = unit;
    for (size_t i = 0; request->files[i]; i++)
        if (take_path(loader, request->files[i], unit, NULL) < 0)
            return -1;
    if (loader->services.count == 0)
        return error_set(loader->error, EXIT_INPUT, "%s has no services: it is no compose file",
                         request->files[0]);
    return 0;
}
