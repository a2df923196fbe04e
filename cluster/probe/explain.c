#include "cluster/probe/explain.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/probe/live.h"
#include "cluster/probe/places.h"

/* Of each address; the whole takes three times as long at most. */
#define EXPLAIN_MS 900

/* As librdkafka takes them: without a port it is 9092's. */
static void add_servers(struct places_list *list, const char *servers)
{
    struct places_list written = {0};

    places_list_split(&written, servers);
    for (size_t i = 0; i < written.count; i++) {
        const char *scheme = strstr(written.list[i], "://");
        const char *address = scheme ? scheme + 3 : written.list[i];
        char *filled = mem_format(strchr(address, ':') ? "%s" : "%s:9092", address), *host = NULL;
        int port;
        if (probe_split(filled, &host, &port))
            places_list_add(list, filled, "");
        free(host);
        free(filled);
    }
    places_list_free(&written);
}

static char *first_cause(const struct live *live)
{
    for (size_t i = 0; i < live->cause_count; i++) {
        const struct live_cause *cause = &live->causes[i];
        if (cause->broken)
            return mem_format("%s: %s; %s", cause->seen, cause->cause, cause->fix);
    }
    return NULL;
}

char *probe_explain(const struct kafka_settings *settings)
{
    struct places_list servers = {0};
    struct live live = {0};
    struct live_vantage *host = live_add(&live, LIVE_HOST);
    struct probe_request request = {.settings = settings, .wait_ms = EXPLAIN_MS};
    struct error error;
    char *words;

    add_servers(&servers, kafka_settings_servers(settings));
    request.addresses = (const char *const *)servers.list;
    host->wanted = true;
    if (servers.count && probe(&request, &host->result, &error) == 0)
        live_judge(&live);
    places_list_free(&servers);
    words = first_cause(&live);
    live_free(&live);
    return words;
}
