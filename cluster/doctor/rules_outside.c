/* rules_outside.c: what depends on things outside the files, or cannot be known from them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/buf.h"
#include "cluster/doctor/edit.h"
#include "cluster/doctor/fix.h"
#include "cluster/doctor/rules.h"

/* ---- UNSET-VAR */

static bool is_listed(const char *name)
{
    static const char *const names[] = {"listeners",
                                        "advertised.listeners",
                                        "advertised.host.name",
                                        "advertised.port",
                                        "host.name",
                                        "port",
                                        "listener.security.protocol.map",
                                        "inter.broker.listener.name",
                                        NULL};

    for (const char *const *one = names; *one; one++)
        if (!strcmp(name, *one))
            return true;
    return false;
}

/* The variable's bytes in the file, ${NAME} or $NAME; false: it does not stand there so. */
static bool find_variable(const struct property *property, struct place *place)
{
    const struct compose_text *value = property->value;
    size_t length = strlen(value->unset), start;
    const char *bytes, *at;
    bool braces;

    *place = value->place;
    if (!place->source || place->style == PLACE_NONE || place->end > place->source->length)
        return false;
    bytes = place->source->bytes;
    at = memmem(bytes + place->start, place->end - place->start, value->unset, length);
    start = at ? (size_t)(at - bytes) : 0;
    braces = at && start >= place->start + 2 && at[-1] == '{' && at[-2] == '$';
    if (!at || (!braces && (start == place->start || at[-1] != '$')) ||
        (braces && (start + length >= place->end || at[length] != '}')))
        return false;
    place->start = start - (braces ? 2 : 1);
    place->end = start + length + braces;
    return true;
}

/* The whole of advertised.host.name, or the host of an advertised address. */
static bool is_host(const struct property *property, const struct place *place)
{
    const struct place *value = &property->value->place;

    if (!strcmp(property->name, "advertised.host.name"))
        return place->start == value->start && place->end == value->end;
    return !strcmp(property->name, "advertised.listeners") && place->start >= value->start + 3 &&
           !memcmp(place->source->bytes + place->start - 3, "://", 3) && place->end < value->end &&
           place->source->bytes[place->end] == ':';
}

static void warn_unset(struct diagnosis *diagnosis, const struct broker *broker,
                       const struct property *property)
{
    const struct compose_pair *pair = property->pair;
    const char *name = pair ? pair->name : property->name;
    struct finding *finding;
    struct place place;

    if (!is_listed(property->name) || property->derived || !property->value->unset)
        return;
    finding =
        finding_add(diagnosis, "UNSET-VAR", broker->service, &property->value->place,
                    "%s of `%s` takes the variable %s, which has no value here and no default",
                    name, broker->service->name, property->value->unset);
    finding_fix(finding, "set %s in .env, or give it a default", property->value->unset);
    if (!find_variable(property, &place) || !is_host(property, &place))
        return;
    finding_fix(finding, "set %s in .env, or write ${%s:-localhost}", property->value->unset,
                property->value->unset);
    /* It means the same once the variable is set. */
    if (pair && !pair->shared && !pair->from_file)
        fix_replace(diagnosis, finding, &place,
                    mem_format("${%s:-localhost}", property->value->unset));
}

/* Behind KAFKA_CFG_ or KAFKA_. */
static const char *without_prefix(const char *name)
{
    if (!strncmp(name, "KAFKA_CFG_", 10))
        return name + 10;
    return !strncmp(name, "KAFKA_", 6) ? name + 6 : NULL;
}

/* `- KAFKA_LISTENERS` alone: the next such from `at` on; the count if there is none. */
static size_t next_absent(const struct compose_service *service, size_t at)
{
    for (; at < service->environment_count; at++) {
        const struct compose_pair *pair = &service->environment[at];
        const char *name = without_prefix(pair->name);
        if (pair->absent && name && strstr(name, "LISTENER"))
            break;
    }
    return at;
}

static void warn_absent(struct diagnosis *diagnosis, const struct compose_service *service)
{
    for (size_t i = next_absent(service, 0); i < service->environment_count;
         i = next_absent(service, i + 1)) {
        const struct compose_pair *pair = &service->environment[i];
        finding_fix(finding_add(diagnosis, "UNSET-VAR", service, &pair->value.place,
                                "%s of `%s` is taken from the shell, which has no such variable",
                                pair->name, service->name),
                    "give %s a value", pair->name);
    }
}

static void warn_image(struct diagnosis *diagnosis, const struct compose_service *service)
{
    if (service->image.unset && !service->build)
        finding_fix(
            finding_add(diagnosis, "UNSET-VAR", service, &service->image.place,
                        "the image of `%s` takes the variable %s, which has no value here and "
                        "no default",
                        service->name, service->image.unset),
            "set %s in .env, or write a default", service->image.unset);
}

void check_unset(struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->brokers.count; i++) {
        const struct broker *broker = &diagnosis->brokers.list[i];
        warn_image(diagnosis, broker->service);
        warn_absent(diagnosis, broker->service);
        for (size_t k = 0; k < broker->property_count; k++)
            warn_unset(diagnosis, broker, &broker->properties[k]);
    }
}

