/* reach_services.h: the half of reach.h that is about services: whose network
 * they are in, who has a name, what the host publishes. */
#ifndef TALLY_DOCTOR_REACH_SERVICES_H
#define TALLY_DOCTOR_REACH_SERVICES_H

#include "cluster/compose/compose.h"

struct reach;

/* The service whose network namespace it is in: itself, unless network_mode says otherwise. */
const struct compose_service *reach_owner(const struct reach *reach,
                                          const struct compose_service *service);
bool reach_on_host(const struct reach *reach, const struct compose_service *service);
/* The name that Docker has for a network of the files. */
const char *reach_network(const struct reach *reach, const char *key);
bool reach_share(const struct reach *reach, const struct compose_service *a,
                 const struct compose_service *b);
/* It is on a network that others made, where names may be that the files do not tell. */
bool reach_external(const struct reach *reach, const struct compose_service *service);
/* The service that has this name or address anywhere in the files; NULL. */
const struct compose_service *reach_named(const struct reach *reach, const char *host);

/* The published port that leads to a port of the service's container: the
 * first at or behind *index, which moves on; NULL: no more. */
const struct compose_port *reach_published(const struct reach *reach,
                                           const struct compose_service *service, int target,
                                           size_t *index);
/* The published port of that number on the host; NULL. */
const struct compose_port *reach_port(const struct reach *reach, int published,
                                      const struct compose_service **service);
#endif
