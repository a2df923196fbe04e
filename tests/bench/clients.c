/* clients: many live clients in one thread, to load a server on 127.0.0.1.
 *
 *     clients sse|ws|eio PORT COUNT
 *
 * sse: /events; ws: /ws; eio: Engine.IO 4 over a WebSocket, as socket.io's own
 * client with `transports: ["websocket"]`. It gives a summary of what came when
 * all are connected and have their snapshot, and for each line that it reads; a
 * line with a 0 begins anew before that. At the end of its input it ends. A
 * summary is one line, JSON.
 *
 * Of a message named `window` it takes two values: "id":"PARTITION-NUMBER"
 * (in SSE the line `id:`), where numbers grow by one, and "sent":MICROSECONDS,
 * of the wall clock. Times are taken when recv() gives the message's end. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE       128 /* handshakes under way: less than any server's backlog */
#define MESSAGE_BYTES (4 << 20)
#define BROADCASTS    65536
#define EVENTS        1024
#define CONTROL_MOST  125 /* bytes in a control frame (RFC 6455, section 5.5) */

enum mode { MODE_SSE, MODE_WS, MODE_EIO, MODES };
/* LIVE: it has the snapshot, or of Engine.IO the answer that it is connected. */
enum phase { CONNECTING, SHAKING, JOINING, LIVE, CLOSED };
enum opcode { OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

struct connection {
    int fd;
    enum phase phase;
    uint64_t id; /* of the last message; 0: none yet */
    char *rest;  /* of a message that is not complete */
    size_t rest_length;
};

/* What came since it began anew. */
struct figures {
    uint64_t messages, snapshots, gaps, repeats, bytes;
    uint32_t *by_stamp, *by_first; /* microseconds, one a message */
    size_t room;
};

struct load {
    enum mode mode;
    int port, count, opened, shaking, live, closed;
    int epoll;
    struct connection *connections;
    int64_t began;
    double connect_seconds;
    int64_t first[BROADCASTS]; /* by id: when the first client had it */
    struct figures figures;
    bool ended;
};

static const char *const names[MODES] = {"sse", "ws", "eio"};
static const char *const paths[MODES] = {"/events", "/ws", "/socket.io/?EIO=4&transport=websocket"};
static char input[MESSAGE_BYTES + 1];

static void die(const char *what)
{
    fprintf(stderr, "clients: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void refuse(const char *what)
{
    fprintf(stderr, "clients: %s\n", what);
    exit(1);
}

static void *grow(void *memory, size_t bytes)
{
    void *grown = realloc(memory, bytes);

    if (!grown)
        die("memory");
    return grown;
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- figures */

static uint32_t span(int64_t from, int64_t to)
{
    int64_t length = to - from;

    return length < 0 ? 0 : length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
}

static void add_times(struct figures *figures, uint32_t by_stamp, uint32_t by_first)
{
    if (figures->messages == figures->room) {
        figures->room = figures->room ? figures->room * 2 : 65536;
        figures->by_stamp = grow(figures->by_stamp, figures->room * sizeof *figures->by_stamp);
        figures->by_first = grow(figures->by_first, figures->room * sizeof *figures->by_first);
    }
    figures->by_stamp[figures->messages] = by_stamp;
    figures->by_first[figures->messages] = by_first;
    figures->messages++;
}

static int compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void print_times(const char *name, uint32_t *times, size_t count)
{
    uint32_t middle = 0, late = 0, last = 0;

    if (count > 0) {
        qsort(times, count, sizeof *times, compare);
        middle = times[count / 2];
        late = times[count * 99 / 100];
        last = times[count - 1];
    }
    printf(",\"%s\":{\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}", name, middle / 1e3, late / 1e3,
           last / 1e3);
}

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void print_summary(struct load *load)
{
    struct figures *figures = &load->figures;

    printf(
        "{\"mode\":\"%s\",\"live\":%d,\"closed\":%d,\"connect_seconds\":%.3f,\"cpu_seconds\":%.3f,"
        "\"messages\":%" PRIu64 ",\"snapshots\":%" PRIu64 ",\"gaps\":%" PRIu64
        ",\"repeats\":%" PRIu64 ",\"bytes\":%.1f",
        names[load->mode], load->live, load->closed, load->connect_seconds, cpu_seconds(),
        figures->messages, figures->snapshots, figures->gaps, figures->repeats,
        figures->messages ? (double)figures->bytes / (double)figures->messages : 0.);
    print_times("by_stamp", figures->by_stamp, figures->messages);
    print_times("by_first", figures->by_first, figures->messages);
    printf("}\n");
    fflush(stdout);
}

static void begin_anew(struct figures *figures)
{
    figures->messages = figures->snapshots = figures->gaps = figures->repeats = figures->bytes = 0;
}

/* ---- messages */

static void end_connection(struct load *load, struct connection *connection)
{
    load->live -= connection->phase == LIVE;
    load->shaking -= connection->phase < LIVE;
    load->closed++;
    close(connection->fd);
    free(connection->rest);
    *connection = (struct connection){.fd = -1, .phase = CLOSED};
}

static void set_live(struct load *load, struct connection *connection)
{
    connection->phase = LIVE;
    load->shaking--;
    load->live++;
    if (load->live == load->count)
        load->connect_seconds = (double)(now_us() - load->began) / 1e6;
}

/* The number after a text within the message; 0: it is not there. */
static uint64_t number_after(const char *message, size_t length, const char *text)
{
    const char *found = memmem(message, length, text, strlen(text));

    return found ? strtoull(found + strlen(text), NULL, 10) : 0;
}

static uint64_t id_of(const char *message, size_t length, enum mode mode)
{
    return number_after(message, length, mode == MODE_SSE ? "\nid: 0-" : "\"id\":\"0-");
}

static void take_window(struct load *load, struct connection *connection, const char *message,
                        size_t length, int64_t now)
{
    uint64_t id = id_of(message, length, load->mode);
    int64_t *first = &load->first[id % BROADCASTS];

    load->figures.gaps += connection->id && id > connection->id + 1;
    load->figures.repeats += connection->id && id <= connection->id;
    load->figures.bytes += length;
    connection->id = id;
    if (!*first)
        *first = now;
    add_times(&load->figures, span((int64_t)number_after(message, length, "\"sent\":"), now),
              span(*first, now));
}

static bool starts_with(const char *text, size_t length, const char *start)
{
    return length >= strlen(start) && memcmp(text, start, strlen(start)) == 0;
}

static void take_message(struct load *load, struct connection *connection, const char *message,
                         size_t length, int64_t now)
{
    static const char *const window[MODES] = {"event: window\n", "{\"event\":\"window\"",
                                              "42[\"window\","};
    static const char *const snapshot[MODES] = {"event: snapshot\n", "{\"event\":\"snapshot\"",
                                                "42[\"snapshot\","};

    if (starts_with(message, length, window[load->mode])) {
        take_window(load, connection, message, length, now);
    } else if (starts_with(message, length, snapshot[load->mode])) {
        connection->id = id_of(message, length, load->mode);
        load->figures.snapshots += connection->phase == LIVE;
        if (connection->phase == JOINING)
            set_live(load, connection);
    }
}

/* Masked with zero, so as it is; what does not fit in the socket is a server that does not read. */
static void send_frame(struct connection *connection, enum opcode opcode, const char *payload,
                       size_t length)
{
    char frame[6 + CONTROL_MOST] = {(char)(0x80 | opcode), (char)(0x80 | length)};

    memcpy(frame + 6, payload, length);
    if (send(connection->fd, frame, 6 + length, MSG_NOSIGNAL) < 0 && errno != EPIPE &&
        errno != ECONNRESET)
        die("send");
}

/* Engine.IO 4: 0 open, 2 ping, 3 pong, 4 message; of Socket.IO within: 0 connect, 2 event. */
static void take_eio(struct load *load, struct connection *connection, const char *message,
                     size_t length, int64_t now)
{
    if (message[0] == '0')
        send_frame(connection, OP_TEXT, "40", 2);
    else if (message[0] == '2')
        send_frame(connection, OP_TEXT, "3", 1);
    else if (starts_with(message, length, "40") && connection->phase == JOINING)
        set_live(load, connection);
    else
        take_message(load, connection, message, length, now);
}

static bool take_frame(struct load *load, struct connection *connection, int opcode,
                       const char *payload, size_t length, int64_t now)
{
    if (opcode == OP_CLOSE)
        return false;
    if (opcode == OP_PING && length <= CONTROL_MOST)
        send_frame(connection, OP_PONG, payload, length);
    if (opcode == OP_TEXT && load->mode == MODE_EIO && length > 0)
        take_eio(load, connection, payload, length, now);
    else if (opcode == OP_TEXT)
        take_message(load, connection, payload, length, now);
    return true;
}

/* The bytes of the first frame, its head in *head; 0: it is not complete. */
static size_t frame_length(const char *data, size_t length, size_t *head)
{
    const unsigned char *at = (const unsigned char *)data;
    size_t more = length < 2 ? 0 : (at[1] & 0x7f) == 126 ? 2 : (at[1] & 0x7f) == 127 ? 8 : 0;
    size_t payload = 0;

    *head = 2 + more;
    if (length < *head)
        return 0;
    for (size_t i = 0; i < more; i++)
        payload = payload << 8 | at[2 + i];
    if (!more)
        payload = at[1];
    return payload > MESSAGE_BYTES ? SIZE_MAX : length < *head + payload ? 0 : *head + payload;
}

static ssize_t take_frames(struct load *load, struct connection *connection, const char *data,
                           size_t length, int64_t now)
{
    size_t taken = 0, head, frame;

    while ((frame = frame_length(data + taken, length - taken, &head)) > 0) {
        const char *at = data + taken;
        if (frame == SIZE_MAX ||
            !take_frame(load, connection, at[0] & 15, at + head, frame - head, now))
            return -1;
        taken += frame;
    }
    return (ssize_t)taken;
}

static ssize_t take_events(struct load *load, struct connection *connection, const char *data,
                           size_t length, int64_t now)
{
    size_t taken = 0;
    const char *end;

    while ((end = memmem(data + taken, length - taken, "\n\n", 2)) != NULL) {
        const char *at = data + taken;
        while (*at == ':') /* a comment is a line of its own */
            at = (const char *)memchr(at, '\n', (size_t)(end + 2 - at)) + 1;
        take_message(load, connection, at, (size_t)(end + 2 - at), now);
        taken = (size_t)(end + 2 - data);
    }
    return (ssize_t)taken;
}

/* ---- connections */

static ssize_t take_head(struct load *load, struct connection *connection, const char *data,
                         size_t length)
{
    const char *end = memmem(data, length, "\r\n\r\n", 4);

    if (!end)
        return 0;
    if (!starts_with(data, length, load->mode == MODE_SSE ? "HTTP/1.1 200" : "HTTP/1.1 101")) {
        fprintf(stderr, "clients: refused: %.*s\n", (int)strcspn(data, "\r\n"), data);
        return -1;
    }
    connection->phase = JOINING;
    return end + 4 - data;
}

/* How much of the data is done with; -1: the connection is. */
static ssize_t take(struct load *load, struct connection *connection, const char *data,
                    size_t length, int64_t now)
{
    ssize_t head = 0, rest;

    if (connection->phase == SHAKING) {
        head = take_head(load, connection, data, length);
        if (head <= 0)
            return head;
    }
    rest = (load->mode == MODE_SSE ? take_events : take_frames)(load, connection, data + head,
                                                                length - (size_t)head, now);
    return rest < 0 ? -1 : head + rest;
}

static void keep_rest(struct connection *connection, const char *data, size_t length)
{
    if (length == 0) {
        free(connection->rest);
        connection->rest = NULL;
    } else {
        connection->rest = grow(connection->rest, length);
        memcpy(connection->rest, data, length);
    }
    connection->rest_length = length;
}

static void on_readable(struct load *load, struct connection *connection)
{
    size_t length = connection->rest_length;
    ssize_t got = recv(connection->fd, input + length, MESSAGE_BYTES - length, 0);
    ssize_t taken;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) { /* its end, or a message that is too long */
        end_connection(load, connection);
        return;
    }
    if (length > 0)
        memcpy(input, connection->rest, length);
    length += (size_t)got;
    input[length] = '\0';
    taken = take(load, connection, input, length, now_us());
    if (taken < 0)
        end_connection(load, connection);
    else
        keep_rest(connection, input + taken, length - (size_t)taken);
}

static void send_request(struct load *load, struct connection *connection)
{
    static const char *const more[MODES] = {
        [MODE_SSE] = "Accept: text/event-stream\r\n\r\n",
        [MODE_WS] = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        [MODE_EIO] = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    };
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    char request[512];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost:%d\r\n%s",
                          paths[load->mode], load->port, more[load->mode]);

    if (send(connection->fd, request, (size_t)length, MSG_NOSIGNAL) != length) {
        end_connection(load, connection);
        return;
    }
    connection->phase = SHAKING;
    epoll_ctl(load->epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

static void open_connection(struct load *load)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->port)};
    struct connection *connection = &load->connections[load->opened++];
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = connection};
    const int one = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0)
        die("socket");
    load->shaking++;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0 &&
        errno != EINPROGRESS)
        die("connect");
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
        die("epoll_ctl");
}

