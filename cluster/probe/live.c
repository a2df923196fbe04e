#include "cluster/probe/live.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"

/* ---- The records */

static void free_list(char **list)
{
    for (char **at = list; at && *at; at++)
        free(*at);
    free(list);
}

static void free_cause(struct live_cause *cause)
{
    free(cause->from);
    free(cause->address);
    free(cause->seen);
    free(cause->symptom);
    free(cause->cause);
    free(cause->fix);
    free(cause->line);
}

void live_free(struct live *live)
{
    free_list(live->bootstrap);
    free_list(live->advertised);
    for (size_t i = 0; i < live->vantage_count; i++) {
        free(live->vantages[i].from);
        free(live->vantages[i].error);
        probe_result_free(&live->vantages[i].result);
        round_trip_free(&live->vantages[i].trip);
    }
    for (size_t i = 0; i < live->cause_count; i++)
        free_cause(&live->causes[i]);
    free(live->vantages);
    free(live->causes);
    *live = (struct live){0};
}

struct live_vantage *live_add(struct live *live, const char *from)
{
    struct live_vantage *vantage;

    live->vantages = mem_grow(live->vantages, live->vantage_count + 1, sizeof *live->vantages);
    vantage = &live->vantages[live->vantage_count++];
    *vantage = (struct live_vantage){.from = mem_text(from), .error = mem_text("")};
    return vantage;
}

/* ---- What works */

static bool has_text(char *const *list, const char *text)
{
    for (; list && *list; list++)
        if (strcmp(*list, text) == 0)
            return true;
    return false;
}

/* The address of a node that is told of. */
static const struct probe_endpoint *target(const struct live_vantage *vantage,
                                           const struct wire_node *node)
{
    char *address = probe_address(node->host, node->port);
    const struct probe_endpoint *found = probe_find(&vantage->result, address);

    free(address);
    return found;
}

static bool is_other(const struct wire_node *node, const struct probe_endpoint *found)
{
    return found->answered_by >= 0 && found->answered_by != node->id;
}

static bool is_other_cluster(const struct probe_endpoint *endpoint,
                             const struct probe_endpoint *found)
{
    return found->told.count && *endpoint->told.cluster && *found->told.cluster &&
           strcmp(endpoint->told.cluster, found->told.cluster) != 0;
}

/* Another node that is told of at the same address; NULL. */
static const struct wire_node *twin(const struct probe_endpoint *endpoint, size_t of)
{
    const struct wire_node *nodes = endpoint->told.nodes;

    for (size_t i = 0; i < of; i++)
        if (nodes[i].port == nodes[of].port && strcmp(nodes[i].host, nodes[of].host) == 0)
            return &nodes[i];
    return NULL;
}

static bool node_works(const struct live_vantage *vantage, const struct probe_endpoint *endpoint,
                       size_t at)
{
    const struct wire_node *node = &endpoint->told.nodes[at];
    const struct probe_endpoint *found = target(vantage, node);

    return !found || (found->failure == PROBE_OK && !is_other(node, found) &&
                      !is_other_cluster(endpoint, found) && !twin(endpoint, at));
}

bool live_works(const struct live_vantage *vantage, const struct probe_endpoint *endpoint)
{
    if (endpoint->failure != PROBE_OK || endpoint->told.count == 0)
        return false;
    for (size_t i = 0; i < endpoint->told.count; i++)
        if (!node_works(vantage, endpoint, i))
            return false;
    return true;
}

const struct probe_endpoint *live_first(const struct live_vantage *vantage)
{
    for (size_t i = 0; i < vantage->result.count; i++)
        if (vantage->result.list[i].asked && live_works(vantage, &vantage->result.list[i]))
            return &vantage->result.list[i];
    return NULL;
}

static bool works_anywhere(const struct live *live, const char *address)
{
    for (size_t i = 0; i < live->vantage_count; i++) {
        const struct probe_endpoint *found = probe_find(&live->vantages[i].result, address);
        if (found && live_works(&live->vantages[i], found))
            return true;
    }
    return false;
}

