/* request.h: what a request's headers say, decided from text alone: who may
 * ask, what he accepts, which windows he wants. Touches no socket. */
#ifndef TALLY_REQUEST_H
#define TALLY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/base/error.h"
#include "dashboard/history_range.h"

/* Who may be asked, and by whom. The lists end at NULL. */
struct request_rules {
    const char *host;                 /* the bound address, as given */
    int port;                         /* of the names that are always allowed */
    const char *const *allow_hosts;   /* NAME: with any port; NAME:PORT: with this one */
    const char *const *allow_origins; /* SCHEME://HOST[:PORT] */
    int usual_port;                   /* of a Host header without one: 80, or 443 with TLS */
};

/* The Host header. `local` is the address the connection came in on, without
 * a port: a page that was rebound to us by DNS cannot name it. NULL headers
 * are not allowed. */
bool request_host_allowed(const struct request_rules *rules, const char *host, const char *local);
/* The Origin header, against the Host header; NULL, none, is allowed: it is
 * no browser, or a browser's own navigation. */
bool request_origin_allowed(const struct request_rules *rules, const char *origin,
                            const char *host);

/* "Bearer T", in time that does not depend on T. */
bool request_bearer_matches(const char *authorization, const char *token);
bool request_token_matches(const char *given, size_t length, const char *token);
/* The value of one cookie; NULL: it is not there. */
const char *request_cookie(const char *cookies, const char *name, size_t *length);

/* Whether a Content-Length header is one number that a body can have. */
bool request_length_is_sound(const char *content_length);

/* Whether an Accept-Encoding header takes gzip (RFC 9110, section 12.5.3). */
bool request_accepts_gzip(const char *accept_encoding);
/* Whether an If-None-Match header names the tag, weakly or not. */
bool request_etag_matches(const char *if_none_match, const char *etag);

/* One argument of the query, NAME=VALUE, decoded: from=, to= and limit= narrow
 * the range, others do nothing. */
int request_narrow(const char *argument, struct history_range *range, struct error *error);

#endif
