#include "cluster/reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/log.h"
#include "cluster/docker.h"

#define ADDRESS_MOST 64

/* Connecting a datagram socket sends nothing, but makes the kernel choose. */
static int route(const struct addrinfo *to, char text[ADDRESS_MOST])
{
    struct sockaddr_storage own;
    socklen_t size = sizeof own;
    int descriptor = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result = -1;

    if (descriptor < 0)
        return -1;
    if (connect(descriptor, to->ai_addr, to->ai_addrlen) == 0 &&
        getsockname(descriptor, (struct sockaddr *)&own, &size) == 0 &&
        getnameinfo((struct sockaddr *)&own, size, text, ADDRESS_MOST, NULL, 0, NI_NUMERICHOST) ==
            0)
        result = 0;
    close(descriptor);
    return result;
}

static bool is_loopback(const struct addrinfo *address)
{
    if (address->ai_family == AF_INET)
        return ntohl(
                   ((const struct sockaddr_in *)(const void *)address->ai_addr)->sin_addr.s_addr) >>
                   24 ==
               127;
    return address->ai_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(
               &((const struct sockaddr_in6 *)(const void *)address->ai_addr)->sin6_addr);
}

/* NULL when no container publishes the master's REST port, or no engine says so. */
static char *gateway(struct http *http, const struct spark_master *master)
{
    const struct docker_container *found;
    struct docker_containers containers;
    struct error error;
    char *address = NULL;

    if (docker_list(http, &containers, &error) < 0) {
        log_verbose("%s", error.text);
        return NULL;
    }
    found = docker_find_port(&containers, master->rest_port);
    if (found && *found->gateway) {
        log_verbose("the master is the container %s; its network has this machine at %s",
                    found->name, found->gateway);
        address = mem_text(found->gateway);
    }
    docker_containers_free(&containers);
    return address;
}

static struct addrinfo *look_up(const char *host)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    char name[256];
    size_t length = strlen(host);
    struct addrinfo *found = NULL;

    if (length > 1 && *host == '[')
        snprintf(name, sizeof name, "%.*s", (int)length - 2, host + 1);
    else
        snprintf(name, sizeof name, "%s", host);
    return getaddrinfo(name, "9", &hints, &found) == 0 ? found : NULL;
}

char *reach_address(struct http *http, const struct spark_master *master, struct error *error)
{
    struct addrinfo *found = look_up(master->host);
    char text[ADDRESS_MOST];
    char *address = NULL;

    if (!found) {
        error_set(error, EXIT_UNREACHABLE, "no host '%s' is known", master->host);
        return NULL;
    }
    if (is_loopback(found))
        address = gateway(http, master);
    if (!address && route(found, text) == 0)
        address = mem_text(text);
    if (!address)
        error_set(error, EXIT_UNREACHABLE, "there is no way from here to %s: %s", master->host,
                  strerror(errno));
    freeaddrinfo(found);
    return address;
}