/* ---- Causes */

/* Where something does not work: what of it is said. */
struct trouble {
    const struct live *live;
    const struct live_vantage *vantage;
    const struct probe_endpoint *asked, *found; /* found: where it sends clients, or `asked` */
    const struct wire_node *node;               /* that it sends to; NULL */
    bool matters;
    const char *instead; /* another address of that broker, which works from there; NULL */
};

static bool is_host(const struct trouble *trouble)
{
    return strcmp(trouble->vantage->from, LIVE_HOST) == 0;
}

/* "127.0.0.1:9093 answers, and sends clients to localhost:9092: connection refused" */
static char *seen(const struct trouble *trouble)
{
    if (!trouble->node)
        return mem_format("%s: %s", trouble->asked->address, trouble->found->reason);
    return mem_format("%s answers, and sends clients to %s (node %d): %s", trouble->asked->address,
                      trouble->found->address, (int)trouble->node->id, trouble->found->reason);
}

/* Takes the texts. Once for an address, whoever sends there. */
static void add(struct live *live, const struct trouble *trouble, const char *rule, char *symptom,
                char *cause, char *fix)
{
    const char *address = trouble->found->address, *from = trouble->vantage->from;
    struct live_cause made = {mem_text(from),
                              mem_text(address),
                              trouble->matters,
                              rule,
                              seen(trouble),
                              symptom,
                              cause,
                              fix,
                              mem_text("")};

    for (size_t i = 0; i < live->cause_count; i++) {
        if (strcmp(live->causes[i].from, from) == 0 &&
            strcmp(live->causes[i].address, address) == 0) {
            live->causes[i].broken = live->causes[i].broken || trouble->matters;
            free_cause(&made);
            return;
        }
    }
    live->causes = mem_grow(live->causes, live->cause_count + 1, sizeof *live->causes);
    live->causes[live->cause_count++] = made;
    if (!trouble->matters && trouble->instead) {
        free(fix);
        live->causes[live->cause_count - 1].fix =
            mem_format("from there %s works", trouble->instead);
    }
}

static void explain_own_localhost(struct live *live, const struct trouble *trouble)
{
    add(live, trouble, "LOCAL-INTERNAL",
        mem_format("Connection to node %d (localhost/127.0.0.1:%d) could not be established",
                   (int)trouble->node->id, trouble->found->port),
        mem_format(
            "a client in a container on %s that asks %s is sent to %s, which is the client's "
            "own container",
            trouble->vantage->from, trouble->asked->address, trouble->found->address),
        mem_format("give the network a listener of its own, with another port, that advertises the "
                   "broker's name: KAFKA_ADVERTISED_LISTENERS: ...,INTERNAL://%s:19092",
                   trouble->asked->host));
}

static void explain_port(struct live *live, const struct trouble *trouble)
{
    add(live, trouble, "PORT-MISMATCH",
        mem_format("Connect to ipv4#127.0.0.1:%d failed: Connection refused", trouble->found->port),
        mem_format("the port is published as %d, and clients are told to come back to %s",
                   trouble->asked->port, trouble->found->address),
        mem_format("advertise %s:%d, or publish the port as %d:%d", trouble->found->host,
                   trouble->asked->port, trouble->found->port, trouble->found->port));
}

static void explain_elsewhere(struct live *live, const struct trouble *trouble)
{
    add(live, trouble, "", mem_text(""),
        mem_format("clients of %s are sent to their own localhost: that works on the broker's "
                   "machine only",
                   trouble->asked->address),
        mem_format("advertise %s:%d, the address by which other machines reach it",
                   trouble->asked->host, trouble->asked->port));
}

