#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/probe/live.h"

/* ---- JSON */

static json_t *texts_json(char *const *list)
{
    json_t *texts = json_array();

    for (; list && *list; list++)
        json_array_append_new(texts, json_string(*list));
    return texts;
}

/* Others' words may be no UTF-8. */
static json_t *words_json(const char *words)
{
    json_t *text = *words ? json_string(words) : json_null();

    return text ? text : json_string("?");
}

static json_t *time_json(double ms)
{
    return ms < 0 ? json_null() : json_real((double)(long long)(ms * 100 + 0.5) / 100);
}

static json_t *steps_json(const struct probe_endpoint *endpoint)
{
    json_t *steps = json_object();

    for (enum probe_step step = 0; step < PROBE_STEPS; step++)
        if (endpoint->ms[step] >= 0)
            json_object_set_new(steps, probe_step_name(step), time_json(endpoint->ms[step]));
    return steps;
}

static json_t *told_json(const struct wire_metadata *told)
{
    json_t *nodes = json_array();

    for (size_t i = 0; i < told->count; i++) {
        char *address = probe_address(told->nodes[i].host, told->nodes[i].port);
        json_array_append_new(
            nodes, json_pack("{si, ss}", "node", (int)told->nodes[i].id, "address", address));
        free(address);
    }
    return nodes;
}

static json_t *number_or_null(int64_t number)
{
    return number < 0 ? json_null() : json_integer((json_int_t)number);
}

/* The node that is told of at that address by another; -1. */
static int64_t node_at(const struct probe_result *result, const struct probe_endpoint *endpoint)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct wire_metadata *told = &result->list[i].told;
        for (size_t j = 0; j < told->count; j++)
            if (told->nodes[j].port == endpoint->port &&
                strcmp(told->nodes[j].host, endpoint->host) == 0)
                return told->nodes[j].id;
    }
    return -1;
}

static json_t *endpoint_json(const struct live_vantage *vantage,
                             const struct probe_endpoint *endpoint)
{
    bool ok = endpoint->failure == PROBE_OK;
    const char *cluster = endpoint->told.cluster;

    return json_pack(
        "{ss, so, sb, sb, so, sb, so, so, so, so, so}", "address", endpoint->address, "node",
        number_or_null(node_at(&vantage->result, endpoint)), "asked", endpoint->asked, "works",
        live_works(vantage, endpoint), "steps", steps_json(endpoint), "ok", ok, "failure",
        ok ? json_null() : json_string(probe_failure_name(endpoint->failure)), "reason",
        words_json(endpoint->reason), "answered_by", number_or_null(endpoint->answered_by),
        "cluster", words_json(cluster ? cluster : ""), "advertised", told_json(&endpoint->told));
}

static json_t *trip_json(const struct round_trip *trip)
{
    if (!trip->address)
        return json_null();
    return json_pack("{ss, sb, so, so, so}", "address", trip->address, "ok", trip->ok, "produce",
                     time_json(trip->produce_ms), "consume", time_json(trip->consume_ms), "reason",
                     words_json(trip->reason));
}

static json_t *vantage_json(const struct live_vantage *vantage)
{
    json_t *endpoints = json_array();

    for (size_t i = 0; i < vantage->result.count; i++)
        json_array_append_new(endpoints, endpoint_json(vantage, &vantage->result.list[i]));
    return json_pack("{ss, so, so, so}", "from", vantage->from, "error", words_json(vantage->error),
                     "endpoints", endpoints, "round_trip", trip_json(&vantage->trip));
}

static json_t *cause_json(const struct live_cause *cause)
{
    return json_pack("{ss, ss, sb, so, ss, so, ss, ss, so}", "from", cause->from, "address",
                     cause->address, "broken", cause->broken, "rule", words_json(cause->rule),
                     "seen", cause->seen, "symptom", words_json(cause->symptom), "cause",
                     cause->cause, "fix", cause->fix, "line", words_json(cause->line));
}

json_t *live_json(const struct live *live)
{
    json_t *vantages = json_array(), *causes = json_array();

    for (size_t i = 0; i < live->vantage_count; i++)
        json_array_append_new(vantages, vantage_json(&live->vantages[i]));
    for (size_t i = 0; i < live->cause_count; i++)
        json_array_append_new(causes, cause_json(&live->causes[i]));
    return json_pack("{s{so, so, so}}", "live", "bootstrap", texts_json(live->bootstrap),
                     "vantages", vantages, "causes", causes);
}

/* ---- And back */

static char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return mem_text(text ? text : "");
}

static int32_t id_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;

    return id < 0 || id > INT32_MAX ? -1 : (int32_t)id;
}

static double time_of(const json_t *object, const char *name)
{
    const json_t *ms = json_object_get(object, name);

    return json_is_number(ms) ? json_number_value(ms) : -1;
}

