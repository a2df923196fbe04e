#include "cluster/file_server.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/limits.h"

#define SECRET_BYTES 16
#define PEER_MOST    64
#define BACKLOG      128
#define PIECE        (1 << 20) /* sent at a time, so that all get their turn */
#define REQUEST_MS   5000
#define PATIENCE_MS  60000 /* with a client that does not read, as Spark's with us */
#define TURN_MS      1000

struct served {
    int descriptor;
    char *url;
    const char *path; /* within the URL */
    off_t size;
    int fetches;
    char peer[PEER_MOST];
};

enum phase {
    READING,
    ANSWERING,
    CLOSING
}; /* CLOSING: all is sent; the client has it when it closes */

struct client {
    int descriptor; /* -1: free */
    enum phase phase;
    char request[LIMIT_SERVED_REQUEST];
    size_t request_length;
    char head[256];
    size_t head_length, head_sent;
    struct served *file; /* whose bytes come behind the head; NULL: none */
    off_t sent;
    int64_t moved; /* monotonic ms */
    char peer[PEER_MOST];
};

struct file_server {
    int listener, stop;
    char *origin;         /* "http://HOST:PORT" */
    pthread_mutex_t lock; /* of the next two */
    struct served files[LIMIT_SERVED_FILES];
    int file_count;
    struct client clients[LIMIT_SERVED_CLIENTS]; /* the thread's */
    pthread_t thread;
    bool running;
};

/* ---- The request */

enum file_request file_request_read(const char *bytes, size_t length, const char **path,
                                    size_t *path_length)
{
    const char *line_end = memmem(bytes, length, "\r\n", 2);
    enum file_request kind = FILE_REQUEST_OTHER;
    const char *at = bytes, *blank;

    if (!memmem(bytes, length, "\r\n\r\n", 4))
        return FILE_REQUEST_MORE;
    if (strncmp(at, "GET ", 4) == 0)
        kind = FILE_REQUEST_GET;
    else if (strncmp(at, "HEAD ", 5) == 0)
        kind = FILE_REQUEST_HEAD;
    else
        return FILE_REQUEST_OTHER;
    at += kind == FILE_REQUEST_GET ? 4 : 5;
    blank = memchr(at, ' ', (size_t)(line_end - at));
    if (!blank || line_end - blank < 8 || strncmp(blank + 1, "HTTP/1.", 7) != 0)
        return FILE_REQUEST_OTHER;
    *path = at;
    *path_length = (size_t)(blank - at);
    return kind;
}

static struct served *find_file(struct file_server *server, const char *path, size_t length)
{
    struct served *found = NULL;

    pthread_mutex_lock(&server->lock);
    for (int i = 0; i < server->file_count; i++)
        if (strlen(server->files[i].path) == length &&
            memcmp(server->files[i].path, path, length) == 0)
            found = &server->files[i];
    pthread_mutex_unlock(&server->lock);
    return found;
}

/* ---- One client */

static void drop(struct client *client)
{
    close(client->descriptor);
    client->descriptor = -1;
}

/* Once the request is whole; one answer a connection. */
static void prepare_answer(struct file_server *server, struct client *client)
{
    const char *path = "";
    size_t length = 0;
    enum file_request kind =
        file_request_read(client->request, client->request_length, &path, &length);
    struct served *file = NULL;
    int written;

    if (kind == FILE_REQUEST_MORE) {
        if (client->request_length == sizeof client->request)
            drop(client);
        return;
    }
    if (kind != FILE_REQUEST_OTHER)
        file = find_file(server, path, length);
    written =
        snprintf(client->head, sizeof client->head,
                 "HTTP/1.1 %s\r\nContent-Type: application/octet-stream\r\n"
                 "Content-Length: %lld\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
                 file ? "200 OK" : "404 Not Found", file ? (long long)file->size : 0LL);
    client->head_length = (size_t)written;
    client->file = kind == FILE_REQUEST_GET ? file : NULL;
    client->phase = ANSWERING;
}

static bool is_passing(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == EINTR);
}

static void read_request(struct file_server *server, struct client *client)
{
    ssize_t got = recv(client->descriptor, client->request + client->request_length,
                       sizeof client->request - client->request_length, 0);

    if (is_passing(got))
        return;
    if (got <= 0) {
        drop(client);
        return;
    }
    client->request_length += (size_t)got;
    client->moved = clock_monotonic_ms();
    prepare_answer(server, client);
}

/* Of the head, then of the file. A file that has become shorter ends the
 * connection: the client sees that bytes are missing. */
