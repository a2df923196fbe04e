/* places.h: which addresses are worth a try, and from where, by what the Docker
 * engine tells of the containers that are brokers. */
#ifndef TALLY_PROBE_PLACES_H
#define TALLY_PROBE_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/docker_message.h"

/* Addresses, each once. Starts as {0}. */
struct places_list {
    char **list;   /* ends at NULL; NULL when there is none */
    char **owners; /* the container whose address it is; "" : the user's, or it may be none */
    size_t count;
};

struct places_network {
    char *name;
    struct places_list addresses; /* of the brokers in it, as containers there call them */
    size_t containers;            /* that run in it, the brokers too */
};

struct places {
    struct places_list host;       /* published ports of brokers: "localhost:9092" */
    struct places_list advertised; /* by the brokers' own settings */
    struct places_list files;      /* the compose files that they come from */
    struct places_network *networks;
    size_t network_count;
    bool cut; /* there are more networks than LIMIT_PROBE_NETWORKS */
};

/* Looks at one container: `words` are its command and environment (docker_words;
 * NULL: unknown). False: it is no broker. */
bool places_add(struct places *places, const struct docker_container *container,
                char *const *words);
/* Whether one of the addresses is that broker's: by a published port, its name,
 * its address, or because its settings advertise it. */
bool places_match(const struct places_list *addresses, const struct docker_container *container,
                  char *const *words);
/* Afterwards: counts who is in the networks. */
void places_count(struct places *places, const struct docker_containers *containers);
void places_free(struct places *places);

void places_list_add(struct places_list *list, const char *address, const char *owner);
/* The owner; "" when it is not there. */
const char *places_owner(const struct places_list *list, const char *address);
void places_list_free(struct places_list *list);
/* All of "a:9092, b:9092". */
void places_list_split(struct places_list *list, const char *addresses);

#endif
