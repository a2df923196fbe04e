/* rules_client.c: clients in the files that cannot work: their address leads
 * nowhere, or the broker there sends them on to one that does. A client is
 * only judged when all of its addresses fail for certain. */
#include <ctype.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/doctor/fix.h"
#include "cluster/doctor/image_parts.h"
#include "cluster/doctor/rules.h"

struct look {
    struct diagnosis *diagnosis;
    const struct reach *reach;
    const struct client *client;
    struct standpoint from;
    struct trial trial;
    enum outcome enough; /* of an address that is proposed */
    bool other;          /* there is one */
};

static struct trial try_client(const struct reach *reach, const struct client *client)
{
    struct standpoint from = {.at = AT_SERVICE, .service = client->service};
    struct trial trial = reach_try(reach, &from, client->host, client->port);

    if (client->knock && trial.first.kind == ARRIVE_LISTENER)
        trial.outcome = TRIAL_WORKS;
    /* What runs on the host may find there what the files do not have. */
    if (reach_on_host(reach, client->service) && trial.first.kind == ARRIVE_CLOSED)
        trial.outcome = TRIAL_MAYBE;
    return trial;
}

/* ---- Addresses that would work */

static bool works_at(const struct look *look, const struct broker *broker,
                     const struct endpoint *listener, const char *host, int port)
{
    const char *protocol = broker_protocol(broker, listener->name);
    struct trial trial = reach_try(look->reach, &look->from, host, port);

    return trial.first.kind == ARRIVE_LISTENER && trial.outcome <= look->enough &&
           !strncmp(protocol,
                    look->trial.first.listener ? broker_protocol(look->trial.first.broker,
                                                                 look->trial.first.listener->name)
                                               : protocol,
                    4);
}

static bool work_of(const struct look *look, const struct broker *broker, char **host, int *port)
{
    for (size_t i = 0; i < broker->listeners.count; i++) {
        const struct endpoint *listener = &broker->listeners.list[i];
        const struct compose_port *published;
        size_t index = 0;
        if (!reach_on_host(look->reach, look->client->service)) {
            if (works_at(look, broker, listener, broker->service->name, listener->port)) {
                *host = broker->service->name;
                *port = listener->port;
                return true;
            }
            continue;
        }
        while ((published = reach_published(look->reach, broker->service, listener->port, &index)))
            if (works_at(look, broker, listener, "localhost", published->published)) {
                *host = "localhost";
                *port = published->published;
                return true;
            }
    }
    return false;
}

/* First at the broker that is meant, then at any other. */
static bool find_working(struct look *look, const struct broker *meant, char **host, int *port)
{
    const struct brokers *brokers = &look->diagnosis->brokers;

    for (look->enough = TRIAL_WORKS; look->enough <= TRIAL_MAYBE; look->enough++) {
        if (meant && work_of(look, meant, host, port))
            return true;
        for (size_t i = 0; i < brokers->count && i < 16; i++)
            if (brokers->list[i].is_broker && work_of(look, &brokers->list[i], host, port))
                return true;
    }
    return false;
}

/* ---- Corrections */

static const struct compose_pair *pair_of(const struct client *client)
{
    for (size_t i = 0; i < client->service->environment_count; i++)
        if (&client->service->environment[i].value == client->value)
            return &client->service->environment[i];
    return NULL;
}

static void change_port_value(const struct look *look, struct finding *finding, int port)
{
    const struct compose_text *value = look->client->port_value;
    struct place place;

    if (fix_place(value, 0, strlen(value->text), &place))
        fix_replace(look->diagnosis, finding, &place, mem_format("%d", port));
}

/* kafka:9092, or, where somebody knocks, `kafka 9092` and kafka/9092. */
static char separator(const struct client *client)
{
    const char *text = client->value->text + client->offset;
    char last = client->length > strlen(client->host) ? text[strlen(client->host)] : ':';

    return last == ' ' || last == '/' ? last : ':';
}