/* The advertised address is the machine's that asks. */
static void explain_loopback(struct live *live, const struct trouble *trouble)
{
    if (!is_host(trouble))
        explain_own_localhost(live, trouble);
    else if (probe_is_loopback(trouble->asked->host))
        explain_port(live, trouble);
    else
        explain_elsewhere(live, trouble);
}

static void explain_name(struct live *live, const struct trouble *trouble)
{
    const char *host = trouble->found->host;
    bool crossed = trouble->node && has_text(trouble->live->advertised, trouble->asked->address);
    char *symptom =
        mem_format("Failed to resolve '%s': Name or service not known", trouble->found->address);

    if (crossed) /* somebody advertises the address that was asked, but not who answers there */
        add(live, trouble, "CROSSED", symptom,
            mem_format("%s leads to another listener than the one that advertises it: clients are "
                       "sent to %s",
                       trouble->asked->address, trouble->found->address),
            mem_format("publish the port of the listener that advertises %s",
                       trouble->asked->address));
    else if (trouble->node && is_host(trouble))
        add(live, trouble, "HOST-NAME-ONLY", symptom,
            mem_format("%s sends clients to '%s', a name that only containers know",
                       trouble->asked->address, host),
            mem_format("add a listener for the host that advertises %s, and publish its port",
                       trouble->asked->address));
    else if (trouble->node)
        add(live, trouble, "UNRESOLVABLE", symptom,
            mem_format("%s sends clients to '%s', a name that nobody has on %s",
                       trouble->asked->address, host, trouble->vantage->from),
            mem_format("advertise the broker's name there: %s:%d", trouble->asked->host,
                       trouble->asked->port));
    else
        add(live, trouble, "UNRESOLVABLE", symptom,
            is_host(trouble)
                ? mem_format("this machine knows no '%s': containers' names are known to "
                             "containers only",
                             host)
                : mem_format("nobody on %s is called '%s'", trouble->vantage->from, host),
            mem_text("use a name that is known there, or join the network that knows it"));
}

/* A fact, and what to do: of the failures that need no circumstances. */
struct advice {
    const char *rule, *symptom, *cause, *fix;
};

static const struct advice advices[] = {
    [PROBE_REFUSED] = {"", "",
                       "nobody listens there: the broker does not run, or its port is "
                       "not published, or published as another one",
                       "see docker ps: the broker must run, with this port in its list"},
    [PROBE_NO_ROUTE] = {"", "", "that address is in no network that is reached from here",
                        "advertise an address that clients can reach"},
    [PROBE_TIMEOUT] = {"", "",
                       "nothing answers at that address: it is another network's, or a "
                       "firewall drops what comes",
                       "advertise an address that clients can reach, or open the port"},
    [PROBE_CLOSED] = {"BIND-LOCALHOST", "Disconnected while requesting ApiVersion",
                      "the port is open, but behind it nobody takes the connection: the listener "
                      "is bound to the container's localhost, or the port published is not the "
                      "listener's, or the broker is still starting",
                      "bind all addresses, KAFKA_LISTENERS: NAME://0.0.0.0:PORT, and publish that "
                      "port"},
    [PROBE_SILENT] = {"", "ApiVersionRequest timed out",
                      "somebody accepts connections there and says nothing: the broker hangs or "
                      "is paused, or it is no broker",
                      "look at the broker's log, and at who has the port"},
    [PROBE_TLS] = {"PROTO-MISMATCH", "SSL handshake failed, or Disconnected",
                   "the listener speaks TLS, and the client does not",
                   "set security.protocol=ssl for the client (-X, --kafka-config), or map the "
                   "listener to PLAINTEXT"},
    [PROBE_HTTP] = {"", "",
                    "the port belongs to a web server: a user interface, a REST proxy, or "
                    "a gateway on the way",
                    "use the port of one of Kafka's listeners"},
    [PROBE_OTHER] = {"", "", "the port belongs to something else",
                     "use the port of one of Kafka's listeners"},
    [PROBE_SASL] = {"PROTO-MISMATCH",
                    "Disconnected: verify that security.protocol is correctly "
                    "configured",
                    "the listener wants clients to log in, and the client does not",
                    "set security.protocol=sasl_plaintext and the mechanism for the client (-X, "
                    "--kafka-config), or map the listener to PLAINTEXT"},
    [PROBE_CONTROLLER] = {"", "", "that is the listener of KRaft's controllers",
                          "use the port of a broker's listener"},
    [PROBE_PLAIN] = {"PROTO-MISMATCH", "SSL handshake failed",
                     "the client speaks TLS, and the listener does not (the broker's log has "
                     "'Invalid receive (size = 369295617 ...')",
                     "set the client's security.protocol to plaintext (sasl_plaintext), or map the "
                     "listener to SSL"},
    [PROBE_CLIENT] = {"", "",
                      "Kafka's client cannot get on with it by the settings that were given",
                      "check security.protocol, the certificates and the login"},
};

