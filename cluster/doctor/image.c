/* image.c: images by their references: whose they are, and which Kafka is in them. */
#include "cluster/doctor/image_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/buf.h"

/* The reference without its tag and digest: [path, path + length). */
static size_t path_length(const char *reference, const char **tag)
{
    const char *digest = strchr(reference, '@'), *slash = strrchr(reference, '/');
    const char *colon = strrchr(slash ? slash : reference, ':');
    size_t length = digest ? (size_t)(digest - reference) : strlen(reference);

    if (digest && colon && colon > digest)
        for (colon = digest; colon > reference && *colon != ':' && *colon != '/';)
            colon--;
    *tag = "";
    if (colon && *colon == ':' && colon < reference + length) {
        *tag = colon + 1;
        length = (size_t)(colon - reference);
    }
    return length;
}

bool image_is(const char *reference, const char *name)
{
    const char *tag;
    size_t length = path_length(reference, &tag), wanted = strlen(name);

    return length >= wanted && !strncasecmp(reference + length - wanted, name, wanted) &&
           (length == wanted || reference[length - wanted - 1] == '/');
}

static bool any_of(const char *reference, const char *const *names)
{
    for (; *names; names++)
        if (image_is(reference, *names))
            return true;
    return false;
}

bool image_is_other_broker(const char *reference)
{
    /* Those that publish a broker and document KAFKA_ variables or their own. */
    static const char *const names[] = {"spotify/kafka",
                                        "debezium/kafka",
                                        "landoop/fast-data-dev",
                                        "lensesio/fast-data-dev",
                                        "lensesio/box",
                                        "blacktop/kafka",
                                        "ches/kafka",
                                        "krisgeus/docker-kafka",
                                        "bashj79/kafka-kraft",
                                        "ubuntu/kafka",
                                        "strimzi/kafka",
                                        "obsidiandynamics/kafka",
                                        "johnnypark/kafka-zookeeper",
                                        "flozano/kafka",
                                        "harisekhon/kafka",
                                        "solsson/kafka",
                                        "kafkakraft/kafkakraft",
                                        "moeenz/docker-kafka-kraft",
                                        "dockerkafka/kafka",
                                        "hyperledger/fabric-kafka",
                                        "deadtrickster/kafka",
                                        "chainguard/kafka",
                                        "lwieske/kafka",
                                        "cppla/kafka",
                                        NULL};

    return any_of(reference, names);
}

/* A word of a name, between its signs: "ui" of "kafka-ui", not of "build". */
static bool has_word(const char *text, size_t length, const char *word)
{
    size_t size = strlen(word);

    for (size_t i = 0; i + size <= length; i++)
        if (!strncasecmp(text + i, word, size) && (!i || !isalnum((unsigned char)text[i - 1])) &&
            (i + size == length || !isalnum((unsigned char)text[i + size])))
            return true;
    return false;
}

bool image_is_client(const char *reference)
{
    static const char *const words[] = {
        "ui",         "akhq",     "kafkahq",   "kafdrop",  "cmak",           "conduktor",
        "console",    "kowl",     "connect",   "registry", "ksqldb",         "ksql",
        "rest",       "exporter", "mirror",    "mm2",      "cruise",         "zookeeper",
        "kafkacat",   "kcat",     "cli",       "manager",  "eagle",          "efak",
        "burrow",     "magic",    "monitor",   "lag",      "minion",         "topics",
        "debezium",   "proxy",    "operator",  "center",   "kouncil",        "streams",
        "producer",   "consumer", "client",    "tools",    "telegraf",       "jmx",
        "webui",      "kafkaui",  "kafka-ui",  "control",  "server-connect", "init",
        "bridge",     "admin",    "dashboard", "setup",    "trifecta",       "redpandaconsole",
        "replicator", NULL};
    const char *tag, *part;
    size_t length = path_length(reference, &tag);

    for (part = reference + length; part > reference && part[-1] != '/';)
        part--;
    for (size_t i = 0; words[i]; i++)
        if (has_word(part, length - (size_t)(part - reference), words[i]))
            return true;
    return false;
}

/* "7.6.0-1-ubi8" -> 7, 6; "v23.1" -> 23, 1; -1 where there is no number. */
static void numbers(const char *text, int *major, int *minor)
{
    *major = *minor = -1;
    if (*text == 'v')
        text++;
    if (sscanf(text, "%4d.%4d", major, minor) < 1)
        *major = *minor = -1;
}

