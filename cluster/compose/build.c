/* build, volumes: what a service takes from its folders. */
#include "cluster/compose/reading.h"

#include <ctype.h>
#include <string.h>

#include "cluster/base/limits.h"

/* ---- build */

/* The strongest text below `build`, "" if there is none. */
static int build_text(struct reading *reading, const struct values *builds, const char *key,
                      struct value *from, struct compose_text *text)
{
    struct values values;

    values_below(reading->loader, builds, key, &values);
    *text = text_empty(reading->loader);
    if (values.count == 0)
        return 0;
    *from = values.list[values.count - 1];
    return text_read(reading, from, key, text);
}

/* `build: FOLDER`, or its `context`. */
static int build_context(struct reading *reading, const struct values *builds, char **folder)
{
    struct value from = builds->list[0];
    struct compose_text text = text_empty(reading->loader);

    if (build_text(reading, builds, "context", &from, &text) < 0)
        return -1;
    for (size_t i = builds->count; !*text.text && i-- > 0;)
        if (builds->list[i].node->kind == NODE_SCALAR) {
            from = builds->list[i];
            if (text_read(reading, &from, "build", &text) < 0)
                return -1;
        }
    *folder = strstr(text.text, "://") || strncmp(text.text, "git@", 4) == 0
                  ? NULL
                  : path_join(reading->loader->arena, from.layer->unit->folder,
                              *text.text ? text.text : ".");
    return 0;
}

/* `args` as a map or a list. */
static int build_arguments(struct reading *reading, const struct values *builds,
                           struct variables *arguments)
{
    struct arena *arena = reading->loader->arena;
    struct values values;

    values_below(reading->loader, builds, "args", &values);
    for (size_t i = 0; i < values.count; i++) {
        struct value item = values.list[i];
        const struct node *node = item.node;
        if (!budget_spend(&reading->loader->budget, node->count))
            return fail_node(reading->loader, node, "aliases make too much of this file");
        for (size_t k = 0; k < node->count; k++) {
            struct compose_text text;
            char *equals;
            item.node = node->entries[k].value;
            if (node_is_null(item.node) || item.node->kind != NODE_SCALAR)
                continue;
            if (text_read(reading, &item, "args", &text) < 0)
                return -1;
            if (node->kind == NODE_MAP) {
                plain_read(reading->loader, item.node, &text);
                variables_set(arena, arguments, node->entries[k].key->text, text.text);
            } else if ((equals = strchr(text.text, '='))) {
                *equals = '\0';
                variables_set(arena, arguments, text.text, equals + 1);
            }
        }
    }
    return 0;
}

int read_build(struct reading *reading)
{
    struct loader *loader = reading->loader;
    struct compose_text file, target, inline_text;
    struct variables arguments = {0};
    struct values builds;
    struct value from;
    const struct source *source;
    struct error error;
    char *folder;

    reading->service->build_base = text_empty(loader).text;
    values_read(loader, reading->draft, "build", &builds);
    if (builds.count == 0)
        return 0;
    reading->service->build = true;
    if (build_context(reading, &builds, &folder) < 0 ||
        build_text(reading, &builds, "dockerfile", &from, &file) < 0 ||
        build_text(reading, &builds, "target", &from, &target) < 0 ||
        build_text(reading, &builds, "dockerfile_inline", &from, &inline_text) < 0 ||
        build_arguments(reading, &builds, &arguments) < 0)
        return -1;
    if (*inline_text.text) {
        reading->service->build_base = dockerfile_base(
            loader->arena, inline_text.text, strlen(inline_text.text), target.text, &arguments);
        return 0;
    }
    if (!folder)
        return 0;
    source =
        load_source(loader, path_join(loader->arena, folder, *file.text ? file.text : "Dockerfile"),
                    LIMIT_DOCKERFILE_BYTES, &error);
    if (source && budget_spend(&loader->budget, source->length / 16))
        reading->service->build_base =
            dockerfile_base(loader->arena, source->bytes, source->length, target.text, &arguments);
    return 0;
}