/* The one that answers is where it says, and it is another of its cluster that is not. */
static bool is_missing_peer(const struct trouble *trouble)
{
    const struct probe_endpoint *asked = trouble->asked;

    if (!trouble->node || asked->answered_by < 0 || trouble->node->id == asked->answered_by)
        return false;
    for (size_t i = 0; i < asked->told.count; i++)
        if (asked->told.nodes[i].id == asked->answered_by)
            return node_works(trouble->vantage, asked, i);
    return false;
}

static void explain_peer(struct live *live, const struct trouble *trouble)
{
    const int id = (int)trouble->node->id;

    add(live, trouble, "",
        mem_format("Connection to node %d (%s) could not be established", id,
                   trouble->found->address),
        mem_format("node %d of the cluster is not at %s, where it says that it is: it is down, or "
                   "that is not reached from here",
                   id, trouble->found->address),
        mem_format(is_host(trouble)
                       ? "see docker ps -a: node %d must run, with the port %d in its list"
                       : "see docker ps -a: node %d must run, with a listener on port %d, in this "
                         "network",
                   id, trouble->found->port));
}

/* Between containers published ports mean nothing. */
static const struct advice refused_inside = {
    "", "",
    "nobody listens there: the broker does not run, or is still starting, or its listeners are on "
    "other ports",
    "see the broker's log; between containers the port is the one in KAFKA_LISTENERS, whatever is "
    "published"};

static void explain_failure(struct live *live, const struct trouble *trouble)
{
    const struct advice *advice = &advices[trouble->found->failure];

    if (trouble->found->failure == PROBE_REFUSED && !is_host(trouble))
        advice = &refused_inside;
    if (is_missing_peer(trouble) &&
        (trouble->found->failure == PROBE_REFUSED || trouble->found->failure == PROBE_TIMEOUT ||
         trouble->found->failure == PROBE_NO_ROUTE ||
         (trouble->found->failure == PROBE_UNRESOLVED && !is_host(trouble)))) {
        explain_peer(live, trouble);
        return;
    }
    if (trouble->found->failure == PROBE_UNRESOLVED)
        explain_name(live, trouble);
    else if (trouble->node && probe_is_loopback(trouble->found->host) &&
             trouble->found->failure == PROBE_REFUSED)
        explain_loopback(live, trouble);
    else
        add(live, trouble, advice->rule, mem_text(advice->symptom), mem_text(advice->cause),
            mem_text(advice->fix));
}

static void explain_other(struct live *live, const struct trouble *trouble)
{
    add(live, trouble, "CROSSED", mem_text("Timed out waiting for a node assignment"),
        mem_format("%s is advertised by node %d, and node %d answers there",
                   trouble->found->address, (int)trouble->node->id,
                   (int)trouble->found->answered_by),
        mem_format("the published ports are crossed: publish node %d's port where it advertises "
                   "it, or advertise an address of its own",
                   (int)trouble->node->id));
}

