#include "cluster/probe/wire.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/limits.h"
#include "cluster/base/number.h"

enum api { API_METADATA = 3, API_SASL_HANDSHAKE = 17, API_VERSIONS = 18, API_CONFIGS = 32 };

#define CLIENT           "tally-doctor"
#define RESOURCE_BROKER  4
#define METADATA_NEWEST  4 /* from 5 on only topics change; 9 has another encoding */
#define CONFIGS_NEWEST   2
#define UNSUPPORTED_SASL 33 /* UNSUPPORTED_SASL_MECHANISM */
#define NO_SASL_HERE     34 /* ILLEGAL_SASL_STATE */

/* ---- Requests */

static void add_int(struct buf *to, int64_t value, int bytes)
{
    while (bytes-- > 0)
        buf_char(to, (char)(value >> (8 * bytes)));
}

static void add_string(struct buf *to, const char *text)
{
    add_int(to, (int64_t)strlen(text), 2);
    buf_text(to, text);
}

static void begin(struct buf *to, enum api api, int version)
{
    add_int(to, 0, 4); /* the length, once it is known */
    add_int(to, api, 2);
    add_int(to, version, 2);
    add_int(to, api, 4); /* the correlation id: each is asked once on a connection */
    add_string(to, CLIENT);
}

static void end(struct buf *to)
{
    size_t length = to->length - 4;

    for (int i = 0; i < 4; i++)
        to->data[i] = (char)(length >> (24 - 8 * i));
}

void wire_ask_versions(struct buf *request)
{
    begin(request, API_VERSIONS, 0);
    end(request);
}

void wire_ask_metadata(struct buf *request, int version)
{
    begin(request, API_METADATA, version);
    add_int(request, 0, 4); /* no topics */
    if (version >= 4)
        add_int(request, 0, 1); /* and none to be created */
    end(request);
}

void wire_ask_identity(struct buf *request, int version, const struct wire_metadata *metadata)
{
    begin(request, API_CONFIGS, version);
    add_int(request, (int64_t)metadata->count, 4);
    for (size_t i = 0; i < metadata->count; i++) {
        char *name = mem_format("%d", (int)metadata->nodes[i].id);
        add_int(request, RESOURCE_BROKER, 1);
        add_string(request, name);
        add_int(request, 1, 4); /* one setting that there is not: an empty list means all */
        add_string(request, CLIENT);
        free(name);
    }
    if (version >= 1)
        add_int(request, 0, 1); /* no synonyms */
    end(request);
}

void wire_ask_mechanisms(struct buf *request)
{
    begin(request, API_SASL_HANDSHAKE, 1);
    add_string(request, CLIENT);
    end(request);
}

/* ---- What comes back */

enum wire_kind wire_look(const char *bytes, size_t count, size_t *length)
{
    const unsigned char *at = (const unsigned char *)bytes;

    /* An alert (21) or a handshake (22) of SSL 3.0 to TLS 1.3, which all say 3.x. */
    if (count >= 2 && (at[0] == 21 || at[0] == 22) && at[1] == 3)
        return WIRE_TLS;
    if (count >= 4 && memcmp(at, "HTTP", 4) == 0)
        return WIRE_HTTP;
    if (count < 4)
        return WIRE_MORE;
    *length = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    if (*length < 4 || *length > LIMIT_PROBE_ANSWER)
        return WIRE_OTHER;
    return count - 4 < *length ? WIRE_MORE : WIRE_WHOLE;
}

/* What is left of an answer; once it has ended too soon all is 0 and "". */
struct rest {
    const unsigned char *at;
    size_t left;
    bool broken;
};

static int64_t take_int(struct rest *rest, size_t bytes)
{
    uint64_t value = 0;

    if (rest->broken || rest->left < bytes) {
        rest->broken = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | rest->at[i];
    rest->at += bytes;
    rest->left -= bytes;
    return bytes == 1 ? (int8_t)value : bytes == 2 ? (int16_t)value : (int32_t)value;
}

/* A string, or a null one (length -1), as "". */
static char *take_string(struct rest *rest)
{
    int64_t length = take_int(rest, 2);
    char *text;

    if (rest->broken || length < -1 || (length > 0 && (size_t)length > rest->left)) {
        rest->broken = true;
        return mem_text("");
    }
    if (length < 0)
        length = 0;
    text = mem_bytes((const char *)rest->at, (size_t)length);
    rest->at += length;
    rest->left -= (size_t)length;
    return text;
}

static void skip_string(struct rest *rest)
{
    free(take_string(rest));
}

/* The number of items, each of at least `least` bytes. */
static size_t take_count(struct rest *rest, size_t least)
{
    int64_t count = take_int(rest, 4);

    if (count < -1 || (count > 0 && (size_t)count > rest->left / least))
        rest->broken = true;
    return rest->broken || count < 0 ? 0 : (size_t)count;
}

/* Behind the answer's header. */
static struct rest start(const char *bytes, size_t length, enum api api)
{
    struct rest rest = {(const unsigned char *)bytes, length, false};

    if (take_int(&rest, 4) != api)
        rest.broken = true;
    return rest;
}

/* The newest version that both know; -1. */
static int choose(int64_t low, int64_t high, int own_low, int own_high)
{
    int best = high < own_high ? (int)high : own_high;

    return best >= low && best >= own_low ? best : -1;
}

int wire_read_versions(const char *bytes, size_t length, struct wire_versions *versions)
{
    struct rest rest = start(bytes, length, API_VERSIONS);
    int64_t code = take_int(&rest, 2);
    size_t count = take_count(&rest, 6);

    *versions = (struct wire_versions){-1, -1};
    for (size_t i = 0; i < count; i++) {
        int64_t api = take_int(&rest, 2), low = take_int(&rest, 2), high = take_int(&rest, 2);
        if (api == API_METADATA)
            versions->metadata = choose(low, high, 1, METADATA_NEWEST);
        if (api == API_CONFIGS)
            versions->configs = choose(low, high, 0, CONFIGS_NEWEST);
    }
    return rest.broken || code != 0 || count == 0 ? -1 : 0;
}

/* Names go to the resolver, to the terminal and into commands. */
static bool is_name(const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < length; i++)
        if (name[i] <= ' ' || name[i] > '~' || name[i] == ',' || name[i] == '/')
            return false;
    return length <= LIMIT_HOST;
}