/* ---- volumes */

static bool is_bind(const char *source)
{
    return strchr("./~", *source) && *source;
}

/* C:\folder: the colon belongs to the path. */
static size_t source_length(const char *text)
{
    size_t from =
        isalpha((unsigned char)text[0]) && text[1] == ':' && strchr("/\\", text[2]) ? 2 : 0;

    return from + strcspn(text + from, ":");
}

/* Without the slashes at its end, as Compose has it. */
static char *clean_target(struct arena *arena, const char *target)
{
    size_t length = strlen(target);

    while (length > 1 && target[length - 1] == '/')
        length--;
    return arena_bytes(arena, target, length);
}

/* Of two volumes with one target the later holds. */
static void put_volume(struct reading *reading, struct names *targets, const struct value *item,
                       const char *source, const char *target, bool bind)
{
    struct compose_service *service = reading->service;
    struct arena *arena = reading->loader->arena;
    struct compose_volume volume = {.source =
                                        bind ? path_join(arena, item->layer->unit->folder, source)
                                             : arena_text(arena, ""),
                                    .target = clean_target(arena, target)};
    size_t length = strlen(volume.target), at = names_find(targets, volume.target, length);

    if (at == NAMES_NONE) {
        at = service->volume_count;
        names_set(arena, targets, volume.target, length, at);
        arena_add(arena, &service->volumes, &service->volume_count, sizeof volume);
    }
    service->volumes[at] = volume;
}

static int take_short(struct reading *reading, struct names *targets, const struct value *item)
{
    struct arena *arena = reading->loader->arena;
    struct compose_text text;
    size_t length;
    char *source;

    if (text_read(reading, item, "a volume", &text) < 0)
        return -1;
    length = source_length(text.text);
    if (!text.text[length]) {
        put_volume(reading, targets, item, "", text.text, false);
        return 0;
    }
    source = arena_bytes(arena, text.text, length);
    text.text += length + 1;
    text.text[strcspn(text.text, ":")] = '\0';
    put_volume(reading, targets, item, source, text.text, is_bind(source));
    return 0;
}

static int take_long(struct reading *reading, struct names *targets, const struct value *item)
{
    struct value part = *item;
    struct compose_text source = text_empty(reading->loader), target = source;

    part.node = map_get(item->node, "source");
    if (!part.node)
        part.node = map_get(item->node, "src");
    if (!node_is_null(part.node) && text_read(reading, &part, "source", &source) < 0)
        return -1;
    part.node = map_get(item->node, "target");
    if (!node_is_null(part.node) && text_read(reading, &part, "target", &target) < 0)
        return -1;
    part.node = map_get(item->node, "type");
    put_volume(reading, targets, item, source.text, target.text,
               *source.text && (is_bind(source.text) ||
                                (!node_is_null(part.node) && part.node->kind == NODE_SCALAR &&
                                 strcmp(part.node->text, "bind") == 0)));
    return 0;
}

static int take_volumes(struct reading *reading, struct names *targets, const struct value *value)
{
    struct loader *loader = reading->loader;
    struct value item = *value;

    if (value->node->kind != NODE_LIST)
        return fail_node(loader, value->node, "volumes of the service %s must be a list",
                         reading->draft->name);
    if (!budget_spend(&loader->budget, value->node->count))
        return fail_node(loader, value->node, "aliases make too much of this file");
    for (size_t i = 0; i < value->node->count; i++) {
        item.node = value->node->entries[i].value;
        if (node_is_null(item.node) || item.node->kind == NODE_LIST)
            continue;
        if ((item.node->kind == NODE_MAP ? take_long(reading, targets, &item)
                                         : take_short(reading, targets, &item)) < 0)
            return -1;
    }
    return 0;
}

int read_volumes(struct reading *reading)
{
    struct names targets = {0};
    struct values values;

    values_read(reading->loader, reading->draft, "volumes", &values);
    for (size_t i = 0; i < values.count; i++)
        if (take_volumes(reading, &targets, &values.list[i]) < 0)
            return -1;
    return 0;
}