static bool change_address(const struct look *look, struct finding *finding, const char *host,
                           int port)
{
    const struct client *client = look->client;
    const struct compose_pair *pair = pair_of(client);
    struct place place;

    if ((pair && pair->shared) || !client->length ||
        !fix_place(client->value, client->offset, client->length, &place))
        return false;
    if (!client->port_value)
        return fix_replace(look->diagnosis, finding, &place,
                           mem_format("%s%c%d", host, separator(client), port));
    if (client->port != port)
        change_port_value(look, finding, port);
    return !strcmp(client->host, host) ||
           fix_replace(look->diagnosis, finding, &place, mem_text(host));
}

static const struct broker *broker_within(const struct look *look,
                                          const struct compose_service *service)
{
    const struct brokers *brokers = &look->diagnosis->brokers;

    for (size_t i = 0; service && i < brokers->count; i++)
        if (brokers->list[i].is_broker &&
            reach_owner(look->reach, brokers->list[i].service) == reach_owner(look->reach, service))
            return &brokers->list[i];
    return NULL;
}

/* The broker that the client means: the one of that name, or that has the
 * port, or the only one. */
static const struct broker *meant_broker(const struct look *look)
{
    const struct brokers *brokers = &look->diagnosis->brokers;
    const struct broker *broker = look->trial.first.broker;
    const struct compose_service *service = NULL;

    if (!broker)
        broker = broker_within(look, look->trial.first.service);
    if (!broker && reach_port(look->reach, look->client->port, &service))
        broker = broker_within(look, service);
    for (size_t i = 0; !broker && i < brokers->count; i++)
        if (brokers->list[i].is_broker)
            broker = &brokers->list[i];
    return broker;
}

/* The client takes an address that works already; or else the broker gets a
 * listener for the networks, and the client its address. */
static void correct(struct look *look, struct finding *finding)
{
    const struct broker *broker = meant_broker(look);
    const struct endpoint *listener = look->trial.first.listener;
    char *host;
    int port;

    if (!broker)
        return;
    if (find_working(look, broker, &host, &port)) {
        finding_fix(finding, "use %s:%d in %s of %s", host, port, look->client->variable,
                    look->client->service->name);
        change_address(look, finding, host, port);
        return;
    }
    if (reach_on_host(look->reach, look->client->service) ||
        !reach_share(look->reach, look->client->service, broker->service))
        return;
    for (size_t i = 0; !listener && i < broker->listeners.count; i++)
        if (endpoint_find(&broker->advertised, broker->listeners.list[i].name))
            listener = &broker->listeners.list[i];
    if (!listener)
        return;
    host = broker->service->name;
    if (!fix_listener(look->diagnosis, look->reach, finding, broker, listener->name))
        return;
    if (reach_named(look->reach, look->client->host) != broker->service ||
        look->client->port != listener->port)
        change_address(look, finding, host, listener->port);
}

/* ---- A network more */

/* Another network behind the last one that a service lists, in a line or on one of its own; before
 * it in a mapping, where its settings follow. */
static bool add_network(struct finding *finding, const struct compose_use *use, const char *network)
{
    const struct place *place = &use->place;
    bool quoted = place->style == PLACE_SINGLE || place->style == PLACE_DOUBLE, alone, key;
    size_t start = place->start - quoted, end = place->end + quoted, line = start, before = start;
    struct compose_gap gap = {.source = place->source, .list = true};
    const char *bytes;

    if (!place->source || end >= place->source->length || place->start >= place->end)
        return false;
    bytes = place->source->bytes;
    while (line && bytes[line - 1] != '\n')
        line--;
    while (before && strchr(" \t\r\n", bytes[before - 1]))
        before--;
    key = bytes[end + strspn(bytes + end, " ")] == ':';
    gap.indent = strspn(bytes + line, " ");
    alone = line + gap.indent == start;
    if (before && strchr("[{,", bytes[before - 1])) {
        finding_edit(finding, place->source, key ? start : end, key ? start : end,
                     mem_format(key ? "%s: {}, " : ", %s", network));
        return true;
    }
    gap.at = key ? line : end + strcspn(bytes + end, "\n");
    if (key && alone)
        return fix_lines(finding, &gap, mem_format("%*s%s:", (int)gap.indent, "", network));
    return bytes[line + gap.indent] == '-' &&
           strspn(bytes + line + gap.indent + 1, " ") == start - line - gap.indent - 1 &&
           fix_lines(finding, &gap, mem_format("%*s- %s", (int)gap.indent, "", network));
}