/* Confluent Platform 3.0 is Kafka 0.10.0, 4.0 is 1.0, 5.0 is 2.0, 6.0 is 2.6, 7.0 is 3.0, 8.0 is
 * 4.0, and their minor versions go along (docs.confluent.io, "Supported Versions"). */
static void confluent_version(int *major, int *minor)
{
    int from = *major;

    if (from < 0)
        return;
    if (from <= 3) {
        *minor = *minor < 0 ? -1 : *minor == 3 ? 11 : 10;
        *major = 0;
    } else if (from == 6) {
        *major = 2;
        *minor = *minor < 0 ? 6 : *minor + 6;
    } else if (from <= 5) {
        *major = from - 3;
    } else {
        *major = from - 4;
    }
}

static bool moves(const char *tag)
{
    static const char *const names[] = {"", "latest", "trunk", "nightly", "edge", "main", "master"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(tag, names[i]))
            return true;
    return !strncmp(tag, "latest", 6);
}

static bool style_of(const char *reference, enum broker_image *image)
{
    static const struct {
        enum broker_image image;
        const char *names[9];
    } styles[] = {
        {IMAGE_APACHE, {"apache/kafka", "apache/kafka-native"}},
        {IMAGE_CONFLUENT,
         {"cp-kafka", "cp-server", "cp-enterprise-kafka", "confluent-local", "cp-kafka-local"}},
        {IMAGE_BITNAMI,
         {"bitnami/kafka", "bitnamilegacy/kafka", "bitnamisecure/kafka", "soldevelo/kafka",
          "bitnamicharts/kafka", "bitnami-kafka"}},
        {IMAGE_WURSTMEISTER, {"wurstmeister/kafka", "wurstmeister-kafka"}},
        {IMAGE_REDPANDA, {"redpanda", "redpanda-unstable", "redpanda-nightly"}},
        {IMAGE_TALLY, {"tally/kafka"}},
    };

    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
        if (any_of(reference, styles[i].names)) {
            *image = styles[i].image;
            return true;
        }
    return false;
}

bool broker_image_read(const char *reference, enum broker_image *image, int *major, int *minor,
                       bool *latest)
{
    const char *tag, *scala;

    path_length(reference, &tag);
    if (!style_of(reference, image)) {
        *image = IMAGE_OTHER;
        *major = *minor = -1;
        *latest = false;
        return image_is_other_broker(reference);
    }
    /* A digest without a tag says nothing about the version, nor does a tag that is an unset
     * variable ("kafka:"). */
    *latest = moves(tag) && !strchr(reference, '@') && reference[strlen(reference) - 1] != ':';
    numbers(tag, major, minor);
    /* Frozen at a version that still takes ZooKeeper: its successor is cp-server. */
    if (image_is(reference, "cp-enterprise-kafka"))
        *latest = false;
    if (*image == IMAGE_CONFLUENT)
        confluent_version(major, minor);
    /* wurstmeister/kafka's tags are SCALA-KAFKA, and its last one is Kafka 2.8.1. */
    if (*image == IMAGE_WURSTMEISTER) {
        scala = strchr(tag, '-');
        if (scala && isdigit((unsigned char)scala[1]))
            numbers(scala + 1, major, minor);
        if (*latest)
            *major = 2, *minor = 8, *latest = false;
    }
    if (*image == IMAGE_TALLY && *major < 0)
        *major = 4, *minor = 1, *latest = false;
    if (*image == IMAGE_REDPANDA)
        *major = *minor = -1;
    return true;
}

bool broker_since(const struct broker *broker, int major, int minor)
{
    if (broker->latest)
        return true;
    return broker->major > major || (broker->major == major && broker->minor >= minor);
}

bool broker_before(const struct broker *broker, int major, int minor)
{
    if (broker->latest || broker->major < 0)
        return false;
    return broker->major < major ||
           (broker->major == major && broker->minor >= 0 && broker->minor < minor);
}

/* bitnami wrote its scripts anew in August 2023, while it built 3.4 and 3.5: tags that moved
 * have them (bitnami/containers, kafka/3.4/debian-12/tags-info.yaml: "3.4", "3.4.1"), those of
 * one build or of an earlier patch need not. */
bool image_rewritten(const struct broker *broker)
{
    const char *text = broker->service->image.text, *tag;
    int patch;

    if (broker_since(broker, 3, 6) || (broker->major == 3 && broker->minor < 0))
        return true;
    path_length(text, &tag);
    if (broker->major != 3 || broker->minor < 4 || strchr(text, '@') || strstr(tag, "-r"))
        return false;
    return sscanf(tag, "%*d.%*d.%4d", &patch) < 1 || patch > 0;
}
