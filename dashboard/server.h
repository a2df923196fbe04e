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

/* The job on a Spark cluster, as its master and its driver tell. */
struct server_spark {
    bool master_lost;        /* it does not answer; the rest is what was known last */
    const char *id, *driver; /* NULL: unknown; `driver`: its state, NOT_FOUND among them */
    const char *application; /* its id; NULL: it has not registered, or has ended */
    int64_t executors, cores;
    bool has_rates;
    double input_rate, processing_rate; /* rows a second, of the last batch */
    int64_t batch_ms, state_rows;
    int64_t watermark; /* ms since the epoch; 0: none yet */
};

/* What the runner knows of the job's side; shown in /api/status. */
struct server_job_state {
    const char *engine;               /* "local", "spark", or NULL: unknown */
    const char *driver;               /* its state on Spark, "RUNNING"; NULL: there is none */
    int64_t source_lag;               /* records; -1: unknown */
    const struct server_spark *spark; /* NULL: no master is configured */
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
    const char *base_path;            /* "/tally": the paths begin with it; NULL: nothing */
    const char *tls_cert, *tls_key;   /* files, in PEM: https; NULL: http */
    const char *access_log;           /* a file, or "-": standard error; NULL: none */
    int max_clients;                  /* live ones; 0: LIMIT_CLIENTS */
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
