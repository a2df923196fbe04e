#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster/base/clock.h"
#include "cluster/base/limits.h"
#include "cluster/probe/probe.h"

/* Kept back from a wait for an answer: to ask in HTTP, which waits for a line's end. */
#define HTTP_MS 600

static void fail(struct probe_endpoint *endpoint, enum probe_failure failure, char *reason)
{
    free(endpoint->reason);
    endpoint->failure = failure;
    endpoint->reason = reason;
}

static void count_time(struct probe_endpoint *endpoint, enum probe_step step, int64_t since_us)
{
    endpoint->ms[step] = (double)(clock_monotonic_us() - since_us) / 1000;
}

/* ---- Resolve, connect */

static struct addrinfo *resolve(struct probe_endpoint *endpoint)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int64_t start = clock_monotonic_us();
    char port[12];
    int code;

    snprintf(port, sizeof port, "%d", endpoint->port);
    code = getaddrinfo(endpoint->host, port, &hints, &found);
    if (code == 0) {
        count_time(endpoint, STEP_RESOLVE, start);
        return found;
    }
    fail(endpoint, PROBE_UNRESOLVED,
         code == EAI_NONAME || code == EAI_NODATA
             ? mem_format("the name '%s' does not resolve", endpoint->host)
             : mem_format("the name '%s' does not resolve (%s)", endpoint->host,
                          code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code)));
    return NULL;
}

