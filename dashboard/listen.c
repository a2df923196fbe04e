#include "dashboard/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster/base/log.h"

#define PORTS_TO_TRY 20
#define BACKLOG      4096

union address {
    struct sockaddr_in6 ipv6;
    struct sockaddr_in ipv4;
    struct sockaddr any;
};

static void set_port(struct sockaddr *address, int port)
{
    if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)(void *)address)->sin_port = htons((uint16_t)port);
}

static int port_of(int descriptor)
{
    union address address = {.ipv6 = {0}};
    socklen_t length = sizeof address;

    if (getsockname(descriptor, &address.any, &length) < 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.ipv6.sin6_port
                                                   : address.ipv4.sin_port);
}

/* A socket that listens, or -1 with errno. */
static int open_one(const struct addrinfo *address, int port)
{
    int one = 1, several = 1, reason;
    int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                            address->ai_protocol);

    if (descriptor < 0)
        return -1;
    set_port(address->ai_addr, port);
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->ai_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)address->ai_addr;
        several = !IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr); /* "::" serves IPv4 too */
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &several, sizeof several);
    }
    if (bind(descriptor, address->ai_addr, address->ai_addrlen) == 0 &&
        listen(descriptor, BACKLOG) == 0)
        return descriptor;
    reason = errno;
    close(descriptor);
    errno = reason;
    return -1;
}

/* 0, or the errno. A machine without IPv6 still has a localhost. */
static int open_all(struct listen_sockets *sockets, const struct addrinfo *addresses, int port)
{
    int reason = EADDRNOTAVAIL;

    *sockets = (struct listen_sockets){.port = port};
    for (; addresses && sockets->count < LISTEN_SOCKETS; addresses = addresses->ai_next) {
        int descriptor = open_one(addresses, sockets->port);
        if (descriptor >= 0) {
            sockets->descriptors[sockets->count++] = descriptor;
            sockets->port = port_of(descriptor);
        } else if (errno == EADDRINUSE) {
            listen_close(sockets);
            return EADDRINUSE;
        } else {
            reason = errno;
        }
    }
    return sockets->count ? 0 : reason;
}

static int refuse(const char *host, int port, int reason, struct error *error)
{
    switch (reason) {
    case EADDRINUSE:
        return error_set(error, EXIT_FAILED,
                         "port %d is taken on %s: end what listens there, or choose another with "
                         "--port",
                         port, host);
    case EACCES:
        return error_set(error, EXIT_FAILED,
                         "no right to listen on port %d: choose one from 1024 on with --port",
                         port);
    case EADDRNOTAVAIL:
        return error_set(error, EXIT_FAILED,
                         "%s is no address of this machine: choose one of its own with --host, or "
                         "0.0.0.0 for all",
                         host);
    default:
        return error_set(error, EXIT_FAILED, "cannot listen on %s, port %d: %s", host, port,
                         strerror(reason));
    }
}

static int open_some(struct listen_sockets *sockets, const struct addrinfo *addresses,
                     const char *host, int port, bool asked, struct error *error)
{
    int tries = asked || port == 0 ? 0 : PORTS_TO_TRY;
    int reason = open_all(sockets, addresses, port);

    for (int i = 1; reason == EADDRINUSE && i <= tries && port + i <= 65535; i++) {
        reason = open_all(sockets, addresses, port + i);
        if (reason == 0)
            log_warning("port %d is taken on %s: using %d (choose one with --port)", port, host,
                        sockets->port);
    }
    return reason ? refuse(host, port, reason, error) : 0;
}

int listen_open(struct listen_sockets *sockets, const char *host, int port, bool asked,
                struct error *error)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *addresses = NULL;
    int result = getaddrinfo(host, NULL, &hints, &addresses);

    if (result != 0)
        return error_set(error, EXIT_FAILED,
                         "cannot listen on '%s': %s: give an address of this machine with --host",
                         host, result == EAI_SYSTEM ? strerror(errno) : gai_strerror(result));
    result = open_some(sockets, addresses, host, port, asked, error);
    freeaddrinfo(addresses);
    return result;
}

void listen_close(struct listen_sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++)
        close(sockets->descriptors[i]);
    sockets->count = 0;
}

static bool write_address(const union address *address, socklen_t length, char *text, size_t size)
{
    static const char mapped[] = "::ffff:"; /* IPv4 on a socket of both */

    if (getnameinfo(&address->any, length, text, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0)
        return false;
    if (strncmp(text, mapped, sizeof mapped - 1) == 0)
        memmove(text, text + sizeof mapped - 1, strlen(text) - sizeof mapped + 2);
    return true;
}

bool listen_local_address(int descriptor, char *text, size_t size)
{
    union address address = {.ipv6 = {0}};
    socklen_t length = sizeof address;

    return getsockname(descriptor, &address.any, &length) == 0 &&
           write_address(&address, length, text, size);
}

bool listen_peer_address(int descriptor, char *text, size_t size)
{
    union address address = {.ipv6 = {0}};
    socklen_t length = sizeof address;

    return getpeername(descriptor, &address.any, &length) == 0 &&
           write_address(&address, length, text, size);
}