/* Lets `service` join a network of `other`. */
static bool join_network(struct finding *finding, const struct compose_service *service,
                         const struct compose_service *other)
{
    const char *network;

    if (!other->use_count || !service->use_count)
        return false;
    network = other->uses[0].network;
    finding_fix(finding, "let %s join the network %s of %s", service->name, network, other->name);
    if (!service->uses[service->use_count - 1].place.source)
        return fix_lines(finding, &service->service_gap,
                         mem_format("%*snetworks:\n%*s- default\n%*s- %s",
                                    (int)service->service_gap.indent, "",
                                    (int)service->service_gap.indent + 2, "",
                                    (int)service->service_gap.indent + 2, "", network));
    return add_network(finding, &service->uses[service->use_count - 1], network);
}

static bool is_default(const struct compose_service *service)
{
    return service->use_count == 1 && !strcmp(service->uses[0].network, "default");
}

static void correct_network(const struct look *look, struct finding *finding)
{
    const struct compose_service *client = look->client->service;
    const struct compose_service *broker = look->trial.first.kind == ARRIVE_LISTENER
                                               ? look->trial.teller->service
                                               : look->trial.first.service;

    if (reach_owner(look->reach, client) != client || reach_on_host(look->reach, broker))
        return;
    if (is_default(broker) && !is_default(client) && broker->service_gap.source)
        join_network(finding, broker, client);
    else
        join_network(finding, client, broker);
}

/* ---- The finding */

static struct place client_place(const struct client *client)
{
    struct place place = client->value->place;

    if (client->length)
        fix_place(client->value, client->offset, client->length, &place);
    return place;
}

/* Below an error where only the health check, or a side of the broker's own, fails. */
static void soften(const struct look *look, struct finding *finding)
{
    if (look->client->inside)
        finding->severity = SEVERITY_WARNING;
}

/* The bootstrap address itself leads nowhere. */
static struct finding *blame_address(const struct look *look)
{
    const struct client *client = look->client;
    const struct arrival *first = &look->trial.first;
    const char *to = first->service ? first->service->name : client->host;
    struct place place = client_place(client);
    struct diagnosis *diagnosis = look->diagnosis;

    switch (first->kind) {
    case ARRIVE_ALONE:
        return finding_add(diagnosis, "CLIENT-LOCALHOST", client->service, &place,
                           "%s of `%s` is %s:%d: within a container that is the container itself, "
                           "where no broker is (Connection refused)",
                           client->variable, client->service->name, client->host, client->port);
    case ARRIVE_NOBODY:
        return finding_add(
            diagnosis, "UNRESOLVABLE", client->service, &place,
            "%s of `%s` names %s:%d, and nothing in the file has the name %s (Couldn't "
            "resolve server, No resolvable bootstrap urls)",
            client->variable, client->service->name, client->host, client->port, client->host);
    case ARRIVE_SPLIT:
        return finding_add(
            diagnosis, "NET-SPLIT", client->service, &place,
            "%s of `%s` is %s:%d, but %s is on no network of %s, so that the name does not "
            "resolve: \"Failed to resolve\"",
            client->variable, client->service->name, client->host, client->port,
            client->service->name, to);
    case ARRIVE_LOOPBACK:
        return finding_add(
            diagnosis, "BIND-LOCALHOST", client->service, &place,
            "%s of `%s` is %s:%d, and that listener is bound to the localhost of %s: "
            "no other container reaches it",
            client->variable, client->service->name, client->host, client->port, to);
    default:
        return finding_add(
            diagnosis, "CLIENT-PORT", client->service, &place,
            "%s of `%s` is %s:%d, and no listener of %s is on port %d of the container "
            "(Connection refused)",
            client->variable, client->service->name, client->host, client->port, to, client->port);
    }
}

static const char *told_host(const struct trial *trial)
{
    return *trial->told->host ? trial->told->host : trial->teller->service->name;
}