/* Whether the descriptor is ready before the deadline. */
static bool wait_for(int descriptor, short events, int64_t deadline)
{
    struct pollfd wanted = {.fd = descriptor, .events = events};

    for (;;) {
        int64_t left = deadline - clock_monotonic_ms();
        int ready = poll(&wanted, 1, left > 0 ? (int)left : 0);
        if (ready > 0)
            return true;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

/* A socket, or -1 with errno. */
static int connect_to(const struct addrinfo *to, int64_t deadline)
{
    int made = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), code = 0;
    socklen_t size = sizeof code;

    if (made < 0)
        return -1;
    if (connect(made, to->ai_addr, to->ai_addrlen) == 0)
        return made;
    code = errno;
    if (code == EINPROGRESS) {
        if (!wait_for(made, POLLOUT, deadline))
            code = ETIMEDOUT;
        else if (getsockopt(made, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
            code = errno;
        if (code == ECONNRESET) /* connected, and reset before we looked: the question tells */
            code = 0;
    }
    if (code == 0)
        return made;
    close(made);
    errno = code;
    return -1;
}

static enum probe_failure failure_of(int code)
{
    switch (code) {
    case ECONNREFUSED:
        return PROBE_REFUSED;
    case ETIMEDOUT:
        return PROBE_TIMEOUT;
    default:
        return PROBE_NO_ROUTE;
    }
}

static void add_address(struct buf *text, const struct addrinfo *address)
{
    char words[NI_MAXHOST] = "?";

    getnameinfo(address->ai_addr, address->ai_addrlen, words, sizeof words, NULL, 0,
                NI_NUMERICHOST);
    buf_format(text, "%s%s", text->length ? ", " : "", words);
}

/* Each address in turn, with its share of the time. The failure is that of the
 * address which comes nearest to an answer: a name such as localhost often has
 * one that nobody serves. */
static int connect_any(struct probe_endpoint *endpoint, const struct addrinfo *found,
                       int64_t deadline)
{
    static const char *const words[] = {[PROBE_REFUSED] = "connection refused",
                                        [PROBE_NO_ROUTE] = "no route",
                                        [PROBE_TIMEOUT] = "no connection in time"};
    int64_t start = clock_monotonic_us();
    enum probe_failure failure = PROBE_OK;
    struct buf tried = {0};
    int left = 0, made = -1;

    for (const struct addrinfo *at = found; at; at = at->ai_next)
        left++;
    for (const struct addrinfo *at = found; at && made < 0; at = at->ai_next, left--) {
        int64_t now = clock_monotonic_ms();
        made = connect_to(at, now + (deadline - now) / left);
        if (made >= 0)
            break;
        add_address(&tried, at);
        if (failure == PROBE_OK || failure_of(errno) != PROBE_NO_ROUTE)
            failure = failure_of(errno);
    }
    if (made >= 0)
        count_time(endpoint, STEP_CONNECT, start);
    else
        fail(endpoint, failure, mem_format("%s (%s)", words[failure], tried.data));
    buf_free(&tried);
    return made;
}

/* ---- Questions and answers */

struct talk {
    struct probe_endpoint *endpoint;
    const struct addrinfo *addresses;
    int socket;
    int64_t deadline;
    struct buf got;
    size_t length; /* of the answer, behind its first 4 bytes */
};

static bool send_all(int socket, const char *bytes, size_t count, int64_t deadline)
{
    while (count > 0) {
        ssize_t sent = send(socket, bytes, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN && wait_for(socket, POLLOUT, deadline))
            continue;
        if (sent < 0)
            return false;
        bytes += sent;
        count -= (size_t)sent;
    }
    return true;
}

/* What came at first, as far as it is text: "SSH-2.0-OpenSSH_9.2". */
static char *first_words(const struct buf *got)
{
    struct buf words = {0};

    buf_text(&words, "");
    for (size_t i = 0; i < got->length && i < 40; i++) {
        if (got->data[i] < ' ' || got->data[i] > '~')
            break;
        buf_char(&words, got->data[i]);
    }
    return words.data;
}

static enum probe_failure fail_as(struct talk *talk, enum wire_kind kind)
{
    struct probe_endpoint *endpoint = talk->endpoint;
    char *words = first_words(&talk->got);

    if (kind == WIRE_TLS)
        fail(endpoint, PROBE_TLS, mem_text("the listener wants TLS"));
    else if (kind == WIRE_HTTP)
        fail(endpoint, PROBE_HTTP, mem_text("what answers is an HTTP server, not Kafka"));
    else
        fail(endpoint, PROBE_OTHER,
             strlen(words) < 4 ? mem_text("what answers does not speak Kafka's protocol")
                               : mem_format("what answers is not Kafka: '%s'", words));
    free(words);
    return endpoint->failure;
}

/* Until one answer is whole. */
static enum probe_failure receive(struct talk *talk)
{
    char bytes[4096];

    talk->got.length = 0;
    for (;;) {
        enum wire_kind kind = wire_look(talk->got.data, talk->got.length, &talk->length);
        ssize_t count;
        if (kind == WIRE_WHOLE)
            return PROBE_OK;
        if (kind != WIRE_MORE)
            return fail_as(talk, kind);
        if (!wait_for(talk->socket, POLLIN, talk->deadline))
            return PROBE_SILENT;
        count = recv(talk->socket, bytes, sizeof bytes, 0);
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (count <= 0)
            return talk->got.length ? fail_as(talk, WIRE_OTHER) : PROBE_CLOSED;
        buf_add(&talk->got, bytes, (size_t)count);
    }
}

/* Takes the request. PROBE_CLOSED and PROBE_SILENT are still to be put into words. */
static enum probe_failure ask(struct talk *talk, struct buf *request, enum probe_step step)
{
    int64_t start = clock_monotonic_us();
    enum probe_failure failure = PROBE_CLOSED;

    if (send_all(talk->socket, request->data, request->length, talk->deadline) ||
        step == STEP_VERSIONS)
        failure = receive(talk); /* also what it said before it closed */
    buf_free(request);
    if (failure == PROBE_OK)
        count_time(talk->endpoint, step, start);
    return failure;
}

static bool connect_again(struct talk *talk)
{
    close(talk->socket);
    talk->socket = -1;
    for (const struct addrinfo *at = talk->addresses; at && talk->socket < 0; at = at->ai_next)
        talk->socket = connect_to(at, talk->deadline);
    return talk->socket >= 0;
}

/* Servers that read lines wait for the end of ours: such a one is told by HTTP. */
static void ask_http(struct talk *talk)
{
    static const char line[] = "GET / HTTP/1.0\r\n\r\n";

    talk->deadline += HTTP_MS;
    if (connect_again(talk) && send_all(talk->socket, line, sizeof line - 1, talk->deadline))
        receive(talk);
    if (talk->endpoint->failure != PROBE_HTTP)
        fail(talk->endpoint, PROBE_SILENT, mem_text("connected, but nothing answers"));
}

static bool ask_versions(struct talk *talk, struct wire_versions *versions)
{
    struct buf request = {0};
    enum probe_failure failure;

    wire_ask_versions(&request);
    talk->deadline -= HTTP_MS;
    failure = ask(talk, &request, STEP_VERSIONS);
    if (failure == PROBE_SILENT)
        ask_http(talk);
    else if (failure == PROBE_CLOSED)
        fail(talk->endpoint, PROBE_CLOSED, mem_text("connected, but closed before any answer"));
    if (failure != PROBE_OK)
        return false;
    talk->deadline += HTTP_MS;
    if (wire_read_versions(talk->got.data + 4, talk->length, versions) < 0) {
        fail_as(talk, WIRE_OTHER);
        return false;
    }
    if (versions->metadata < 0)
        fail(talk->endpoint, PROBE_CONTROLLER,
             mem_text("a controller's listener, not for clients"));
    return versions->metadata >= 0;
}

/* A listener with SASL closes at any other question (IllegalSaslStateException). */
static void ask_mechanisms(struct talk *talk)
{
    struct buf request = {0};
    struct wire_versions versions;
    char *names = NULL;

    wire_ask_versions(&request);
    if (connect_again(talk) && ask(talk, &request, STEP_VERSIONS) == PROBE_OK &&
        wire_read_versions(talk->got.data + 4, talk->length, &versions) == 0) {
        wire_ask_mechanisms(&request);
        if (ask(talk, &request, STEP_METADATA) == PROBE_OK &&
            wire_read_mechanisms(talk->got.data + 4, talk->length, &names) < 0)
            names[0] = '\0';
    }
    buf_free(&request);
    talk->endpoint->ms[STEP_METADATA] = -1;
    if (names && *names)
        fail(talk->endpoint, PROBE_SASL, mem_format("the listener wants SASL (%s)", names));
    else
        fail(talk->endpoint, PROBE_CLOSED,
             mem_text("closed when asked for metadata: it may want SASL"));
    free(names);
}

static bool ask_metadata(struct talk *talk, int version)
{
    struct buf request = {0};
    enum probe_failure failure;

    wire_ask_metadata(&request, version);
    failure = ask(talk, &request, STEP_METADATA);
    if (failure == PROBE_CLOSED)
        ask_mechanisms(talk);
    else if (failure == PROBE_SILENT)
        fail(talk->endpoint, PROBE_SILENT, mem_text("no answer when asked for metadata"));
    else if (failure == PROBE_OK && wire_read_metadata(talk->got.data + 4, talk->length, version,
                                                       &talk->endpoint->told) < 0) {
        wire_metadata_free(&talk->endpoint->told);
        fail_as(talk, WIRE_OTHER);
    }
    return talk->endpoint->failure == PROBE_OK;
}

/* What goes wrong here harms nobody: clients do not ask it. */
static void ask_identity(struct talk *talk, int version)
{
    struct probe_endpoint *endpoint = talk->endpoint;
    struct buf request = {0};

    if (version < 0 || endpoint->told.count == 0)
        return;
    wire_ask_identity(&request, version, &endpoint->told);
    if (ask(talk, &request, STEP_IDENTITY) == PROBE_OK)
        wire_read_identity(talk->got.data + 4, talk->length, version, &endpoint->answered_by);
    if (endpoint->failure != PROBE_OK)
        fail(endpoint, PROBE_OK, mem_text(""));
}

void probe_one(struct probe_endpoint *endpoint, int64_t deadline, bool plain)
{
    struct addrinfo *found = resolve(endpoint);
    struct talk talk = {.endpoint = endpoint, .addresses = found, .deadline = deadline};
    struct wire_versions versions;

    if (!found)
        return;
    talk.socket = connect_any(endpoint, found, deadline);
    if (talk.socket >= 0 && plain && ask_versions(&talk, &versions) &&
        ask_metadata(&talk, versions.metadata))
        ask_identity(&talk, versions.configs);
    if (talk.socket >= 0)
        close(talk.socket);
    buf_free(&talk.got);
    freeaddrinfo(found);
}