int wire_read_metadata(const char *bytes, size_t length, int version,
                       struct wire_metadata *metadata)
{
    struct rest rest = start(bytes, length, API_METADATA);
    size_t count;

    *metadata = (struct wire_metadata){0};
    if (version >= 3)
        take_int(&rest, 4); /* throttled for so long */
    count = take_count(&rest, 12);
    if (count > LIMIT_PROBE_NODES)
        rest.broken = true;
    metadata->nodes = mem_alloc(count + 1, sizeof *metadata->nodes);
    for (size_t i = 0; i < count && !rest.broken; i++) {
        struct wire_node *node = &metadata->nodes[metadata->count++];
        node->id = (int32_t)take_int(&rest, 4);
        node->host = take_string(&rest);
        node->port = (int)take_int(&rest, 4);
        skip_string(&rest); /* the rack */
        if (!is_name(node->host) || !*node->host || node->port < 1 || node->port > 65535)
            rest.broken = true;
    }
    metadata->cluster = version >= 2 ? take_string(&rest) : mem_text("");
    if (!is_name(metadata->cluster))
        rest.broken = true;
    return rest.broken ? -1 : 0;
}

void wire_metadata_free(struct wire_metadata *metadata)
{
    for (size_t i = 0; i < metadata->count; i++)
        free(metadata->nodes[i].host);
    free(metadata->nodes);
    free(metadata->cluster);
    *metadata = (struct wire_metadata){0};
}

static void skip_settings(struct rest *rest, int version)
{
    size_t count = take_count(rest, 7);

    for (size_t i = 0; i < count && !rest->broken; i++) {
        size_t synonyms;
        skip_string(rest);
        skip_string(rest);
        take_int(rest, 3); /* read-only; default or source; sensitive */
        synonyms = version >= 1 ? take_count(rest, 5) : 0;
        for (size_t j = 0; j < synonyms && !rest->broken; j++) {
            skip_string(rest);
            skip_string(rest);
            take_int(rest, 1);
        }
    }
}

int wire_read_identity(const char *bytes, size_t length, int version, int32_t *id)
{
    struct rest rest = start(bytes, length, API_CONFIGS);
    size_t count;

    *id = -1;
    take_int(&rest, 4); /* throttled for so long */
    count = take_count(&rest, 11);
    for (size_t i = 0; i < count && !rest.broken; i++) {
        int64_t code = take_int(&rest, 2), number;
        char *name;
        skip_string(&rest); /* the error in words */
        take_int(&rest, 1);
        name = take_string(&rest);
        if (code == 0 && number_in_range(name, 0, INT32_MAX, &number))
            *id = (int32_t)number;
        free(name);
        skip_settings(&rest, version);
    }
    if (rest.broken)
        *id = -1;
    return rest.broken ? -1 : 0;
}

int wire_read_mechanisms(const char *bytes, size_t length, char **names)
{
    struct rest rest = start(bytes, length, API_SASL_HANDSHAKE);
    int64_t code = take_int(&rest, 2);
    size_t count = take_count(&rest, 2);
    struct buf list = {0};

    buf_text(&list, "");
    for (size_t i = 0; i < count && !rest.broken; i++) {
        char *name = take_string(&rest);
        if (is_name(name) && list.length + strlen(name) < LIMIT_FIELD)
            buf_format(&list, "%s%s", list.length ? ", " : "", name);
        free(name);
    }
    if (code == NO_SASL_HERE)
        list.data[0] = '\0';
    else if (code != UNSUPPORTED_SASL && code != 0)
        rest.broken = true;
    *names = list.data;
    return rest.broken ? -1 : 0;
}