static bool is_local(const char *host)
{
    return host_kind(host) == HOST_LOCAL || host_kind(host) == HOST_ANY;
}

static const char *rule_of(const struct arrival *then, bool local)
{
    if (local && (then->kind == ARRIVE_ALONE || then->kind == ARRIVE_CLOSED))
        return "LOCAL-INTERNAL";
    switch (then->kind) {
    case ARRIVE_NOBODY:
        return "UNRESOLVABLE";
    case ARRIVE_SPLIT:
        return "NET-SPLIT";
    case ARRIVE_LOOPBACK:
        return "BIND-LOCALHOST";
    case ARRIVE_LISTENER:
        return "CROSSED";
    default:
        return "PORT-MISMATCH";
    }
}

static const char *failure_of(const struct look *look)
{
    bool on_host = reach_on_host(look->reach, look->client->service);

    switch (look->trial.then.kind) {
    case ARRIVE_ALONE:
        return "which in that container is the container itself: \"Connection to node 1 "
               "(localhost/127.0.0.1) could not be established\"";
    case ARRIVE_NOBODY:
        return "a name that nothing has: \"Failed to resolve\"";
    case ARRIVE_SPLIT:
        return on_host ? "a name that the host does not know: \"Failed to resolve\""
                       : "a name on a network that it is not on: \"Failed to resolve\"";
    case ARRIVE_LISTENER:
        return "where another listener answers: \"Timed out waiting for a node assignment\"";
    default:
        return "where nothing listens: \"Connection refused\"";
    }
}

/* The broker there sends it on to where it gets nowhere. */
static struct finding *blame_told(const struct look *look)
{
    const struct client *client = look->client;
    const struct trial *trial = &look->trial;
    struct place place;

    if (!trial->told) {
        place = client_place(client);
        return finding_add(
            look->diagnosis, "CLIENT-PORT", client->service, &place,
            "%s of `%s` is %s:%d, the listener%s%s of `%s`, which is not advertised: its "
            "clients learn of no broker",
            client->variable, client->service->name, client->host, client->port,
            *trial->first.listener->name ? " " : "", trial->first.listener->name,
            trial->first.broker->service->name);
    }
    place = look->other ? client_place(client) : fix_endpoint_place(trial->told);
    return finding_add(look->diagnosis, rule_of(&trial->then, is_local(trial->told->host)),
                       look->other ? client->service : trial->teller->service, &place,
                       "`%s` connects to %s:%d (%s), and the listener%s%s of `%s` there sends it "
                       "on to %s:%d, %s",
                       client->service->name, client->host, client->port, client->variable,
                       *trial->told->name ? " " : "", trial->told->name,
                       trial->teller->service->name, told_host(trial), trial->told->port,
                       failure_of(look));
}

/* The broker's fault has been said of another client. */
static bool is_said(const struct look *look)
{
    const struct trial *trial = &look->trial;
    struct place place;
    const char *id;

    if (trial->first.kind != ARRIVE_LISTENER || !trial->told)
        return false;
    place = fix_endpoint_place(trial->told);
    id = rule_of(&trial->then, is_local(trial->told->host));
    for (size_t i = 0; i < look->diagnosis->finding_count; i++) {
        struct finding *finding = &look->diagnosis->findings[i];
        if (strcmp(finding->rule->id, id) != 0 || !place.source ||
            finding->place.source != place.source || finding->place.start != place.start)
            continue;
        if (!look->client->inside)
            finding->severity = SEVERITY_ERROR;
        return true;
    }
    return false;
}

static void judge(struct look *look)
{
    struct finding *finding;
    char *host;
    int port;

    /* Where another listener serves the client, it is the client's line that changes. */
    look->other = find_working(look, meant_broker(look), &host, &port);
    if (!look->other && is_said(look))
        return;
    finding = look->trial.first.kind == ARRIVE_LISTENER ? blame_told(look) : blame_address(look);
    soften(look, finding);
    if (strcmp(finding->rule->id, "NET-SPLIT") == 0)
        correct_network(look, finding);
    else
        correct(look, finding);
}

/* ---- Protocols */

