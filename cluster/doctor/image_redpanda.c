/* image_redpanda.c: `rpk redpanda start` and its flags.
 *
 * Source: redpanda-data/redpanda src/go/rpk/pkg/cli/redpanda/start.go: both
 * flags take lists (comma-separated, or repeated) of name://host:port, the port
 * being 9092 where none is given; REDPANDA_KAFKA_ADDRESS and
 * REDPANDA_ADVERTISE_KAFKA_ADDRESS stand in for them. The image's entry point
 * gives its words to rpk unquoted, so "--kafka-addr X" may be one item. */
#include "cluster/doctor/image_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"

/* The flag's value within one word ("--flag=X", "--flag X"), or NULL; `next`
 * when it is the next word. */
static const char *flag_value(const char *word, const char *flag, bool *next)
{
    size_t length = strlen(flag);
    const char *at = word + strspn(word, " \t\n");

    *next = false;
    if (strncmp(at, flag, length) != 0)
        return NULL;
    at += length;
    if (!*at) {
        *next = true;
        return at;
    }
    if (*at != '=' && !isspace((unsigned char)*at))
        return NULL;
    return at + 1 + strspn(at + 1, " \t\n\"'");
}

/* The value ends at a blank, but for those behind a comma, where it was one quoted word. */
static size_t value_length(const char *value)
{
    size_t length = 0;

    for (size_t i = 0; value[i] && !strchr("\"'", value[i]); i++) {
        if (!isspace((unsigned char)value[i]))
            length = i + 1;
        else if (!length || value[length - 1] != ',')
            break;
    }
    return length;
}

/* Adds to the list that an earlier flag of that name gave. */
static void add_value(struct broker *broker, const char *name, const struct compose_text *word,
                      const char *value)
{
    const struct property *before = broker_property(broker, name);
    size_t skip = (size_t)(value - word->text), length = value_length(value);
    struct compose_text text = *word;
    struct property *property;
    char *bytes;

    if (before && strlen(before->value->text) > LIMIT_ADDRESSES)
        return;
    bytes = mem_bytes(value, length);
    if (before) {
        text.text = mem_format("%s,%s", before->value->text, bytes);
        free(bytes);
        text.place.style = PLACE_NONE;
    } else {
        text.text = bytes;
        if (text.place.end - text.place.start == strlen(word->text)) {
            text.place.start += skip;
            text.place.column += skip;
            text.place.end = text.place.start + length;
        } else {
            text.place.style = PLACE_NONE;
        }
    }
    property = property_derive(broker, name, text.text);
    property->derived = false;
    property->own->place = text.place;
    property->own->interpolated = word->interpolated;
    property->own->unset = word->unset ? mem_text(word->unset) : NULL;
    free(text.text);
}

static void read_flag(struct broker *broker, const char *flag, const char *name)
{
    const struct compose_service *service = broker->service;

    for (size_t i = 0; i < service->command_count; i++) {
        const struct compose_text *word = &service->command[i];
        const char *at = word->text;

        /* All flags in one word: a script, or a line that nothing split. */
        while (at && *at) {
            bool next;
            const char *value = flag_value(at, flag, &next);

            if (next && i + 1 < service->command_count)
                add_value(broker, name, &service->command[i + 1], service->command[i + 1].text);
            else if (value && !next)
                add_value(broker, name, word, value);
            at = strpbrk(at + strspn(at, " \t\n"), " \t\n");
        }
    }
}

static bool contains(const struct compose_service *service, const char *what)
{
    char *line = image_words(service);
    bool found = strstr(line, what);

    free(line);
    return found;
}

static void from_variable(struct broker *broker, const char *variable, const char *name)
{
    const struct compose_pair *pair = compose_variable(broker->service, variable);

    if (pair && !pair->absent && *pair->value.text && !broker_property(broker, name))
        property_set(broker, name, pair, &pair->value);
}

/* "internal://h:1,h:2" -> names and ports everywhere: "INTERNAL" and "". Redpanda's own default
 * is port 9092 on all addresses. */
static void complete(struct broker *broker, const char *name)
{
    const struct property *property = broker_property(broker, name);
    char **items;
    struct buf text = {0};
    bool changed = false;

    if (!property)
        return;
    items = list_read(property->value->text);
    for (size_t i = 0; items[i]; i++) {
        const char *scheme = strstr(items[i], "://"), *host = scheme ? scheme + 3 : items[i];
        const char *colon = strrchr(host, ':'), *bracket = strrchr(host, ']');
        bool port = colon && (!bracket || colon > bracket);

        changed |= !scheme || !port;
        buf_format(&text, "%s%s%s%s", i ? "," : "", scheme ? "" : "://", items[i],
                   port ? "" : ":9092");
    }
    if (changed && text.data) {
        struct place place = property->value->place;
        struct property *whole = property_derive(broker, name, text.data);

        whole->own->place = place;
        whole->derived = false;
    }
    buf_free(&text);
    list_free(items);
}

/* Flags change the mounted file, in which what they do not name stays. */
static bool read_mounted(struct broker *broker)
{
    char *file = image_mounted(broker->service, "/etc/redpanda/redpanda.yaml");
    bool read = !file || image_redpanda_file(broker, file);

    free(file);
    return read;
}

static bool file_given(const struct broker *broker)
{
    char *file = image_mounted(broker->service, "/etc/redpanda/redpanda.yaml");
    bool given = file != NULL;

    free(file);
    return given;
}

void image_redpanda(struct broker *broker)
{
    const struct compose_service *service = broker->service;
    bool read = read_mounted(broker);

    if (contains(service, "--kafka-addr"))
        property_remove(broker, "listeners");
    if (contains(service, "--advertise-kafka-addr"))
        property_remove(broker, "advertised.listeners");
    read_flag(broker, "--kafka-addr", "listeners");
    read_flag(broker, "--advertise-kafka-addr", "advertised.listeners");
    read_flag(broker, "--seeds", "seeds");
    from_variable(broker, "REDPANDA_KAFKA_ADDRESS", "listeners");
    from_variable(broker, "REDPANDA_ADVERTISE_KAFKA_ADDRESS", "advertised.listeners");
    complete(broker, "listeners");
    complete(broker, "advertised.listeners");
    if (contains(service, "kafka_api") || contains(service, "--config") ||
        (!read && !broker_property(broker, "advertised.listeners")))
        broker->unknown = true;
    /* A file of one's own has no address for who comes back but the one it binds. */
    if (broker_property(broker, "listeners") && !broker_property(broker, "advertised.listeners") &&
        file_given(broker))
        return;
    property_default(broker, "listeners", "://0.0.0.0:9092");
    /* The packaged redpanda.yaml. */
    property_default(broker, "advertised.listeners", "://127.0.0.1:9092");
}
