/* reach.h: the address by which a cluster's workers reach this machine. */
#ifndef TALLY_REACH_H
#define TALLY_REACH_H

#include "cluster/base/error.h"
#include "cluster/http.h"
#include "cluster/spark_address.h"

/* A numeric address of this machine; free() it. Where the master is in a
 * container that publishes its REST port here, it is the gateway of that
 * container's network, which the Docker engine tells; else the address that a
 * packet to the master would leave from, which for a master on this machine is
 * its loopback. NULL with EXIT_UNREACHABLE. */
char *reach_address(struct http *http, const struct spark_master *master, struct error *error);

#endif