static ssize_t send_piece(struct client *client)
{
    ssize_t put;

    if (client->head_sent < client->head_length) {
        put = send(client->descriptor, client->head + client->head_sent,
                   client->head_length - client->head_sent, client->file ? MSG_MORE : 0);
        client->head_sent += put > 0 ? (size_t)put : 0;
        return put;
    }
    return sendfile(client->descriptor, client->file->descriptor, &client->sent,
                    client->file->size - client->sent < PIECE
                        ? (size_t)(client->file->size - client->sent)
                        : PIECE);
}

static bool is_all_sent(const struct client *client)
{
    return client->head_sent == client->head_length &&
           (!client->file || client->sent == client->file->size);
}

static void send_answer(struct client *client)
{
    ssize_t put = is_all_sent(client) ? 1 : send_piece(client);

    if (is_passing(put))
        return;
    if (put <= 0) {
        drop(client);
        return;
    }
    client->moved = clock_monotonic_ms();
    if (is_all_sent(client)) {
        shutdown(client->descriptor, SHUT_WR);
        client->phase = CLOSING;
    }
}

static void note_fetch(struct file_server *server, const struct client *client)
{
    pthread_mutex_lock(&server->lock);
    client->file->fetches++;
    memcpy(client->file->peer, client->peer, PEER_MOST);
    pthread_mutex_unlock(&server->lock);
}

static void await_close(struct file_server *server, struct client *client)
{
    char rest[512];
    ssize_t got = recv(client->descriptor, rest, sizeof rest, 0);

    if (got > 0 || is_passing(got))
        return;
    if (got == 0 && client->file)
        note_fetch(server, client);
    drop(client);
}

static void serve_client(struct file_server *server, struct client *client, short events)
{
    if (events == 0) {
        int64_t patience = client->phase == READING ? REQUEST_MS : PATIENCE_MS;
        if (clock_monotonic_ms() - client->moved >= patience)
            drop(client);
    } else if (client->phase == READING) {
        read_request(server, client);
    } else if (client->phase == ANSWERING) {
        send_answer(client);
    } else {
        await_close(server, client);
    }
}

/* ---- All of them */

static struct client *free_client(struct file_server *server)
{
    for (int i = 0; i < LIMIT_SERVED_CLIENTS; i++)
        if (server->clients[i].descriptor < 0)
            return &server->clients[i];
    return NULL;
}

/* With all places taken, others wait in the kernel's queue. */
static void take_client(struct file_server *server)
{
    struct client *client = free_client(server);
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    int descriptor =
        accept4(server->listener, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (descriptor < 0)
        return;
    *client = (struct client){.descriptor = descriptor, .moved = clock_monotonic_ms()};
    if (getnameinfo((struct sockaddr *)&address, size, client->peer, sizeof client->peer, NULL, 0,
                    NI_NUMERICHOST) != 0)
        snprintf(client->peer, sizeof client->peer, "?");
}

static void *serve(void *context)
{
    struct file_server *server = context;
    struct pollfd polls[LIMIT_SERVED_CLIENTS + 2];

    for (;;) {
        polls[0] = (struct pollfd){.fd = server->stop, .events = POLLIN};
        polls[1] =
            (struct pollfd){.fd = free_client(server) ? server->listener : -1, .events = POLLIN};
        for (int i = 0; i < LIMIT_SERVED_CLIENTS; i++) /* poll passes -1 over */
            polls[i + 2] =
                (struct pollfd){.fd = server->clients[i].descriptor,
                                .events = server->clients[i].phase == ANSWERING ? POLLOUT : POLLIN};
        if (poll(polls, LIMIT_SERVED_CLIENTS + 2, TURN_MS) < 0 && errno != EINTR)
            return NULL;
        if (polls[0].revents)
            return NULL;
        for (int i = 0; i < LIMIT_SERVED_CLIENTS; i++)
            if (server->clients[i].descriptor >= 0)
                serve_client(server, &server->clients[i], polls[i + 2].revents);
        if (polls[1].revents)
            take_client(server);
    }
}

/* ---- Its life */

static int bind_to(struct file_server *server, const struct addrinfo *found, const char *address,
                   struct error *error)
{
    int one = 1;

    server->listener = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->listener >= 0 &&
        setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
        bind(server->listener, found->ai_addr, found->ai_addrlen) == 0 &&
        listen(server->listener, BACKLOG) == 0)
        return 0;
    if (errno == EADDRNOTAVAIL)
        return error_set(error, EXIT_USAGE,
                         "%s is no address of this machine: give one that the workers can reach by "
                         "--serve-address",
                         address);
    return error_set(error, EXIT_REFUSED, "cannot serve files on %s: %s", address, strerror(errno));
}

static bool is_wildcard(const struct addrinfo *found)
{
    char text[PEER_MOST];

    return getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0,
                       NI_NUMERICHOST) != 0 ||
           strcmp(text, "0.0.0.0") == 0 || strcmp(text, "::") == 0;
}

