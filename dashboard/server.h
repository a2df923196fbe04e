/* server.h: HTTP, WebSocket and SSE over the relays' histories, on the
 * caller's loop (libwebsockets on libev). The paths and messages are in the
 * README. */
#ifndef TALLY_SERVER_H
#define TALLY_SERVER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "cluster/base/error.h"
#include "dashboard/relay.h"

struct server;

/* What the runner knows of the job's side; shown in /api/status. */
struct server_job_state {
    const char *engine; /* "local", "spark", or NULL: unknown */
    const char *driver; /* its state on Spark, "RUNNING"; NULL: there is none */
    int64_t source_lag; /* records; -1: unknown */
};

/* The strings must outlive the server. */
struct server_config {
    const char *host; /* address to bind */
    int port;         /* 0: any free one */
    bool port_asked;  /* else the next free port is taken, and said */
    /* Ending at NULL, or NULL; besides localhost and the bound address: NAME
     * (with any port) or NAME:PORT. */
    const char *const *allow_hosts;
    const char *const *allow_origins; /* likewise, besides the same origin */
    const char *token_file;           /* NULL: no token is asked for */
    struct server_job_state (*job_state)(void *context, const struct spec *spec); /* or NULL */
    void *context;
};

/* The relays (at most LIMIT_JOBS, ends at NULL) must outlive the server, which
 * takes their on_change. Sets the limit of descriptors to what its clients need. */
struct server *server_start(struct ev_loop *loop, const struct server_config *config,
                            struct relay *const *relays, struct error *error);
/* "http://localhost:5000/". */
const char *server_url(const struct server *server);
int server_clients(const struct server *server);
/* Says goodbye to the clients and ends all connections, at once. Not from
 * within one of the server's own callbacks. NULL is fine. */
void server_stop(struct server *server);

#endif
