/* image_start.c: what the words that start a container of a broker's image do,
 * and the configuration files that are mounted or named there. */
#include "cluster/doctor/image_parts.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/properties.h"

char *image_words(const struct compose_service *service)
{
    struct buf line = {0};

    for (size_t i = 0; i < service->entrypoint_count; i++)
        buf_format(&line, "%s ", service->entrypoint[i].text);
    for (size_t i = 0; i < service->command_count; i++)
        buf_format(&line, "%s ", service->command[i].text);
    return line.data ? line.data : mem_text("");
}

static const char *first_of(const char *line, const char *const *parts)
{
    for (; *parts; parts++)
        if (strstr(line, *parts))
            return *parts;
    return NULL;
}

/* The images' own, by the names that they have there. */
static const char *const own_scripts[] = {"confluent/docker/run",
                                          "confluent/docker/launch",
                                          "/etc/kafka/docker/run",
                                          "/etc/kafka/docker/launch",
                                          "start-kafka.sh",
                                          "scripts/kafka/run.sh",
                                          "scripts/kafka/setup.sh",
                                          "redpanda start",
                                          "redpanda-start",
                                          "/opt/kafka/entrypoint",
                                          "entrypoint.sh",
                                          "/run.sh",
                                          NULL};

static const char *const servers[] = {"kafka-server-start", "kafka.Kafka ", NULL};

static const char *const tools[] = {"kafka-topics",
                                    "kafka-console-",
                                    "kafka-configs",
                                    "kafka-acls",
                                    "kafka-consumer-",
                                    "kafka-broker-api",
                                    "kafka-storage",
                                    "kafka-run-class",
                                    "kafka-metadata",
                                    "kafka-get-offsets",
                                    "kafka-producer-",
                                    "kafka-verifiable",
                                    "kafka-delete",
                                    "kafka-features",
                                    "kafka-cluster",
                                    "kafka-leader",
                                    "kafka-reassign",
                                    "kafka-avro-",
                                    "kafka-rest",
                                    "kafka-dump",
                                    "kafka-mirror",
                                    "connect-distributed",
                                    "connect-standalone",
                                    "connect-mirror-maker",
                                    "zookeeper-s",
                                    "schema-registry",
                                    "ksql",
                                    "cub ",
                                    "kafka-ready",
                                    "kafkacat",
                                    "kcat",
                                    "sleep ",
                                    "tail -f",
                                    "create-topic",
                                    "create_topic",
                                    "infinity",
                                    "rpk ",
                                    "init-topic",
                                    "topic",
                                    NULL};

bool image_own_script(const char *line)
{
    return first_of(line, own_scripts);
}

/* One word, or a shell and one: no script around it. */
static bool alone(const struct compose_service *service)
{
    return service->entrypoint_count + service->command_count == 1;
}

enum start image_start(const struct compose_service *service)
{
    char *line = image_words(service);
    enum start start = START_SCRIPT;

    if (!*line)
        start = START_IMAGE;
    else if (first_of(line, own_scripts))
        start = alone(service) ? START_IMAGE : START_SCRIPT;
    else if (first_of(line, servers))
        start = START_SERVER;
    else if (first_of(line, tools))
        start = START_CLIENT;
    free(line);
    return start;
}

char *image_mounted(const struct compose_service *service, const char *path)
{
    for (size_t i = 0; i < service->volume_count; i++) {
        const struct compose_volume *volume = &service->volumes[i];
        size_t length = strlen(volume->target);

        while (length > 1 && volume->target[length - 1] == '/')
            length--;
        if (strncmp(path, volume->target, length) != 0 || (path[length] && path[length] != '/'))
            continue;
        if (!*volume->source)
            return mem_text("");
        return path[length] ? mem_format("%s%s", volume->source, path + length)
                            : mem_text(volume->source);
    }
    return NULL;
}

static void take_pair(void *context, const struct buf *name, const struct buf *value)
{
    struct broker *broker = context;
    struct property *property;

    if (!name->length || broker->property_count >= LIMIT_PROPERTIES)
        return;
    property = property_derive(broker, name->data, value->data ? value->data : "");
    property->derived = false;
}

/* False if it cannot be read. */
static bool read_properties(struct broker *broker, const char *path)
{
    struct error error = {0};
    struct source *source = NULL;
    bool read;

    if (!*path || source_read(path, LIMIT_CONF_BYTES, &source, &error) < 0)
        return false;
    read = !properties_read(source->bytes, source->length, take_pair, broker, &error);
    source_free(source);
    return read;
}

