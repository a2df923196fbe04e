/* endpoint.c: lists of listeners as Kafka reads them.
 *
 * Kafka trims a property's value (ConfigDef.parseType), splits at commas with
 * any blanks around them and leaves out empty items (Csv.parseCsvList), and
 * wants all of an item to match
 * ^(.*)://\[?([0-9a-zA-Z\-%._:]*)\]?:(-?[0-9]+)  with a port that fits an int
 * (EndPoint.scala up to 3.8, SocketServerConfigs.java since): the same from
 * 0.10.2 to 4.1. Names become capitals (ListenerName.normalised). */
#include "cluster/doctor/image_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/base/number.h"

char *text_upper(const char *text, size_t length)
{
    char *upper = mem_bytes(text, length);

    for (size_t i = 0; i < length; i++)
        upper[i] = (char)toupper((unsigned char)upper[i]);
    return upper;
}

bool list_next(const char *text, size_t *at, size_t *start, size_t *length)
{
    while (text[*at]) {
        size_t end = *at + strcspn(text + *at, ",");
        size_t from = *at, to = end;

        *at = text[end] ? end + 1 : end;
        while (from < to && isspace((unsigned char)text[from]))
            from++;
        while (to > from && isspace((unsigned char)text[to - 1]))
            to--;
        if (to > from) {
            *start = from;
            *length = to - from;
            return true;
        }
    }
    return false;
}

char **list_read(const char *text)
{
    size_t at = 0, start, length, count = 0;
    char **list = mem_alloc(1, sizeof *list);

    while (count < LIMIT_LISTENERS && list_next(text, &at, &start, &length)) {
        list = mem_grow(list, count + 2, sizeof *list);
        list[count++] = mem_bytes(text + start, length);
        list[count] = NULL;
    }
    return list;
}

bool list_gap(const char *text)
{
    size_t items = 0, commas = 0, at = 0, start, length;

    while (list_next(text, &at, &start, &length))
        items++;
    for (; *text; text++)
        commas += *text == ',';
    return commas && items <= commas;
}

void list_free(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

/* The last "://" of the item, as the greedy (.*) finds it. */
static const char *scheme_end(const char *item, size_t length)
{
    for (size_t i = length; i >= 3; i--)
        if (!memcmp(item + i - 3, "://", 3))
            return item + i - 3;
    return NULL;
}

static bool host_bytes(const char *host, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)host[i]) && !strchr("-%._:", host[i]))
            return false;
    return true;
}

static bool read_item(const char *item, size_t length, struct endpoint *endpoint)
{
    const char *scheme = scheme_end(item, length), *end = item + length, *host, *colon = end;
    int64_t port;
    size_t size;

    if (!scheme)
        return false;
    host = scheme + 3;
    while (colon > host && colon[-1] != ':')
        colon--;
    if (colon == host || !number_int64(colon, (size_t)(end - colon), &port) ||
        port != (int64_t)(int)port)
        return false;
    size = (size_t)(colon - 1 - host);
    if (size && host[0] == '[')
        host++, size--;
    if (size && host[size - 1] == ']')
        size--;
    if (!host_bytes(host, size))
        return false;
    endpoint->name = text_upper(item, (size_t)(scheme - item));
    endpoint->host = mem_bytes(host, size);
    endpoint->port = (int)port;
    return true;
}

static struct endpoint *add(struct endpoints *endpoints, const struct endpoint *endpoint)
{
    endpoints->list = mem_grow(endpoints->list, endpoints->count + 1, sizeof *endpoints->list);
    endpoints->list[endpoints->count] = *endpoint;
    return &endpoints->list[endpoints->count++];
}

void endpoints_read(struct endpoints *endpoints, const struct property *property)
{
    size_t at = 0, start, length;

    *endpoints = (struct endpoints){.property = property};
    while (property && endpoints->count < LIMIT_LISTENERS &&
           list_next(property->value->text, &at, &start, &length)) {
        struct endpoint endpoint = {.value = property->value, .offset = start, .length = length};

        if (read_item(property->value->text + start, length, &endpoint))
            add(endpoints, &endpoint);
        else if (!endpoints->bad)
            endpoints->bad = mem_bytes(property->value->text + start, length);
    }
}

static bool listed(char *const *list, const char *text)
{
    for (; list && *list; list++)
        if (!strcmp(*list, text))
            return true;
    return false;
}

void endpoints_copy(struct endpoints *to, const struct endpoints *from, char *const *without)
{
    *to = (struct endpoints){.property = from->property};
    for (size_t i = 0; i < from->count; i++) {
        struct endpoint endpoint = from->list[i];

        if (listed(without, endpoint.name))
            continue;
        endpoint.name = mem_text(endpoint.name);
        endpoint.host = mem_text(endpoint.host);
        add(to, &endpoint);
    }
}

void endpoints_free(struct endpoints *endpoints)
{
    for (size_t i = 0; i < endpoints->count; i++) {
        free(endpoints->list[i].name);
        free(endpoints->list[i].host);
    }
    free(endpoints->list);
    free(endpoints->bad);
}

const struct endpoint *endpoint_find(const struct endpoints *endpoints, const char *name)
{
    for (size_t i = 0; i < endpoints->count; i++)
        if (!strcmp(endpoints->list[i].name, name))
            return &endpoints->list[i];
    return NULL;
}
