/* docker_ask.h: one request to the Docker engine, for the files of cluster/ that
 * talk to it. */
#ifndef TALLY_DOCKER_ASK_H
#define TALLY_DOCKER_ASK_H

#include "cluster/base/error.h"
#include "cluster/http.h"

/* `path` begins with a slash; `request` says the rest, but for the URL and the
 * socket, which are filled in. Any answer but 2xx, 304 (it is so already) and
 * 404, which is the caller's, is EXIT_UNREACHABLE with the engine's words. */
int docker_ask(struct http *http, const char *path, struct http_request *request,
               struct http_answer *answer, struct error *error);

#endif