/* 1: read; 0: nothing is mounted there; -1: something is that cannot be read. */
static int read_mounted(struct broker *broker, const char *path)
{
    char *file = image_mounted(broker->service, path);
    int result = 0;

    if (file)
        result = read_properties(broker, file) ? 1 : -1;
    free(file);
    return result;
}

/* A folder of data or of secrets is mounted above them often enough: only what
 * is there counts for an image that reads its file from a folder of its own. */
bool image_files(struct broker *broker)
{
    static const struct {
        const char *path;
        enum broker_image image;
        bool alone; /* variables are void beside it */
    } files[] = {
        {"/mnt/shared/config/server.properties", IMAGE_APACHE, false},
        {"/bitnami/kafka/config/server.properties", IMAGE_BITNAMI, true},
        {"/opt/bitnami/kafka/conf/server.properties", IMAGE_BITNAMI, true},
        {"/opt/bitnami/kafka/config/server.properties", IMAGE_BITNAMI, true},
        {"/opt/bitnami/kafka/config/kraft/server.properties", IMAGE_BITNAMI, true},
        {"/opt/kafka/config/server.properties", IMAGE_WURSTMEISTER, false},
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *file;
        bool exact;

        if (files[i].image != broker->image)
            continue;
        file = image_mounted(broker->service, files[i].path);
        exact = file && read_properties(broker, file);
        /* A folder without that file in it, such as /bitnami/kafka: as if it were not there. */
        for (size_t v = 0; file && !exact && v < broker->service->volume_count; v++)
            if (!strcmp(broker->service->volumes[v].target, files[i].path))
                broker->unknown = true;
        free(file);
        if (exact)
            return !files[i].alone;
    }
    return true;
}

/* Whether the rules depend on it. */
static bool matters(const char *property)
{
    static const char *const parts[] = {"listener",  "voters", "node.id",
                                        "broker.id", "roles",  NULL};

    return first_of(property, parts);
}

/* "a=b", up to a blank or a quote. What the shell is to put there nobody knows here. */
static void read_override(struct broker *broker, const char *text)
{
    size_t length = strcspn(text, " \t\n\"'"), equals = strcspn(text, "=");
    char *name, *value;

    if (equals >= length)
        return;
    name = mem_bytes(text, equals);
    value = mem_bytes(text + equals + 1, length - equals - 1);
    if (strchr(value, '$'))
        broker->unknown |= matters(name);
    else
        property_derive(broker, name, value)->derived = false;
    free(name);
    free(value);
}

/* "--override a=b" as two words, or within a shell's one. */
static void read_overrides(struct broker *broker, const struct compose_text *words, size_t count)
{
    static const char flag[] = "--override";

    for (size_t i = 0; i < count; i++)
        for (const char *at = strstr(words[i].text, flag); at; at = strstr(at, flag)) {
            at += strlen(flag);
            at += strspn(at, " \t\n\"'");
            if (*at)
                read_override(broker, at);
            else if (i + 1 < count)
                read_override(broker, words[i + 1].text);
        }
}

/* "... kafka-server-start.sh /x/server.properties --override a=b" */
static char *server_file(const char *line)
{
    const char *end = strstr(line, ".properties"), *from;

    if (!end || strstr(end + 1, ".properties"))
        return NULL;
    for (from = end; from > line && !strchr(" \t\n\"'", from[-1]);)
        from--;
    return mem_bytes(from, (size_t)(end - from) + strlen(".properties"));
}

/* A script that writes the configuration by itself. */
static bool writes(const char *line)
{
    static const char *const signs[] = {"sed ",   ">",    "envsubst", "export ", "tee ",
                                        "python", "cp ",  "mv ",      "cat ",    "echo ",
                                        "printf", "wget", "curl ",    NULL};

    return first_of(line, signs);
}

void image_server(struct broker *broker)
{
    const struct compose_service *service = broker->service;
    char *line = image_words(service), *file = server_file(line);
    int read = 0;

    if (writes(line) || !file)
        broker->unknown = true;
    else
        read = read_mounted(broker, file);
    if (read < 0)
        broker->unknown = true;
    if (!read && file && strstr(file, "kraft/"))
        kraft_defaults(broker);
    else if (!read)
        broker->unknown = true; /* a file of the image's */
    read_overrides(broker, service->command, service->command_count);
    read_overrides(broker, service->entrypoint, service->entrypoint_count);
    free(line);
    free(file);
}
