/* live.h: the same brokers as seen from several places (this machine, each
 * Docker network): what works from where, and, where it does not, the cause in
 * the words of the errors that clients print. */
#ifndef TALLY_PROBE_LIVE_H
#define TALLY_PROBE_LIVE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cluster/base/error.h"
#include "cluster/probe/places.h"
#include "cluster/probe/probe.h"
#include "cluster/probe/round_trip.h"

#define LIVE_HOST "host"

/* A place to look from. Texts are never NULL, here and below. */
struct live_vantage {
    char *from;  /* LIVE_HOST, or a Docker network's name */
    char *error; /* why nobody could look from there; "" */
    bool wanted; /* each broker must be reached from there: others than itself run there, or the
                    user asked for it */
    const struct places_list *known; /* whose the addresses are; NULL; the caller's */
    struct probe_result result;
    struct round_trip trip;
};

struct live_cause {
    char *from, *address;
    bool broken;      /* else a note: another address works from there, or nobody is there */
    const char *rule; /* of cluster/doctor, that says the same of a compose file; "" */
    char *seen;       /* what was found here */
    char *symptom;    /* what a client prints */
    char *cause, *fix;
    char *line; /* "compose.yaml:12", if the caller finds it; "" */
};

struct live {
    char **bootstrap;  /* given by the user; ends at NULL */
    char **advertised; /* known from the containers' own settings; ends at NULL */
    struct live_vantage *vantages;
    size_t vantage_count;
    struct live_cause *causes;
    size_t cause_count;
    bool reached; /* somebody answered something, somewhere */
    bool broken;
};

void live_free(struct live *live);
/* Adds a place, for the caller to fill in; the host first. */
struct live_vantage *live_add(struct live *live, const char *from);

/* An address that is asked works from a place when it answers, and so does every
 * address that it sends clients to, each as the node that is expected. */
bool live_works(const struct live_vantage *vantage, const struct probe_endpoint *endpoint);
/* The first that works there; NULL. */
const struct probe_endpoint *live_first(const struct live_vantage *vantage);
/* Finds the causes, and sets `reached` and `broken`. Once, when all is there. */
void live_judge(struct live *live);

/* docs/json.md has the form. */
json_t *live_json(const struct live *live);
/* Reads the first vantage of such a text, as this program prints it inside a
 * network; its name stays. -1: it is no such text. */
int live_read_vantage(const char *bytes, size_t length, struct live_vantage *vantage);
/* A table, address by place, and the causes. */
void live_print(const struct live *live, FILE *to);

#endif
