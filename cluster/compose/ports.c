/* ports: "[[IP:]HOST:]CONTAINER[/PROTOCOL]", each with ranges, and the long form.
 * As go-connections/nat reads them (ParsePortSpec, splitParts). */
#include "cluster/compose/reading.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/limits.h"

struct range {
    int first, last;
};

struct spec {
    char *ip;
    struct range published, target; /* 0: whatever is free */
    struct compose_text text;
};

struct port_list {
    struct reading *reading;
    struct names seen;
};

/* 0 ... 65535; -1: none. */
static int port_number(const char *text, size_t length)
{
    int number = 0;

    if (length == 0 || length > 5)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]))
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number <= 65535 ? number : -1;
}

/* "9092" or "9092-9094". */
static bool read_range(const char *text, size_t length, struct range *range)
{
    const char *dash = memchr(text, '-', length);
    size_t first = dash ? (size_t)(dash - text) : length;

    range->first = port_number(text, first);
    range->last = dash ? port_number(dash + 1, length - first - 1) : range->first;
    return range->first >= 0 && range->last >= range->first;
}

/* The last of the parts between colons, taken off `length`; brackets hold an IPv6 address. */
static size_t last_part(const char *text, size_t *length)
{
    size_t end = *length, part = 0;

    while (part < end && text[end - part - 1] != ':' && text[end - part - 1] != ']')
        part++;
    *length = end - part;
    if (*length > 0 && text[*length - 1] == ':')
        --*length;
    return part;
}

static void set_ip(struct arena *arena, struct spec *spec, const char *text, size_t length)
{
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    spec->ip = arena_bytes(arena, text, length);
}

/* One host port for several of the container's, or the other way round: the engine takes a free
 * one. */
static bool fit(struct spec *spec)
{
    int targets = spec->target.last - spec->target.first;
    int published = spec->published.last - spec->published.first;

    if (targets == 0 && published > 0)
        spec->published.last = spec->published.first;
    return spec->target.first > 0 &&
           (spec->published.first == 0 || targets == 0 || targets == published);
}

/* The short form, without its protocol. */
static bool read_short(struct arena *arena, const char *text, size_t length, struct spec *spec)
{
    size_t part = last_part(text, &length);

    if (!read_range(text + length + (text[length] == ':'), part, &spec->target))
        return false;
    if (length == 0 && text[0] != ':')
        return fit(spec);
    part = last_part(text, &length);
    if (part > 0 && !read_range(text + length + (text[length] == ':'), part, &spec->published))
        return false;
    set_ip(arena, spec, text, length);
    return fit(spec);
}

static void put_port(struct port_list *list, const struct spec *spec, int offset)
{
    struct compose_service *service = list->reading->service;
    struct arena *arena = list->reading->loader->arena;
    struct compose_port port = {.host_ip = spec->ip,
                                .published =
                                    spec->published.first ? spec->published.first + offset : 0,
                                .target = spec->target.first + offset,
                                .unset = spec->text.unset,
                                .place = spec->text.place};
    char *key = arena_format(arena, "%s %d %d", port.host_ip, port.published, port.target);

    if (names_find(&list->seen, key, strlen(key)) != NAMES_NONE)
        return;
    names_set(arena, &list->seen, key, strlen(key), 1);
    *(struct compose_port *)arena_add(arena, &service->ports, &service->port_count, sizeof port) =
        port;
}

static int put_ports(struct port_list *list, const struct node *node, const struct spec *spec)
{
    struct loader *loader = list->reading->loader;
    size_t count = (size_t)(spec->target.last - spec->target.first) + 1;

    loader->ports += count;
    if (loader->ports > LIMIT_COMPOSE_PORTS)
        return fail_node(loader, node, "more than %d published ports", LIMIT_COMPOSE_PORTS);
    for (size_t i = 0; i < count; i++)
        put_port(list, spec, (int)i);
    return 0;
}

/* What no engine would take says nothing about the ports; Compose refuses it, too. */
static void bad_port(struct port_list *list, const struct compose_text *text)
{
    add_unknown(list->reading->loader, list->reading->draft->name, &text->place,
                "\"%.100s\" is no port", text->text);
}

static int take_short(struct port_list *list, const struct value *item)
{
    struct arena *arena = list->reading->loader->arena;
    struct spec spec = {.ip = arena_text(arena, "")};
    const char *slash;
    size_t length;

    if (text_read(list->reading, item, "a port", &spec.text) < 0)
        return -1;
    plain_read(list->reading->loader, item->node, &spec.text);
    slash = strchr(spec.text.text, '/');
    length = slash ? (size_t)(slash - spec.text.text) : strlen(spec.text.text);
    if (slash && slash[1] && strcasecmp(slash + 1, "tcp") != 0)
        return 0;
    if (!read_short(arena, spec.text.text, length, &spec)) {
        bad_port(list, &spec.text);
        return 0;
    }
    return put_ports(list, item->node, &spec);
}

/* "" if the map does not say. */
static int text_below(struct reading *reading, const struct value *map, const char *key,
                      struct compose_text *text)
{
    struct value value = {map_get(map->node, key), map->layer, map->shared};

    *text = text_empty(reading->loader);
    if (node_is_null(value.node))
        return 0;
    if (text_read(reading, &value, key, text) < 0)
        return -1;
    plain_read(reading->loader, value.node, text);
    return 0;
}

static int take_long(struct port_list *list, const struct value *item)
{
    struct reading *reading = list->reading;
    struct compose_text target, published, protocol, ip;
    struct spec spec = {.ip = NULL};

    if (text_below(reading, item, "target", &target) < 0 ||
        text_below(reading, item, "published", &published) < 0 ||
        text_below(reading, item, "protocol", &protocol) < 0 ||
        text_below(reading, item, "host_ip", &ip) < 0)
        return -1;
    if (*protocol.text && strcasecmp(protocol.text, "tcp") != 0)
        return 0;
    spec.ip = ip.text;
    spec.text = *published.text || published.unset ? published : target;
    if (!read_range(target.text, strlen(target.text), &spec.target) ||
        (*published.text && !read_range(published.text, strlen(published.text), &spec.published)) ||
        !fit(&spec)) {
        bad_port(list, &spec.text);
        return 0;
    }
    return put_ports(list, item->node, &spec);
}

static int take_ports(struct port_list *list, const struct value *value)
{
    struct value item = *value;

    if (value->node->kind != NODE_LIST)
        return fail_node(list->reading->loader, value->node,
                         "ports of the service %s must be a list", list->reading->draft->name);
    for (size_t i = 0; i < value->node->count; i++) {
        item.node = value->node->entries[i].value;
        if (node_is_null(item.node))
            continue;
        if ((item.node->kind == NODE_MAP ? take_long(list, &item) : take_short(list, &item)) < 0)
            return -1;
    }
    return 0;
}

int read_ports(struct reading *reading)
{
    struct port_list list = {.reading = reading};
    struct values values;

    values_read(reading->loader, reading->draft, "ports", &values);
    for (size_t i = 0; i < values.count; i++)
        if (take_ports(&list, &values.list[i]) < 0)
            return -1;
    return 0;
}
