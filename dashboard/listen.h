/* listen.h: the sockets the server listens on, and clear words when that fails. */
#ifndef TALLY_LISTEN_H
#define TALLY_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/base/error.h"

/* "localhost" has two addresses. */
#define LISTEN_SOCKETS 4

struct listen_sockets {
    int descriptors[LISTEN_SOCKETS];
    size_t count;
    int port; /* the real one */
};

/* Binds all addresses of `host` to one port. A taken port is an error when it
 * was asked for; otherwise one of the next 20 is taken, with a warning. Port 0
 * is any free one. */
int listen_open(struct listen_sockets *sockets, const char *host, int port, bool asked,
                struct error *error);
void listen_close(struct listen_sockets *sockets);

/* The address a connection came in on, without a port; false: not known. */
bool listen_local_address(int descriptor, char *text, size_t size);
/* The address of who connected, likewise. */
bool listen_peer_address(int descriptor, char *text, size_t size);

#endif
