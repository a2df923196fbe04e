/* vantage.c: which bootstrap address works from where: the host, each network
 * of the files, other machines. */
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/doctor/reach.h"
#include "cluster/doctor/rules.h"

/* Of one place; more are not told. */
#define ADDRESSES_MOST 64

struct view {
    const struct diagnosis *diagnosis;
    const struct reach *reach;
    struct standpoint from;
    struct vantage *vantage;
    size_t count;
    bool tried;
};

/* From another machine `address` is this machine's port: where it leads by the advertised host. */
static char *failure_words(const struct view *view, const char *address, const char *host,
                           const struct trial *trial)
{
    if (view->from.at == AT_ELSEWHERE && host_kind(host) == HOST_LOCAL)
        return mem_format("the broker advertises %s, which there is the other machine itself: "
                          "advertise this machine's address",
                          address);
    if (view->from.at == AT_ELSEWHERE)
        return mem_format("the broker advertises %s, which is not known there", address);
    if (trial->first.kind == ARRIVE_LISTENER && trial->told)
        return mem_format("%s sends its clients on to %s:%d, %s", address,
                          *trial->told->host ? trial->told->host : trial->teller->service->name,
                          trial->told->port,
                          trial->then.kind == ARRIVE_LISTENER ? "where another listener answers"
                                                              : "which leads nowhere from there");
    return mem_format("nothing answers at %s", address);
}

static void failure_set(struct view *view, const char *address, const char *host,
                        const struct trial *trial)
{
    char **failure = &view->vantage->failure;

    if (**failure)
        return;
    free(*failure);
    *failure = failure_words(view, address, host, trial);
}

/* Takes `address`. */
static void view_try(struct view *view, char *address, const char *host, int port)
{
    struct vantage *vantage = view->vantage;
    struct trial trial;

    view->tried = true;
    if (view->count == ADDRESSES_MOST) {
        free(address);
        return;
    }
    trial = reach_try(view->reach, &view->from, host, port);
    if (trial.outcome == TRIAL_FAILS) {
        failure_set(view, address, host, &trial);
        free(address);
        return;
    }
    for (size_t i = 0; i < view->count; i++)
        if (!strcmp(vantage->addresses[i], address)) {
            free(address);
            return;
        }
    vantage->addresses = mem_grow(vantage->addresses, view->count + 2, sizeof *vantage->addresses);
    vantage->addresses[view->count++] = address;
    vantage->addresses[view->count] = NULL;
}

static void view_start(struct view *view, struct diagnosis *diagnosis, char *from)
{
    diagnosis->vantages =
        mem_grow(diagnosis->vantages, diagnosis->vantage_count + 1, sizeof *diagnosis->vantages);
    view->vantage = &diagnosis->vantages[diagnosis->vantage_count++];
    *view->vantage = (struct vantage){
        .from = from, .addresses = mem_alloc(1, sizeof(char *)), .failure = mem_text("")};
    view->count = 0;
    view->tried = false;
}

static void view_end(struct view *view)
{
    char **failure = &view->vantage->failure;

    if (view->count) {
        free(*failure);
        *failure = mem_text("");
    } else if (!view->tried) {
        free(*failure);
        *failure =
            mem_text(view->from.at == AT_ELSEWHERE ? "no port of a broker is published to them"
                                                   : "no port of a broker is published");
    }
}

static void see_host(struct view *view, const struct broker *broker, const char *name)
{
    for (size_t i = 0; i < broker->listeners.count; i++) {
        const struct endpoint *listener = &broker->listeners.list[i];
        const struct compose_port *port;
        size_t index = 0;
        if (reach_on_host(view->reach, broker->service))
            view_try(view, mem_format("%s:%d", name, listener->port), name, listener->port);
        while ((port = reach_published(view->reach, broker->service, listener->port, &index)))
            if (port->published)
                view_try(view, mem_format("%s:%d", name, port->published), name, port->published);
    }
}

/* From another machine the first step is this machine's address, whatever it is. */
static void see_elsewhere(struct view *view, const struct broker *broker)
{
    for (size_t i = 0; i < broker->listeners.count; i++) {
        const struct endpoint *listener = &broker->listeners.list[i];
        const struct endpoint *told = endpoint_find(&broker->advertised, listener->name);
        const struct compose_port *port;
        size_t index = 0;
        while (told &&
               (port = reach_published(view->reach, broker->service, listener->port, &index)))
            if (port->published && host_kind(port->host_ip) != HOST_LOCAL)
                view_try(view, mem_format("%s:%d", told->host, port->published), told->host,
                         told->port);
        if (told && reach_on_host(view->reach, broker->service))
            view_try(view, mem_format("%s:%d", told->host, told->port), told->host, told->port);
    }
}

static void see_network(struct view *view, const struct broker *broker)
{
    const struct compose_service *owner = reach_owner(view->reach, broker->service);

    for (size_t u = 0; u < owner->use_count; u++) {
        if (strcmp(reach_network(view->reach, owner->uses[u].network), view->from.network) != 0)
            continue;
        for (size_t i = 0; i < broker->listeners.count; i++)
            if (endpoint_find(&broker->advertised, broker->listeners.list[i].name))
                view_try(view,
                         mem_format("%s:%d", broker->service->name, broker->listeners.list[i].port),
                         broker->service->name, broker->listeners.list[i].port);
        return;
    }
}

static void see(struct view *view)
{
    const struct brokers *brokers = &view->diagnosis->brokers;

    for (size_t i = 0; i < brokers->count; i++) {
        if (!brokers->list[i].is_broker)
            continue;
        if (view->from.at == AT_HOST)
            see_host(view, &brokers->list[i], "localhost");
        else if (view->from.at == AT_ELSEWHERE)
            see_elsewhere(view, &brokers->list[i]);
        else
            see_network(view, &brokers->list[i]);
    }
    view_end(view);
}

void vantages_find(struct diagnosis *diagnosis)
{
    const struct compose *compose = diagnosis->compose;
    struct reach *reach;
    struct view view = {.diagnosis = diagnosis};

    if (!diagnosis->brokers.count)
        return;
    view.reach = reach = reach_new(diagnosis);
    view.from = (struct standpoint){.at = AT_HOST};
    view_start(&view, diagnosis, mem_text("the host"));
    see(&view);
    for (size_t i = 0; i < compose->network_count && i < ADDRESSES_MOST; i++) {
        view.from = (struct standpoint){.at = AT_NETWORK,
                                        .network = reach_network(reach, compose->networks[i].key)};
        view_start(&view, diagnosis, mem_format("a container on `%s`", compose->networks[i].key));
        see(&view);
        if (!view.tried) { /* no broker is on it */
            free(view.vantage->failure);
            view.vantage->failure = mem_text("no broker is on that network");
        }
    }
    view.from = (struct standpoint){.at = AT_ELSEWHERE};
    view_start(&view, diagnosis, mem_text("other machines"));
    see(&view);
    reach_free(reach);
}

void vantages_free(struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->vantage_count; i++) {
        struct vantage *vantage = &diagnosis->vantages[i];
        for (char **address = vantage->addresses; *address; address++)
            free(*address);
        free(vantage->addresses);
        free(vantage->from);
        free(vantage->failure);
    }
    free(diagnosis->vantages);
}
