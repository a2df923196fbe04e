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
                                          "scripts/kafka/entrypoint.sh",
                                          NULL};

/* In the image's root, as they are called there; of a folder they are somebody's. */
static const char *const root_scripts[] = {"/entrypoint.sh", "/docker-entrypoint.sh", "/run.sh",
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

static bool calls_root_script(const char *line)
{
    for (size_t i = 0; root_scripts[i]; i++)
        for (const char *at = strstr(line, root_scripts[i]); at;
             at = strstr(at + 1, root_scripts[i]))
            if (at == line || strchr(" \t\n\"'(;&|", at[-1]))
                return true;
    return false;
}

bool image_own_script(const char *line)
{
    return first_of(line, own_scripts) || calls_root_script(line);
}

/* ---- A script around the image's own */

/* Words before a command, which say when, not what. */
static const char *const shell_words[] = {
    "sh",   "bash", "/bin/sh", "/bin/bash", "-c",    "-ec",  "-exc", "-lc",  "-e", "if",
    "then", "else", "while",   "do",        "until", "exec", "!",    "time", NULL};

/* Commands that leave the configuration as it is; of Kafka's tools all but that which formats. */
static const char *const idle_commands[] = {"sleep", "echo", "wait", "for",   "done", "fi",
                                            "[",     "[[",   "test", "true",  "exit", "date",
                                            "cub",   "nc",   "curl", "break", ":",    NULL};

static bool is_one_of(const char *word, size_t length, const char *const *words)
{
    for (; *words; words++)
        if (strlen(*words) == length && !strncmp(word, *words, length))
            return true;
    return false;
}

static const char *after_shell_words(const char *at, const char *end)
{
    static const char blanks[] = " \t\"'";

    while (at < end) {
        size_t length;

        at += strspn(at, blanks);
        length = strcspn(at, " \t\n\"';&|()");
        if (at >= end || !is_one_of(at, length, shell_words))
            break;
        at += length;
    }
    return at < end ? at : end;
}

static bool is_idle(const char *word, size_t length)
{
    const char *base = word;

    for (size_t i = 0; i < length; i++)
        if (word[i] == '/')
            base = word + i + 1;
    return is_one_of(word, length, idle_commands) ||
           (!strncmp(base, "kafka-", 6) && strncmp(base, "kafka-storage", 13) != 0);
}

/* Of the command from `at` to `end`: 0: nothing changes the configuration; 1: it is the image's
 * own script; -1: nobody knows. */
static int judge_command(const char *at, const char *end)
{
    const char *word = after_shell_words(at, end);
    size_t length = strcspn(word, " \t\n\"';&|()");
    char *text = mem_bytes(word, (size_t)(end - word));
    int result = -1;

    if (image_own_script(text) && !strstr(text, "launch") && !strstr(text, "setup.sh"))
        result = 1;
    else if (is_idle(word, length) || strspn(text, " \t\"'") == strlen(text))
        result = 0;
    free(text);
    return result;
}

/* "> file", but for what nobody reads. */
static bool redirects(const char *line)
{
    for (const char *at = strchr(line, '>'); at; at = strchr(at + 1, '>')) {
        const char *to = at + 1 + strspn(at + 1, "> ");
        if (*to != '&' && strncmp(to, "/dev/", 5) != 0)
            return true;
    }
    return false;
}

/* Where the shell ends it, but not within quotes. */
static const char *command_end(const char *at)
{
    const char *start = at;
    char quote = '\0';

    for (; *at; at++)
        if (quote)
            quote = *at == quote ? '\0' : quote;
        else if (*at == '"' || *at == '\'')
            quote = *at;
        else if (strchr("\n;&|()", *at) && !(at > start && at[-1] == '>')) /* >&2 */
            break;
    return at;
}

/* sh -c "sleep 10 && /etc/confluent/docker/run": waiting, talk and Kafka's tools around the
 * image's own script, which makes of the variables what it always does. */
static bool only_waits(const char *line)
{
    bool runs = false;

    if (redirects(line))
        return false;
    for (const char *at = line; *at;) {
        const char *end = command_end(at);
        int result = judge_command(at, end);
        if (result < 0)
            return false;
        runs |= result > 0;
        at = end + strspn(end, "\n;&|()");
    }
    return runs;
}

/* One word, or a shell and one: no script around it that matters. Bitnami's own entry point sees
 * run.sh in its words, and does the rest; in the place of that it is a script like any. */
static bool alone(const struct compose_service *service, const char *line)
{
    if (service->entrypoint_count + service->command_count == 1)
        return true;
    if (service->entrypoint_count > 0 && strstr(line, "scripts/kafka/run.sh") &&
        !strstr(line, "scripts/kafka/entrypoint.sh"))
        return false;
    return only_waits(line);
}

enum start image_start(const struct compose_service *service)
{
    char *line = image_words(service);
    enum start start = START_SCRIPT;

    if (!*line)
        start = START_IMAGE;
    else if (image_own_script(line))
        start = alone(service, line) ? START_IMAGE : START_SCRIPT;
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