static void read_told(const json_t *row, struct wire_metadata *told)
{
    const json_t *list = json_object_get(row, "advertised"), *item;
    size_t i;

    told->nodes = mem_alloc(json_array_size(list) + 1, sizeof *told->nodes);
    told->cluster = text_of(row, "cluster");
    json_array_foreach(list, i, item)
    {
        struct wire_node node = {.id = id_of(item, "node")};
        const char *address = json_string_value(json_object_get(item, "address"));
        if (address && probe_split(address, &node.host, &node.port))
            told->nodes[told->count++] = node;
    }
}

static enum probe_failure failure_called(const char *name)
{
    for (enum probe_failure failure = PROBE_OK; failure <= PROBE_CLIENT; failure++)
        if (strcmp(probe_failure_name(failure), name) == 0)
            return failure;
    return PROBE_OTHER;
}

static bool read_endpoint(const json_t *row, struct probe_endpoint *endpoint)
{
    const json_t *steps = json_object_get(row, "steps");
    char *name = text_of(row, "failure"), *address = text_of(row, "address");
    bool good = probe_split(address, &endpoint->host, &endpoint->port);

    if (good) {
        endpoint->address = probe_address(endpoint->host, endpoint->port);
        endpoint->asked = json_is_true(json_object_get(row, "asked"));
        endpoint->failure = failure_called(name);
        endpoint->reason = text_of(row, "reason");
        endpoint->answered_by = id_of(row, "answered_by");
        read_told(row, &endpoint->told);
    }
    for (enum probe_step step = 0; step < PROBE_STEPS; step++)
        endpoint->ms[step] = time_of(steps, probe_step_name(step));
    free(name);
    free(address);
    return good;
}

static void read_trip(const json_t *row, struct round_trip *trip)
{
    if (!json_is_object(row))
        return;
    *trip = (struct round_trip){.address = text_of(row, "address"),
                                .reason = text_of(row, "reason"),
                                .ok = json_is_true(json_object_get(row, "ok")),
                                .produce_ms = time_of(row, "produce"),
                                .consume_ms = time_of(row, "consume")};
}

int live_read_vantage(const char *bytes, size_t length, struct live_vantage *vantage)
{
    json_t *root = json_loadb(bytes ? bytes : "", length, 0, NULL), *item;
    const json_t *vantages = json_object_get(json_object_get(root, "live"), "vantages");
    const json_t *first = json_array_get(vantages, 0), *list = json_object_get(first, "endpoints");
    struct probe_result *result = &vantage->result;
    size_t i;

    result->list = mem_alloc(LIMIT_PROBE_ENDPOINTS, sizeof *result->list);
    json_array_foreach(list, i, item)
    {
        if (result->count < LIMIT_PROBE_ENDPOINTS &&
            read_endpoint(item, &result->list[result->count]))
            result->count++;
    }
    read_trip(json_object_get(first, "round_trip"), &vantage->trip);
    i = json_is_array(list);
    json_decref(root);
    return i ? 0 : -1;
}

/* ---- For people */

/* Every address that was looked at, once, in the order of the places. */
static size_t all_addresses(const struct live *live, const char **list)
{
    size_t count = 0;

    for (size_t i = 0; i < live->vantage_count; i++) {
        const struct probe_result *result = &live->vantages[i].result;
        for (size_t j = 0; j < result->count; j++) {
            size_t k = 0;
            while (k < count && strcmp(list[k], result->list[j].address) != 0)
                k++;
            if (k == count)
                list[count++] = result->list[j].address;
        }
    }
    return count;
}

/* In a cell there is room for a word or two; the causes have all of it. */
static const char *short_reason(enum probe_failure failure)
{
    static const char *const words[] = {[PROBE_UNRESOLVED] = "does not resolve",
                                        [PROBE_REFUSED] = "refused",
                                        [PROBE_NO_ROUTE] = "no route",
                                        [PROBE_TIMEOUT] = "timed out",
                                        [PROBE_CLOSED] = "closed at once",
                                        [PROBE_SILENT] = "no answer",
                                        [PROBE_TLS] = "wants TLS",
                                        [PROBE_HTTP] = "HTTP, not Kafka",
                                        [PROBE_OTHER] = "not Kafka",
                                        [PROBE_SASL] = "wants SASL",
                                        [PROBE_CONTROLLER] = "a controller's",
                                        [PROBE_PLAIN] = "speaks no TLS",
                                        [PROBE_CLIENT] = "client's error"};

    return words[failure];
}

static double total_ms(const struct probe_endpoint *endpoint)
{
    double sum = 0;

    for (int step = 0; step < PROBE_STEPS; step++)
        sum += endpoint->ms[step] > 0 ? endpoint->ms[step] : 0;
    return sum;
}

/* Where an address that answers sends clients that cannot go there; NULL. */
static char *leads_astray(const struct live_vantage *vantage, const struct probe_endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->told.count; i++) {
        const struct wire_node *node = &endpoint->told.nodes[i];
        char *address = probe_address(node->host, node->port);
        const struct probe_endpoint *found = probe_find(&vantage->result, address);
        if (found && found->failure != PROBE_OK)
            return address;
        free(address);
    }
    return NULL;
}

