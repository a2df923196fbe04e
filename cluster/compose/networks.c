/* networks, of services and of the project; what else joins services. */
#include "cluster/compose/reading.h"

#include <string.h>

static struct compose_use *need_use(struct reading *reading, const char *network,
                                    const struct place *place)
{
    struct compose_service *service = reading->service;
    struct compose_use *use;

    for (size_t i = 0; i < service->use_count; i++)
        if (strcmp(service->uses[i].network, network) == 0)
            return &service->uses[i];
    use = arena_add(reading->loader->arena, &service->uses, &service->use_count, sizeof *use);
    use->network = arena_text(reading->loader->arena, network);
    use->aliases = arena_alloc(reading->loader->arena, 1, sizeof *use->aliases);
    use->address = arena_text(reading->loader->arena, "");
    use->place = *place;
    return use;
}

/* More texts of a list of names, of several layers; each once. */
struct word_list {
    char **words;
    size_t count;
    struct names seen;
};

static void put_word(struct arena *arena, struct word_list *list, char *word)
{
    if (names_find(&list->seen, word, strlen(word)) != NAMES_NONE)
        return;
    names_set(arena, &list->seen, word, strlen(word), 1);
    *(char **)arena_add(arena, &list->words, &list->count, sizeof word) = word;
}

/* A list's texts, or a map's keys. */
static int put_words(struct reading *reading, const struct value *value, const char *what,
                     struct word_list *list)
{
    struct loader *loader = reading->loader;
    const struct node *node = value->node;
    struct value item = *value;
    struct compose_text text;

    if (node->kind == NODE_SCALAR)
        return fail_node(loader, node, "%s of the service %s must be a list", what,
                         reading->draft->name);
    if (!budget_spend(&loader->budget, node->count))
        return fail_node(loader, node, "aliases make too much of this file");
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == NODE_MAP) {
            put_word(loader->arena, list, arena_text(loader->arena, node->entries[i].key->text));
            continue;
        }
        item.node = node->entries[i].value;
        if (node_is_null(item.node))
            continue;
        if (text_read(reading, &item, what, &text) < 0)
            return -1;
        put_word(loader->arena, list, text.text);
    }
    return 0;
}

static char **words_of(struct arena *arena, const struct word_list *list)
{
    return list->words ? list->words : arena_alloc(arena, 1, sizeof *list->words);
}

int read_words(struct reading *reading, const char *key, char ***words)
{
    struct word_list list = {0};
    struct values values;

    values_read(reading->loader, reading->draft, key, &values);
    for (size_t i = 0; i < values.count; i++)
        if (put_words(reading, &values.list[i], key, &list) < 0)
            return -1;
    *words = words_of(reading->loader->arena, &list);
    return 0;
}

/* What a network's mapping in a service says: aliases, ipv4_address. */
static int fill_use(struct reading *reading, const struct value *value, struct compose_use *use)
{
    struct value aliases = *value, address = *value;
    struct word_list list = {0};

    aliases.node = map_get(value->node, "aliases");
    address.node = map_get(value->node, "ipv4_address");
    for (size_t i = 0; use->aliases[i]; i++)
        put_word(reading->loader->arena, &list, use->aliases[i]);
    if (!node_is_null(aliases.node) && put_words(reading, &aliases, "aliases", &list) < 0)
        return -1;
    use->aliases = words_of(reading->loader->arena, &list);
    if (!node_is_null(address.node)) {
        struct compose_text text;
        if (text_read(reading, &address, "ipv4_address", &text) < 0)
            return -1;
        use->address = text.text;
    }
    return 0;
}

static void remove_use(struct compose_service *service, const char *network)
{
    size_t kept = 0;

    for (size_t i = 0; i < service->use_count; i++)
        if (strcmp(service->uses[i].network, network) != 0)
            service->uses[kept++] = service->uses[i];
    service->use_count = kept;
}

static int take_use_map(struct reading *reading, const struct value *value)
{
    struct value item = *value;

    for (size_t i = 0; i < value->node->count; i++) {
        const struct entry *entry = &value->node->entries[i];
        struct compose_use *use;
        if (entry->value->tag == TAG_RESET) {
            remove_use(reading->service, entry->key->text);
            continue;
        }
        use = need_use(reading, entry->key->text, &entry->key->place);
        item.node = entry->value;
        if (item.node->kind == NODE_MAP && fill_use(reading, &item, use) < 0)
            return -1;
    }
    return 0;
}