static int listen_on(struct file_server *server, const char *address, int port, struct error *error)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    char service[16];
    int result;

    snprintf(service, sizeof service, "%d", port);
    result = getaddrinfo(address, service, &hints, &found);
    if (result != 0)
        return error_set(error, EXIT_USAGE, "--serve-address '%s': %s", address,
                         gai_strerror(result));
    if (is_wildcard(found))
        result = error_set(error, EXIT_USAGE,
                           "--serve-address '%s': workers need one address to ask", address);
    else
        result = bind_to(server, found, address, error);
    freeaddrinfo(found);
    if (result < 0)
        return -1;
    getsockname(server->listener, (struct sockaddr *)&bound, &size);
    getnameinfo((struct sockaddr *)&bound, size, NULL, 0, service, sizeof service, NI_NUMERICSERV);
    server->origin =
        mem_format(strchr(address, ':') ? "http://[%s]:%s" : "http://%s:%s", address, service);
    return 0;
}

/* Signals are the main thread's. */
static int start_thread(struct file_server *server, struct error *error)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&server->thread, NULL, serve, server);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    server->running = failed == 0;
    return failed ? error_set(error, EXIT_REFUSED, "cannot serve files: %s", strerror(failed)) : 0;
}

struct file_server *file_server_open(const char *address, int port, struct error *error)
{
    struct file_server *server = mem_alloc(1, sizeof *server);

    server->listener = -1;
    server->stop = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&server->lock, NULL);
    for (int i = 0; i < LIMIT_SERVED_CLIENTS; i++)
        server->clients[i].descriptor = -1;
    if (listen_on(server, address, port, error) == 0 && start_thread(server, error) == 0)
        return server;
    file_server_close(server);
    return NULL;
}

static char *make_url(const struct file_server *server, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    unsigned char secret[SECRET_BYTES];
    struct buf url = {0};

    if (getrandom(secret, sizeof secret, 0) != sizeof secret)
        abort(); /* up to 256 bytes it gives all or nothing, and nothing only before the boot's end
                  */
    buf_text(&url, server->origin);
    buf_char(&url, '/');
    for (size_t i = 0; i < sizeof secret; i++)
        buf_format(&url, "%02x", secret[i]);
    buf_char(&url, '/');
    for (; *name; name++)
        buf_char(&url, strchr(plain, *name) ? *name : '_');
    return url.data;
}

const char *file_server_add(struct file_server *server, const char *path, struct error *error)
{
    struct served *file = &server->files[server->file_count];
    struct stat facts;
    int descriptor;

    if (server->file_count == LIMIT_SERVED_FILES) {
        error_set(error, EXIT_USAGE, "%s: at most %d local files can be served", path,
                  LIMIT_SERVED_FILES);
        return NULL;
    }
    descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || fstat(descriptor, &facts) < 0 || !S_ISREG(facts.st_mode)) {
        error_set(error, EXIT_INPUT, "cannot read %s: %s", path,
                  descriptor < 0 ? strerror(errno) : "it is no file");
        if (descriptor >= 0)
            close(descriptor);
        return NULL;
    }
    *file = (struct served){.descriptor = descriptor, .size = facts.st_size};
    file->url = make_url(server, path);
    file->path = file->url + strlen(server->origin);
    pthread_mutex_lock(&server->lock);
    server->file_count++;
    pthread_mutex_unlock(&server->lock);
    return file->url;
}

int file_server_fetches(struct file_server *server, const char *url, char peer[64])
{
    int fetches = 0;

    *peer = '\0';
    pthread_mutex_lock(&server->lock);
    for (int i = 0; i < server->file_count; i++) {
        if (strcmp(server->files[i].url, url) == 0) {
            fetches = server->files[i].fetches;
            memcpy(peer, server->files[i].peer, PEER_MOST);
        }
    }
    pthread_mutex_unlock(&server->lock);
    return fetches;
}

void file_server_close(struct file_server *server)
{
    static const uint64_t one = 1;

    if (!server)
        return;
    if (server->running && write(server->stop, &one, sizeof one) == sizeof one)
        pthread_join(server->thread, NULL);
    for (int i = 0; i < LIMIT_SERVED_CLIENTS; i++)
        if (server->clients[i].descriptor >= 0)
            close(server->clients[i].descriptor);
    for (int i = 0; i < server->file_count; i++) {
        close(server->files[i].descriptor);
        free(server->files[i].url);
    }
    if (server->listener >= 0)
        close(server->listener);
    close(server->stop);
    pthread_mutex_destroy(&server->lock);
    free(server->origin);
    free(server);
}
