/* What the layers of a service say, by the Compose specification's rules of merging. */
#include "cluster/compose/reading.h"

#include <string.h>

#include "cluster/base/limits.h"

/* Of most keys null says nothing; of these it takes away (compose-go's override.Merge). */
static bool null_clears(const char *key)
{
    return strcmp(key, "command") == 0 || strcmp(key, "entrypoint") == 0 ||
           strcmp(key, "test") == 0;
}

static void take_entry(struct loader *loader, const struct entry *entry, const struct layer *layer,
                       bool shared, struct values *values)
{
    struct node *node = entry->value;

    if (node->tag != TAG_NONE || (node_is_null(node) && null_clears(entry->key->text)))
        values->count = 0;
    if (node->tag == TAG_RESET || node_is_null(node))
        return;
    *(struct value *)arena_add(loader->arena, &values->list, &values->count, sizeof(struct value)) =
        (struct value){node, layer, shared || entry->shared || node->shared};
}

void values_read(struct loader *loader, const struct draft *draft, const char *key,
                 struct values *values)
{
    *values = (struct values){0};
    for (size_t i = 0; i < draft->count; i++) {
        const struct layer *layer = &draft->layers[i];
        const struct entry *entry = map_find(layer->map, key);
        if (entry)
            take_entry(loader, entry, layer, layer->shared || layer->map->shared, values);
    }
}

void values_below(struct loader *loader, const struct values *above, const char *key,
                  struct values *values)
{
    *values = (struct values){0};
    for (size_t i = 0; i < above->count; i++) {
        const struct entry *entry = map_find(above->list[i].node, key);
        if (entry)
            take_entry(loader, entry, above->list[i].layer, above->list[i].shared, values);
    }
}

struct compose_text text_empty(struct loader *loader)
{
    return (struct compose_text){.text = arena_text(loader->arena, "")};
}

int text_read(struct reading *reading, const struct value *value, const char *what,
              struct compose_text *text)
{
    struct loader *loader = reading->loader;
    const struct node *node = value->node;
    const char *missing = NULL;

    if (node->kind != NODE_SCALAR)
        return fail_node(loader, node, "%s of the service %s must be a text", what,
                         reading->draft->name);
    if (node->length > LIMIT_COMPOSE_VALUE)
        return fail_node(loader, node, "%s of the service %s has %zu bytes, more than %d", what,
                         reading->draft->name, node->length, LIMIT_COMPOSE_VALUE);
    *text = (struct compose_text){.place = node->place};
    interpolate(loader->arena, &loader->budget, value->layer->unit->variables, node->text,
                node->length, text, &missing);
    if (missing)
        add_unknown(loader, reading->draft->name, &node->place, "the variable %s is needed: %s",
                    text->unset ? text->unset : "", missing);
    return 0;
}

int text_of_key(struct reading *reading, const char *key, struct compose_text *text)
{
    struct values values;

    values_read(reading->loader, reading->draft, key, &values);
    if (values.count == 0) {
        *text = text_empty(reading->loader);
        return 0;
    }
    return text_read(reading, &values.list[values.count - 1], key, text);
}
