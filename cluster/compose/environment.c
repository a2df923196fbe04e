/* environment, env_file, extra_hosts. */
#include "cluster/compose/reading.h"

#include <string.h>

#include "cluster/base/limits.h"

/* Pairs by their names: the last of a name holds. */
struct pairs {
    struct reading *reading;
    struct compose_pair *list;
    size_t count;
    struct names index;
    bool lists; /* a value may be a list, of which the first is taken */
};

static void put_pair(struct pairs *pairs, struct compose_pair pair)
{
    struct arena *arena = pairs->reading->loader->arena;
    size_t length = strlen(pair.name), at = names_find(&pairs->index, pair.name, length);
    struct compose_pair *slot;

    if (at >= pairs->count) {
        names_set(arena, &pairs->index, pair.name, length, pairs->count);
        slot = arena_add(arena, &pairs->list, &pairs->count, sizeof pair);
    } else {
        slot = &pairs->list[at];
    }
    *slot = pair;
}

/* NAME alone: what the shell or .env has. */
static void inherit(const struct pairs *pairs, const struct value *value, struct compose_pair *pair)
{
    const char *text = variables_get(value->layer->unit->variables, pair->name, strlen(pair->name));

    pair->value.text = arena_text(pairs->reading->loader->arena, text ? text : "");
    pair->value.place.style = PLACE_NONE;
    pair->absent = !text;
}

static int spend(struct loader *loader, const struct node *node)
{
    if (budget_spend(&loader->budget, 2))
        return 0;
    return fail_node(loader, node, "aliases and variables make too much of this file");
}

/* What is behind NAME= of a list's item. */
static void move_place(struct place *place)
{
    const char *bytes = place->source->bytes;
    size_t at = place->start, quote = place->style != PLACE_PLAIN;

    if (place->style == PLACE_BLOCK)
        return;
    while (at < place->end && bytes[at] != '=')
        at++;
    if (at == place->end)
        return;
    place->column += at + 1 - place->start + quote;
    place->start = at + 1;
}

/* "NAME=value", "NAME". */
static int take_item(struct pairs *pairs, const struct value *value, const char *separators)
{
    struct compose_pair pair = {.shared = value->shared};
    struct arena *arena = pairs->reading->loader->arena;
    char *separator;

    if (text_read(pairs->reading, value, "an item of environment or extra_hosts", &pair.value) < 0)
        return -1;
    separator = strpbrk(pair.value.text, separators);
    pair.name =
        arena_bytes(arena, pair.value.text,
                    separator ? (size_t)(separator - pair.value.text) : strlen(pair.value.text));
    if (separator) {
        pair.value.text = arena_text(arena, separator + 1);
        move_place(&pair.value.place);
    } else {
        inherit(pairs, value, &pair);
    }
    if (*pair.name)
        put_pair(pairs, pair);
    return 0;
}

static int take_list(struct pairs *pairs, const struct value *value, const char *separators)
{
    const struct node *list = value->node;

    for (size_t i = 0; i < list->count; i++) {
        struct value item = *value;
        item.node = list->entries[i].value;
        item.shared = value->shared || item.node->shared;
        if (spend(pairs->reading->loader, item.node) < 0)
            return -1;
        if (!node_is_null(item.node) && take_item(pairs, &item, separators) < 0)
            return -1;
    }
    return 0;
}

static void remove_pair(struct pairs *pairs, const char *name)
{
    size_t at = names_find(&pairs->index, name, strlen(name));

    if (at < pairs->count)
        pairs->list[at].name = NULL;
}

static int take_map(struct pairs *pairs, const struct value *value)
{
    const struct node *map = value->node;

    for (size_t i = 0; i < map->count; i++) {
        const struct entry *entry = &map->entries[i];
        struct value item = {entry->value, value->layer,
                             value->shared || entry->shared || entry->value->shared};
        struct compose_pair pair = {.name =
                                        arena_text(pairs->reading->loader->arena, entry->key->text),
                                    .shared = item.shared};
        if (spend(pairs->reading->loader, item.node) < 0)
            return -1;
        if (item.node->tag == TAG_RESET) {
            remove_pair(pairs, pair.name);
            continue;
        }
        if (pairs->lists && item.node->kind == NODE_LIST && item.node->count)
            item.node = item.node->entries[0].value;
        if (text_read(pairs->reading, &item, pair.name, &pair.value) < 0)
            return -1;
        if (node_is_null(item.node))
            inherit(pairs, &item, &pair);
        else
            plain_read(pairs->reading->loader, item.node, &pair.value);
        put_pair(pairs, pair);
    }
    return 0;
}

static int take_values(struct pairs *pairs, const char *key, const char *separators)
{
    struct values values;

    values_read(pairs->reading->loader, pairs->reading->draft, key, &values);
    for (size_t i = 0; i < values.count; i++) {
        const struct node *node = values.list[i].node;
        if (node->kind == NODE_SCALAR)
            return fail_node(pairs->reading->loader, node,
                             "%s of the service %s must be a mapping or a list", key,
                             pairs->reading->draft->name);
        if ((node->kind == NODE_LIST ? take_list(pairs, &values.list[i], separators)
                                     : take_map(pairs, &values.list[i])) < 0)
            return -1;
    }
    return 0;
}

