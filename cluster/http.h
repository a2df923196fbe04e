/* http.h: one HTTP request and its answer, by libcurl: waiting for it, or in
 * an event loop. For servers within the user's reach (Spark's master and
 * workers, or a gateway before them): no redirects, no proxy but one that was
 * asked for, every size and time bounded. */
#ifndef TALLY_HTTP_H
#define TALLY_HTTP_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "cluster/base/buf.h"
#include "cluster/base/error.h"

struct http_settings {
    bool tls;            /* https: its set-up takes longer than a request */
    const char *ca_file; /* whom to trust, in the place of the system's; NULL */
    const char *proxy;   /* a URL, for all requests; NULL: none, whatever the environment says */
};

/* For the whole process, before the first http_new or http_start; keeps the texts. */
void http_setup(const struct http_settings *settings);

/* What keeps connections open between requests. */
struct http;

struct http_request {
    const char *url;
    const char *unix_socket; /* the server's, instead of the host in the URL; NULL: none */
    const char *body;        /* JSON, of a POST; NULL: GET, or a POST without a body */
    const struct buf *bytes; /* instead of `body`: other than JSON (application/x-tar) */
    bool post, head, remove; /* remove: DELETE */
    bool once;       /* on a connection of its own: libcurl repeats a request, a POST too, when
                      * a connection used before turns out to be dead */
    int64_t wait_ms; /* at most, in all; 0: HTTP_TOTAL_MS */
    const char *authorization; /* the header's value; NULL: none */
    size_t most;               /* bytes of the answer's body; 0: LIMIT_ANSWER_BYTES */
    const char *header;        /* that is wanted of the answer; NULL: none */
    /* Takes the body of an answer with status 200 piece by piece, in the place of
     * the answer and its limit; false: that is enough, the rest is not read.
     * NULL: it is collected. */
    bool (*take)(void *context, const char *bytes, size_t length);
    void *context;
};

/* Starts as {0}; free with http_answer_free. */
struct http_answer {
    int status;      /* 0: none came */
    struct buf body; /* complete; `data` is NULL when it is empty */
    char *header;    /* the one that was wanted; NULL: it has none */
    bool sent;       /* something of the request may have arrived, also after a failure */
    bool refused;    /* nobody listens there */
};

struct http *http_new(void);
/* NULL is fine. */
void http_free(struct http *http);

/* Waits for the answer; any status is one, but a refusal of the proxy's own. Else -1,
 * EXIT_UNREACHABLE, and the
 * reason alone ("Connection refused"), for the caller to wrap. A signal that
 * comes meanwhile ends the wait; one that came before does not, so that a
 * command can still clean up. */
int http_ask(struct http *http, const struct http_request *request, struct http_answer *answer,
             struct error *error);
void http_answer_free(struct http_answer *answer);

/* The same in a loop: `done` is called once from it, with the answer, or with
 * an error, unless http_cancel comes first. Both are freed afterwards. */
struct http_call;
typedef void http_done(void *context, const struct http_answer *answer, const struct error *error);

struct http_call *http_start(struct ev_loop *loop, const struct http_request *request,
                             http_done *done, void *context);
/* NULL is fine; not after `done` was called. */
void http_cancel(struct http_call *call);

#endif