static void explain_twin(struct live *live, const struct trouble *trouble,
                         const struct wire_node *other)
{
    add(live, trouble, "ADV-DUP", mem_text("Timed out waiting for a node assignment"),
        mem_format("nodes %d and %d both advertise %s", (int)other->id, (int)trouble->node->id,
                   trouble->found->address),
        mem_text("give each broker a port of its own, published and advertised"));
}

static void explain_cluster(struct live *live, const struct trouble *trouble)
{
    add(live, trouble, "", mem_text(""),
        mem_format("another cluster answers at %s (%s) than at %s (%s)", trouble->found->address,
                   trouble->found->told.cluster, trouble->asked->address,
                   trouble->asked->told.cluster),
        mem_text("the port belongs to another broker: stop one of the two, or change its port"));
}

/* That is wrong wherever it is seen, and whatever else works. */
static void explain_stranger(struct live *live, struct trouble *trouble,
                             const struct wire_node *other)
{
    trouble->matters = true;
    if (other)
        explain_twin(live, trouble, other);
    else if (is_other_cluster(trouble->asked, trouble->found))
        explain_cluster(live, trouble);
    else
        explain_other(live, trouble);
}

static void explain(struct live *live, const struct live_vantage *vantage,
                    const struct probe_endpoint *asked, bool matters, const char *instead)
{
    struct trouble trouble = {live, vantage, asked, asked, NULL, matters, instead};

    if (asked->failure != PROBE_OK)
        explain_failure(live, &trouble);
    for (size_t i = 0; i < asked->told.count; i++) {
        trouble.matters = matters;
        trouble.node = &asked->told.nodes[i];
        trouble.found = target(vantage, trouble.node);
        if (!trouble.found || node_works(vantage, asked, i))
            continue;
        if (trouble.found->failure != PROBE_OK)
            explain_failure(live, &trouble);
        else
            explain_stranger(live, &trouble, twin(asked, i));
    }
}

static const char *owner(const struct live_vantage *vantage, const struct probe_endpoint *endpoint)
{
    return vantage->known ? places_owner(vantage->known, endpoint->address) : "";
}

/* An address that works there, of the same broker's; NULL. */
static const char *instead_of(const struct live_vantage *vantage,
                              const struct probe_endpoint *asked)
{
    for (size_t i = 0; i < vantage->result.count; i++) {
        const struct probe_endpoint *other = &vantage->result.list[i];
        if (other->asked && live_works(vantage, other) &&
            (!*owner(vantage, asked) || strcmp(owner(vantage, other), owner(vantage, asked)) == 0))
            return other->address;
    }
    return NULL;
}

/* What does not work there matters when nothing else of that broker's does, and
 * somebody is there; or when what the user asked for works nowhere. */
static void judge_endpoint(struct live *live, const struct live_vantage *vantage,
                           const struct probe_endpoint *asked)
{
    const char *instead = instead_of(vantage, asked);
    bool matters = (vantage->wanted && !instead) || (has_text(live->bootstrap, asked->address) &&
                                                     !works_anywhere(live, asked->address));

    live->broken = live->broken || matters;
    explain(live, vantage, asked, matters, instead);
}

static void judge_vantage(struct live *live, const struct live_vantage *vantage)
{
    for (size_t i = 0; i < vantage->result.count; i++) {
        const struct probe_endpoint *asked = &vantage->result.list[i];
        live->reached = live->reached || asked->ms[STEP_CONNECT] >= 0;
        if (asked->asked && !live_works(vantage, asked))
            judge_endpoint(live, vantage, asked);
    }
    if (vantage->trip.address && !vantage->trip.ok)
        live->broken = true;
}

void live_judge(struct live *live)
{
    for (size_t i = 0; i < live->vantage_count; i++)
        judge_vantage(live, &live->vantages[i]);
    for (size_t i = 0; i < live->cause_count; i++)
        live->broken = live->broken || live->causes[i].broken;
}
