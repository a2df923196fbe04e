/* A service of the model, from what its layers say; and where its file can be added to. */
#include "cluster/compose/reading.h"

#include <string.h>

#include "cluster/base/number.h"

/* ---- Gaps */

static size_t line_end(const struct source *source, size_t at)
{
    const char *newline =
        at < source->length ? memchr(source->bytes + at, '\n', source->length - at) : NULL;
    size_t end = newline ? (size_t)(newline - source->bytes) : source->length;

    return end > at && source->bytes[end - 1] == '\r' ? end - 1 : end;
}

/* Behind the last entry of a block that is the service's own. */
static struct compose_gap gap_in(const struct node *node, bool shared)
{
    const struct source *source = node->place.source;

    if (shared || node->flow || node->kind == NODE_SCALAR || node->count == 0)
        return (struct compose_gap){0};
    return (struct compose_gap){.source = source,
                                .at = line_end(source, node->place.end),
                                .indent = node->place.column - 1,
                                .list = node->kind == NODE_LIST};
}

static struct compose_gap gap_of_key(struct reading *reading, const char *key)
{
    struct values values;

    values_read(reading->loader, reading->draft, key, &values);
    for (size_t i = values.count; i-- > 0;) {
        struct compose_gap gap = gap_in(values.list[i].node, values.list[i].shared);
        gap.given = true;
        if (gap.source || i == 0)
            return gap;
    }
    return (struct compose_gap){0};
}

static void read_gaps(struct reading *reading)
{
    struct compose_service *service = reading->service;

    service->environment_gap = gap_of_key(reading, "environment");
    service->ports_gap = gap_of_key(reading, "ports");
    for (size_t i = reading->draft->count; i-- > 0 && !service->service_gap.source;) {
        const struct layer *layer = &reading->draft->layers[i];
        service->service_gap = gap_in(layer->map, layer->shared || layer->map->shared);
    }
}

/* ---- The rest */

static int read_texts(struct reading *reading)
{
    struct compose_service *service = reading->service;

    return text_of_key(reading, "image", &service->image) < 0 ||
                   text_of_key(reading, "container_name", &service->container_name) < 0 ||
                   text_of_key(reading, "hostname", &service->hostname) < 0
               ? -1
               : 0;
}

static int read_lists(struct reading *reading)
{
    struct compose_service *service = reading->service;

    return read_words(reading, "depends_on", &service->depends_on) < 0 ||
                   read_words(reading, "links", &service->links) < 0 ||
                   read_words(reading, "profiles", &service->profiles) < 0
               ? -1
               : 0;
}

static int read_replicas(struct reading *reading)
{
    struct values deploys, values;
    struct compose_text text;
    int64_t count;

    reading->service->replicas = 1;
    values_read(reading->loader, reading->draft, "deploy", &deploys);
    values_below(reading->loader, &deploys, "replicas", &values);
    if (values.count == 0)
        values_read(reading->loader, reading->draft, "scale", &values);
    if (values.count == 0)
        return 0;
    if (text_read(reading, &values.list[values.count - 1], "replicas", &text) < 0)
        return -1;
    if (number_in_range(text.text, 0, 1000000, &count))
        reading->service->replicas = (long)count;
    return 0;
}

static int read_commands(struct reading *reading)
{
    struct compose_service *service = reading->service;

    return read_command(reading, "command", &service->command, &service->command_count,
                        &service->has_command) < 0 ||
                   read_command(reading, "entrypoint", &service->entrypoint,
                                &service->entrypoint_count, NULL) < 0
               ? -1
               : 0;
}

static int read_service(struct reading *reading)
{
    static int (*const readers[])(struct reading *) = {
        read_texts,   read_build, read_environment, read_hosts,    read_ports,       read_uses,
        read_volumes, read_lists, read_replicas,    read_commands, read_healthcheck,
    };

    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (readers[i](reading) < 0)
            return -1;
    read_gaps(reading);
    return 0;
}

int load_services(struct loader *loader)
{
    struct compose *compose = loader->compose;

    compose->services =
        arena_alloc(loader->arena, loader->services.count + 1, sizeof *compose->services);
    for (size_t i = 0; i < loader->services.count; i++) {
        struct reading reading = {.loader = loader,
                                  .draft = &loader->services.list[i],
                                  .service = &compose->services[compose->service_count]};
        if (reading.draft->removed)
            continue;
        reading.service->name = arena_text(loader->arena, reading.draft->name);
        reading.service->place = reading.draft->place;
        if (read_service(&reading) < 0)
            return -1;
        names_set(loader->arena, &loader->owner->services, reading.service->name,
                  strlen(reading.service->name), compose->service_count++);
    }
    return 0;
}