/* KAFKA_CLUSTERS_1_...: of one among several, whose other settings begin alike. */
static size_t own_prefix(const char *variable)
{
    size_t length = strlen(variable);

    while (length && !isdigit((unsigned char)variable[length - 1]))
        length--;
    return length;
}

static const struct compose_pair *security_of(const struct client *client)
{
    size_t prefix = own_prefix(client->variable);

    for (size_t i = 0; i < client->service->environment_count; i++) {
        const struct compose_pair *pair = &client->service->environment[i];
        if (strcasestr(pair->name, "SECURITY_PROTOCOL") &&
            strncmp(pair->name, client->variable, prefix) == 0 &&
            prefix == own_prefix(pair->name) && !strcasestr(pair->name, "INTER_BROKER") &&
            !strcasestr(pair->name, "MAP") && !strcasestr(pair->name, "LISTENER"))
            return pair;
    }
    return NULL;
}

static bool is_protocol(const char *text)
{
    static const char *const names[] = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(text, names[i]))
            return true;
    return false;
}

/* Another listener of that broker which speaks as the client does, and works for it. */
static bool take_listener(const struct look *look, struct finding *finding, const char *said)
{
    const struct broker *broker = look->trial.first.broker;

    for (size_t i = 0; i < broker->listeners.count; i++) {
        const struct endpoint *listener = &broker->listeners.list[i];
        const char *host = broker->service->name;

        if (strcasecmp(broker_protocol(broker, listener->name), said) != 0 ||
            reach_on_host(look->reach, look->client->service) ||
            reach_try(look->reach, &look->from, host, listener->port).outcome != TRIAL_WORKS)
            continue;
        finding_fix(finding, "use %s:%d in %s of %s", host, listener->port, look->client->variable,
                    look->client->service->name);
        change_address(look, finding, host, listener->port);
        return true;
    }
    return false;
}

/* SSL://a:9092,SSL://b:9092: all of them. */
static void change_schemes(const struct look *look, struct finding *finding, const char *said,
                           const char *spoken)
{
    const struct compose_text *value = look->client->value;
    const struct compose_pair *pair = pair_of(look->client);
    struct address address;
    struct place place;

    for (size_t at = 0; address_find(value->text, at, &address);
         at = address.start + address.length)
        if (!(pair && pair->shared) && !strcasecmp(address.scheme, said) &&
            fix_place(value, address.start - strlen(said) - 3, strlen(said), &place))
            fix_replace(look->diagnosis, finding, &place, mem_text(spoken));
}

/* The client speaks as the listener does, if that takes no certificate nor password more. */
static void correct_protocol(const struct look *look, struct finding *finding,
                             const struct compose_pair *pair, const char *said, const char *spoken)
{
    const char *service = look->client->service->name;
    struct place place;

    if (take_listener(look, finding, said))
        return;
    finding_fix(finding, "let both speak the same: set %s in %s, or use another listener", spoken,
                service);
    if ((strcasestr(spoken, "SSL") && !strcasestr(said, "SSL")) ||
        (strcasestr(spoken, "SASL") && !strcasestr(said, "SASL")))
        finding_fix(finding,
                    "set %s in %s, with the certificate or the password that it takes, or use "
                    "another listener",
                    spoken, service);
    else if (!pair)
        change_schemes(look, finding, said, spoken);
    else if (!pair->shared && fix_place(&pair->value, 0, strlen(said), &place))
        fix_replace(look->diagnosis, finding, &place, mem_text(spoken));
}

static bool is_configuration(const char *target)
{
    const char *dot = strrchr(target, '.');

    return strcasestr(target, "/etc") || strcasestr(target, "conf") || (dot && !strchr(dot, '/'));
}

/* It speaks PLAINTEXT, Kafka's default: an image that is told by variables alone, and none of
 * them, nor a file that is mounted, tells it another. */