static int take_use_list(struct reading *reading, const struct value *value)
{
    struct value item = *value;
    struct compose_text text;

    for (size_t i = 0; i < value->node->count; i++) {
        item.node = value->node->entries[i].value;
        if (node_is_null(item.node))
            continue;
        if (text_read(reading, &item, "a network", &text) < 0)
            return -1;
        need_use(reading, text.text, &text.place);
    }
    return 0;
}

static int take_uses(struct reading *reading, const struct value *value)
{
    const struct node *node = value->node;

    if (node->kind == NODE_SCALAR)
        return fail_node(reading->loader, node,
                         "networks of the service %s must be a list or a mapping",
                         reading->draft->name);
    /* Each is looked for among the others. */
    if (!budget_spend(&reading->loader->budget, node->count * (node->count / 16 + 1)))
        return fail_node(reading->loader, node, "too many networks");
    return node->kind == NODE_MAP ? take_use_map(reading, value) : take_use_list(reading, value);
}

int read_uses(struct reading *reading)
{
    struct compose_service *service = reading->service;
    struct values values;

    if (text_of_key(reading, "network_mode", &service->network_mode) < 0)
        return -1;
    if (!*service->network_mode.text && text_of_key(reading, "net", &service->network_mode) < 0)
        return -1;
    if (*service->network_mode.text)
        return 0;
    values_read(reading->loader, reading->draft, "networks", &values);
    for (size_t i = 0; i < values.count; i++)
        if (take_uses(reading, &values.list[i]) < 0)
            return -1;
    if (service->use_count == 0)
        need_use(reading, "default", &(struct place){.style = PLACE_NONE});
    return 0;
}

/* ---- Of the project */

static bool is_true(const char *text)
{
    static const char *const words[] = {"true", "True", "TRUE", "yes", "Yes",
                                        "YES",  "on",   "On",   "ON",  "1"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

/* "" if no layer has it; of the draft's own or of its `external:` mapping. */
static struct compose_text network_text(struct loader *loader, const struct draft *draft,
                                        const char *key, const char *below)
{
    struct values values, inner;
    struct compose_text text = text_empty(loader);
    struct reading reading = {.loader = loader, .draft = draft};
    const struct values *from = &values;

    values_read(loader, draft, key, &values);
    if (below) {
        values_below(loader, &values, below, &inner);
        from = &inner;
    }
    if (from->count && from->list[from->count - 1].node->kind == NODE_SCALAR)
        text_read(&reading, &from->list[from->count - 1], key, &text);
    return text;
}

static bool is_external(struct loader *loader, const struct draft *draft)
{
    struct values values;

    values_read(loader, draft, "external", &values);
    if (values.count && values.list[values.count - 1].node->kind == NODE_MAP)
        return true;
    return is_true(network_text(loader, draft, "external", NULL).text);
}

static void add_network(struct loader *loader, const struct draft *draft)
{
    struct compose *compose = loader->compose;
    struct arena *arena = loader->arena;
    struct compose_network *network =
        arena_add(arena, &compose->networks, &compose->network_count, sizeof *network);

    network->key = arena_text(arena, draft->name);
    network->place = draft->place;
    network->external = is_external(loader, draft);
    network->internal = is_true(network_text(loader, draft, "internal", NULL).text);
    network->name = network_text(loader, draft, "name", NULL).text;
    if (!*network->name)
        network->name = network_text(loader, draft, "external", "name").text;
    if (!*network->name)
        network->name = network->external
                            ? network->key
                            : arena_format(arena, "%s_%s", compose->project, network->key);
}

/* A network that a service uses and no file names: Compose refuses it, unless
 * it is the default one; another file may have it. */
static void add_used(struct loader *loader, const struct compose_service *service,
                     const struct compose_use *use, struct names *known)
{
    struct draft draft = {.name = use->network, .place = use->place};

    if (names_find(known, use->network, strlen(use->network)) != NAMES_NONE)
        return;
    names_set(loader->arena, known, use->network, strlen(use->network), 1);
    if (strcmp(use->network, "default") != 0)
        add_unknown(loader, service->name, &use->place, "the network %s is not in this file",
                    use->network);
    add_network(loader, &draft);
}

int load_networks(struct loader *loader)
{
    const struct compose *compose = loader->compose;
    struct names known = {0};

    for (size_t i = 0; i < loader->networks.count; i++) {
        const struct draft *draft = &loader->networks.list[i];
        names_set(loader->arena, &known, draft->name, strlen(draft->name), 1);
        add_network(loader, draft);
    }
    for (size_t i = 0; i < compose->service_count; i++)
        for (size_t k = 0; k < compose->services[i].use_count; k++)
            add_used(loader, &compose->services[i], &compose->services[i].uses[k], &known);
    return 0;
}
