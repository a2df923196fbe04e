#include "cluster/docker_ask.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/docker.h"

#define SOCKET "/var/run/docker.sock"
#define SCHEME "unix://"

const char *docker_socket(void)
{
    const char *host = getenv("DOCKER_HOST");

    if (!host || !*host)
        return SOCKET;
    return strncmp(host, SCHEME, strlen(SCHEME)) == 0 ? host + strlen(SCHEME) : NULL;
}

/* Paths without a version mean the engine's newest, whatever that is: what is
 * read here has been the same since 1.24. */
int docker_ask(struct http *http, const char *path, struct http_request *request,
               struct http_answer *answer, struct error *error)
{
    const char *name = docker_socket();
    char *url = mem_format("http://docker%s", path);
    int result = -1;

    request->url = url;
    request->unix_socket = name;
    if (!name)
        error_set(error, EXIT_UNREACHABLE, "it is '%.80s', and only a unix:// address is asked",
                  getenv("DOCKER_HOST"));
    else
        result = http_ask(http, request, answer, error);
    free(url);
    request->url = NULL;
    if (result == 0 && answer->status / 100 != 2 && answer->status != 304 &&
        answer->status != 404) {
        char *reason = docker_reason(answer->body.data, answer->body.length);
        result = error_set(error, EXIT_UNREACHABLE, "HTTP %d%s%s", answer->status,
                           *reason ? ": " : "", reason);
        free(reason);
    }
    if (result < 0)
        error_wrap(error, "the Docker engine at %s cannot be asked", name ? name : "DOCKER_HOST");
    return result;
}