static char *cell(const struct live_vantage *vantage, const char *address)
{
    const struct probe_endpoint *endpoint = probe_find(&vantage->result, address);
    int64_t node;
    char *astray;

    if (!endpoint)
        return mem_text("-");
    if (endpoint->failure != PROBE_OK)
        return mem_text(short_reason(endpoint->failure));
    astray = leads_astray(vantage, endpoint);
    if (astray) {
        char *text = mem_format("leads to %s", astray);
        free(astray);
        return text;
    }
    node = node_at(&vantage->result, endpoint);
    if (node >= 0 && endpoint->answered_by >= 0 && node != endpoint->answered_by)
        return mem_format("node %d, not %d", (int)endpoint->answered_by, (int)node);
    return mem_format("%s %.0f ms", live_works(vantage, endpoint) ? "ok" : "answers",
                      total_ms(endpoint));
}

static int widest(const struct live_vantage *vantage, const char *const *addresses, size_t count)
{
    size_t width = strlen(vantage->from);

    for (size_t i = 0; i < count; i++) {
        char *text = cell(vantage, addresses[i]);
        if (strlen(text) > width)
            width = strlen(text);
        free(text);
    }
    return (int)width;
}

static void print_row(const struct live *live, const char *address, int first, const int *widths,
                      FILE *to)
{
    fprintf(to, "%-*s", first, address ? address : "ADDRESS");
    for (size_t i = 0; i < live->vantage_count; i++) {
        const struct live_vantage *vantage = &live->vantages[i];
        char *text = address ? cell(vantage, address) : mem_text(vantage->from);
        if (!*vantage->error)
            fprintf(to, "  %-*s", i + 1 < live->vantage_count ? widths[i] : 0, text);
        free(text);
    }
    fputc('\n', to);
}

static void print_table(const struct live *live, FILE *to)
{
    const char **addresses =
        mem_alloc(live->vantage_count * LIMIT_PROBE_ENDPOINTS + 1, sizeof *addresses);
    size_t count = all_addresses(live, addresses);
    int *widths = mem_alloc(live->vantage_count + 1, sizeof *widths),
        first = (int)strlen("ADDRESS");

    for (size_t i = 0; i < live->vantage_count; i++)
        widths[i] = widest(&live->vantages[i], addresses, count);
    for (size_t i = 0; i < count; i++)
        if ((int)strlen(addresses[i]) > first)
            first = (int)strlen(addresses[i]);
    if (count)
        print_row(live, NULL, first, widths, to);
    for (size_t i = 0; i < count; i++)
        print_row(live, addresses[i], first, widths, to);
    free(addresses);
    free(widths);
}

static const char *place_words(const struct live_vantage *vantage)
{
    return strcmp(vantage->from, LIVE_HOST) == 0 ? "from the host" : "from a container on ";
}

static void print_vantage(const struct live_vantage *vantage, FILE *to)
{
    const struct probe_endpoint *first = live_first(vantage);
    const char *name = strcmp(vantage->from, LIVE_HOST) == 0 ? "" : vantage->from;

    fprintf(to, "%s%s: ", place_words(vantage), name);
    if (*vantage->error)
        fprintf(to, "not looked at: %s\n", vantage->error);
    else if (first)
        fprintf(to, "%s works\n", first->address);
    else
        fprintf(to, "%s\n", vantage->result.count ? "nothing works" : "nothing to try");
    if (vantage->trip.address && vantage->trip.ok)
        fprintf(to, "  one record there in %.0f ms and back in %.0f ms\n", vantage->trip.produce_ms,
                vantage->trip.consume_ms);
    else if (vantage->trip.address)
        fprintf(to, "  no record goes there and back: %s\n", vantage->trip.reason);
}

static void print_note(const struct live_cause *cause, FILE *to)
{
    fprintf(to, "\nnote, from %s%s: %s; %s\n", strcmp(cause->from, LIVE_HOST) == 0 ? "the " : "",
            cause->from, cause->seen, cause->fix);
}

static void print_cause(const struct live_cause *cause, FILE *to)
{
    fprintf(to, "\nbroken, from %s%s: %s\n", strcmp(cause->from, LIVE_HOST) == 0 ? "the " : "",
            cause->from, cause->cause);
    fprintf(to, "  seen: %s\n", cause->seen);
    if (*cause->symptom)
        fprintf(to, "  as a client says it: %s\n", cause->symptom);
    if (*cause->line)
        fprintf(to, "  line: %s\n", cause->line);
    fprintf(to, "  fix:  %s\n", cause->fix);
}

void live_print(const struct live *live, FILE *to)
{
    print_table(live, to);
    fputc('\n', to);
    for (size_t i = 0; i < live->vantage_count; i++)
        print_vantage(&live->vantages[i], to);
    for (size_t i = 0; i < live->cause_count; i++)
        if (live->causes[i].broken)
            print_cause(&live->causes[i], to);
    for (size_t i = 0; i < live->cause_count; i++)
        if (!live->causes[i].broken)
            print_note(&live->causes[i], to);
}