static bool is_untold(const struct compose *compose, const struct compose_service *service)
{
    static const char *const images[] = {
        "cp-schema-registry", "cp-kafka-rest",    "cp-kafka-connect", "cp-kafka-connect-base",
        "cp-ksqldb-server",   "debezium/connect", "kafka-ui",         NULL};
    bool known = false;

    for (size_t i = 0; images[i] && !known; i++)
        known = image_is(service->image.text, images[i]);
    if (!known || service->has_command || service->entrypoint_count)
        return false;
    for (size_t i = 0; i < service->volume_count; i++)
        if (is_configuration(service->volumes[i].target))
            return false;
    for (size_t i = 0; i < service->environment_count; i++)
        if (strcasestr(service->environment[i].name, "SECURITY"))
            return false;
    for (size_t i = 0; i < compose->unknown_count; i++)
        if (!strcmp(compose->unknowns[i].service, service->name))
            return false;
    return true;
}

/* What a client says of its protocol, by a variable or by the address's scheme,
 * is not what the listener speaks. */
static void check_protocol(struct look *look)
{
    const struct client *client = look->client;
    const struct arrival *first = &look->trial.first;
    const struct compose_pair *pair = security_of(client);
    const char *spoken, *said = pair ? pair->value.text : "";
    struct address address = {0};
    struct place place = client_place(client);
    struct finding *finding;

    if (first->kind != ARRIVE_LISTENER || client->knock || client->inside)
        return;
    spoken = broker_protocol(first->broker, first->listener->name);
    if (!*said)
        pair = NULL;
    for (size_t at = 0; !*said && address_find(client->value->text, at, &address);
         at = address.start + address.length)
        if (address.start == client->offset)
            said = address.scheme;
    if (!*said && is_untold(look->diagnosis->compose, client->service))
        said = "PLAINTEXT";
    if (!*spoken || !is_protocol(said) || !strcasecmp(said, spoken))
        return;
    finding = finding_add(look->diagnosis, "PROTO-MISMATCH", client->service, &place,
                          "`%s` speaks %s to %s:%d, where the listener %s of `%s` speaks %s",
                          client->service->name, said, client->host, client->port,
                          first->listener->name, first->broker->service->name, spoken);
    correct_protocol(look, finding, pair, said, spoken);
}

/* ---- All of them */

/* Of one bootstrap list: any that works will do. A script has several, and each stands for
 * itself. */
static bool same_list(const struct client *a, const struct client *b)
{
    size_t end = a->offset + a->length;

    if (a->service != b->service || a->value != b->value || a->knock != b->knock)
        return false;
    return strcmp(a->variable, "command") != 0 || a->port_value || b->port_value ||
           (b->offset >= end && !strcspn(a->value->text + end, ",;") &&
            b->offset - end <=
                strspn(a->value->text + end, ",; \t\\\n") + strlen("SASL_PLAINTEXT://"));
}

/* Its environment or the rest of the file is not all known. */
static bool is_open(const struct diagnosis *diagnosis, const struct look *look)
{
    const struct compose *compose = diagnosis->compose;
    enum arrival_kind kind = look->trial.first.kind;

    if (kind == ARRIVE_LISTENER)
        kind = look->trial.then.kind;
    for (size_t i = 0; i < compose->unknown_count; i++)
        if (!*compose->unknowns[i].service && (kind == ARRIVE_NOBODY || kind == ARRIVE_SPLIT))
            return true;
    return false;
}

void check_clients(struct diagnosis *diagnosis)
{
    struct reach *reach = reach_new(diagnosis);
    size_t count = diagnosis->client_count, next;

    for (size_t i = 0; i < count; i = next) {
        struct look look = {.diagnosis = diagnosis, .reach = reach};
        bool fails = true;
        for (next = i; next == i || (next < count && same_list(&diagnosis->clients[next - 1],
                                                               &diagnosis->clients[next]));
             next++) {
            struct trial trial = try_client(reach, &diagnosis->clients[next]);
            if (!look.client || trial.outcome < look.trial.outcome) {
                look.client = &diagnosis->clients[next];
                look.trial = trial;
            }
            fails = fails && trial.outcome == TRIAL_FAILS;
        }
        look.from = (struct standpoint){.at = AT_SERVICE, .service = look.client->service};
        if (fails && !is_open(diagnosis, &look))
            judge(&look);
        else
            check_protocol(&look);
    }
    reach_free(reach);
}