/* ---- CONFIG-FILE, FRAGMENT */

void check_config_file(struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->brokers.count; i++) {
        const struct broker *broker = &diagnosis->brokers.list[i];
        if (broker->unknown &&
            next_absent(broker->service, 0) == broker->service->environment_count)
            finding_fix(
                finding_add(diagnosis, "CONFIG-FILE", broker->service, &broker->service->place,
                            "the listeners of `%s` are set by a file or a script that is not "
                            "here to be read",
                            broker->service->name),
                "bring that file here, or let tally doctor --live try the addresses of the "
                "running broker");
    }
}

static const struct broker *broker_named(const struct diagnosis *diagnosis, const char *service)
{
    for (size_t i = 0; i < diagnosis->brokers.count; i++)
        if (!strcmp(diagnosis->brokers.list[i].service->name, service))
            return &diagnosis->brokers.list[i];
    return NULL;
}

/* Whether it matters is CONFIG-FILE's to say. */
void check_fragment(struct diagnosis *diagnosis)
{
    const struct compose *compose = diagnosis->compose;

    for (size_t i = 0; i < compose->unknown_count; i++) {
        const struct compose_unknown *unknown = &compose->unknowns[i];
        const struct broker *broker = broker_named(diagnosis, unknown->service);
        struct finding *finding;
        if (*unknown->service && !broker)
            continue;
        finding = finding_add(diagnosis, "FRAGMENT", compose_service(compose, unknown->service),
                              &unknown->place, "%s", unknown->text);
        finding_fix(finding, "bring it here: what it says may change all that is said of the rest");
        if (!broker || !broker->unknown)
            finding->severity = SEVERITY_NOTE;
    }
}

/* ---- TYPO-ENV */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters one is from the other (Levenshtein); at most 3 matter. */
static size_t distance(const char *a, const char *b)
{
    size_t row[48], length = strlen(b);

    if (length >= 48 || strlen(a) > length + 3 || strlen(a) + 3 < length)
        return 99;
    for (size_t k = 0; k <= length; k++)
        row[k] = k;
    for (size_t i = 0; a[i]; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t k = 0; k < length; k++) {
            size_t above = row[k + 1];
            row[k + 1] = least(least(above, row[k]) + 1, corner + (a[i] != b[k]));
            corner = above;
        }
    }
    return row[length];
}

static const char *meant_name(const char *name)
{
    static const char *const names[] = {"ADVERTISED_LISTENERS",
                                        "LISTENERS",
                                        "LISTENER_SECURITY_PROTOCOL_MAP",
                                        "ADVERTISED_HOST_NAME",
                                        "INTER_BROKER_LISTENER_NAME",
                                        "CONTROLLER_LISTENER_NAMES",
                                        "CONTROLLER_QUORUM_VOTERS",
                                        "PROCESS_ROLES",
                                        "ZOOKEEPER_CONNECT",
                                        NULL};
    static const char *const fine[] = {"LISTENER_NAME", NULL};
    const char *meant = NULL;

    for (const char *const *one = fine; *one; one++)
        if (!strncmp(name, *one, strlen(*one)) && !strstr(name, "NAMES"))
            return NULL;
    for (const char *const *one = names; *one; one++) {
        size_t off = distance(name, *one);
        if (!off)
            return NULL;
        if (off <= 2)
            meant = *one;
    }
    return meant;
}

void check_typo(struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->brokers.count; i++) {
        const struct compose_service *service = diagnosis->brokers.list[i].service;
        for (size_t k = 0; k < service->environment_count; k++) {
            const struct compose_pair *pair = &service->environment[k];
            const char *name = without_prefix(pair->name), *meant = name ? meant_name(name) : NULL;
            struct finding *finding;
            char *right;
            if (!meant)
                continue;
            right = mem_format("%.*s%s", (int)(name - pair->name), pair->name, meant);
            finding = finding_add(diagnosis, "TYPO-ENV", service, &pair->value.place,
                                  "%s of `%s` is not a setting of Kafka's, and nothing reads it",
                                  pair->name, service->name);
            finding_fix(finding, "call it %s", right);
            if (!fix_has_variable(diagnosis, service, right) && !pair->shared)
                edit_rename_variable(finding, pair, right);
            free(right);
        }
    }
}

/* ---- LEGACY */

void check_legacy(struct diagnosis *diagnosis)
{
    static const char *const names[] = {"advertised.host.name", "advertised.port", "host.name",
                                        NULL};

    for (size_t i = 0; i < diagnosis->brokers.count; i++) {
        const struct broker *broker = &diagnosis->brokers.list[i];
        for (const char *const *name = names; *name; name++) {
            const struct property *property = broker_property(broker, *name);
            if (!property || property->derived)
                continue;
            finding_fix(finding_add(diagnosis, "LEGACY", broker->service, &property->value->place,
                                    "%s of `%s` is gone since Kafka 3.0",
                                    property->pair ? property->pair->name : *name,
                                    broker->service->name),
                        "use listeners and advertised.listeners");
            break;
        }
    }
}