/* ---- env_file */

static bool is_false(struct reading *reading, const struct value *item, const char *key)
{
    struct value required = {map_get(item->node, key), item->layer, false};
    struct compose_text text;

    if (node_is_null(required.node) || required.node->kind != NODE_SCALAR)
        return false;
    return text_read(reading, &required, key, &text) == 0 && strcasecmp(text.text, "false") == 0;
}

static bool is_raw(const struct node *item)
{
    const struct node *format = map_get(item, "format");

    return format && format->kind == NODE_SCALAR && strcmp(format->text, "raw") == 0;
}

/* Those of a service that were read. */
struct env_files {
    struct names seen;
    struct variables variables;
};

/* For the values of one file those of the files before it win over the project's, also where an
 * included project has its own (WithServicesEnvironmentResolved of compose-go). */
static void read_env_file(struct pairs *pairs, const struct source *source, bool raw,
                          struct env_files *files)
{
    struct loader *loader = pairs->reading->loader;
    const struct variables outer = {.outer = loader->variables, .over = &files->variables};
    struct compose_pair *list = NULL;
    size_t count = 0;

    env_file_read(loader->arena, &loader->budget, source, &outer, raw, &list, &count);
    for (size_t i = 0; i < count; i++) {
        put_pair(pairs, list[i]);
        if (!list[i].absent)
            variables_set(loader->arena, &files->variables, list[i].name, list[i].value.text);
    }
}

/* A file that is there twice stays where it was first (EnforceUnicity of compose-go, by the path
 * as it is written). */
static bool seen_before(struct loader *loader, const struct value *item, const char *path,
                        struct env_files *files)
{
    char *key = arena_format(loader->arena, "%s/%s", item->layer->unit->folder, path);

    if (names_find(&files->seen, key, strlen(key)) != NAMES_NONE)
        return true;
    names_set(loader->arena, &files->seen, key, strlen(key), 1);
    return false;
}

/* A path, or a mapping with one. */
static int take_env_file(struct pairs *pairs, const struct value *item, struct env_files *files)
{
    struct reading *reading = pairs->reading;
    struct loader *loader = reading->loader;
    struct value path = *item;
    struct compose_text text;
    const struct source *source;
    struct error error;

    if (item->node->kind == NODE_MAP)
        path.node = map_get(item->node, "path");
    if (!path.node)
        return fail_node(loader, item->node, "an env_file without a path");
    if (text_read(reading, &path, "env_file", &text) < 0)
        return -1;
    if (seen_before(loader, item, text.text, files))
        return 0;
    source = load_source(loader, path_join(loader->arena, item->layer->unit->folder, text.text),
                         LIMIT_ENV_FILE_BYTES, &error);
    if (!source && !is_false(reading, item, "required"))
        add_unknown(loader, reading->draft->name, &path.node->place, "env_file: %s", error.text);
    if (!source)
        return 0;
    add_reference(loader, source->path, &path.node->place);
    read_env_file(pairs, source, is_raw(item->node), files);
    return 0;
}

static int take_env_files(struct pairs *pairs)
{
    struct env_files files = {0};
    struct values values;

    values_read(pairs->reading->loader, pairs->reading->draft, "env_file", &values);
    for (size_t i = 0; i < values.count; i++) {
        struct value *value = &values.list[i], item = *value;
        if (value->node->kind != NODE_LIST && take_env_file(pairs, value, &files) < 0)
            return -1;
        for (size_t k = 0; value->node->kind == NODE_LIST && k < value->node->count; k++) {
            item.node = value->node->entries[k].value;
            if (!node_is_null(item.node) && take_env_file(pairs, &item, &files) < 0)
                return -1;
        }
    }
    return 0;
}

static void keep_pairs(struct pairs *pairs, struct compose_pair **list, size_t *count)
{
    size_t kept = 0;

    for (size_t i = 0; i < pairs->count; i++)
        if (pairs->list[i].name)
            pairs->list[kept++] = pairs->list[i];
    *list = pairs->list;
    *count = kept;
}

int read_environment(struct reading *reading)
{
    struct pairs pairs = {.reading = reading};

    if (take_env_files(&pairs) < 0 || take_values(&pairs, "environment", "=") < 0)
        return -1;
    keep_pairs(&pairs, &reading->service->environment, &reading->service->environment_count);
    return 0;
}

int read_hosts(struct reading *reading)
{
    struct pairs pairs = {.reading = reading, .lists = true};

    if (take_values(&pairs, "extra_hosts", ":=") < 0)
        return -1;
    keep_pairs(&pairs, &reading->service->hosts, &reading->service->host_count);
    return 0;
}