/* ---- the loop */

static void on_input(struct load *load)
{
    char lines[256];
    ssize_t got = read(STDIN_FILENO, lines, sizeof lines);

    load->ended = got <= 0;
    for (ssize_t i = 0; i < got; i++) {
        if (lines[i] == '0')
            begin_anew(&load->figures);
        if (lines[i] == '\n')
            print_summary(load);
    }
}

static void on_event(struct load *load, const struct epoll_event *event)
{
    struct connection *connection = event->data.ptr;

    if (!connection)
        on_input(load);
    else if (connection->phase == CONNECTING && event->events & EPOLLOUT)
        send_request(load, connection);
    else if (connection->phase == CONNECTING)
        end_connection(load, connection);
    else if (connection->phase != CLOSED)
        on_readable(load, connection);
}

static void run(struct load *load)
{
    struct epoll_event events[EVENTS];
    bool told = false;

    while (!load->ended) {
        int count;
        while (load->opened < load->count && load->shaking < AT_ONCE)
            open_connection(load);
        if (!told && load->opened == load->count && load->shaking == 0) {
            print_summary(load);
            told = true;
        }
        count = epoll_wait(load->epoll, events, EVENTS, -1);
        if (count < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < count; i++)
            on_event(load, &events[i]);
    }
}

static void raise_descriptors(int count)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        die("getrlimit");
    if (limit.rlim_max < (rlim_t)count + 16)
        refuse("the limit of open files (ulimit -Hn) is too low for so many");
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    static struct load load;
    struct epoll_event event = {.events = EPOLLIN};

    while (argc == 4 && load.mode < MODES && strcmp(names[load.mode], argv[1]) != 0)
        load.mode++;
    load.port = argc == 4 ? atoi(argv[2]) : 0;
    load.count = argc == 4 ? atoi(argv[3]) : 0;
    if (load.mode == MODES || load.port < 1 || load.port > 65535 || load.count < 1)
        refuse("usage: clients sse|ws|eio PORT COUNT");
    raise_descriptors(load.count);
    load.connections = calloc((size_t)load.count, sizeof *load.connections);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!load.connections || load.epoll < 0 ||
        epoll_ctl(load.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0)
        die("start");
    load.began = now_us();
    run(&load);
    return 0;
}
