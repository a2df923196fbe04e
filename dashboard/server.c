#include "dashboard/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "dashboard/frames.h"
#include "dashboard/parts.h"
#include "dashboard/tls.h"

/* Connections besides the live clients, and what the program itself opens. */
#define DESCRIPTORS_MORE 1024
#define DESCRIPTORS_OWN  64
#define ACCEPTS_A_TURN   64
/* Of one request: browsers send the cookies of all that listens on localhost. */
#define HEADER_BYTES     (4 * LIMIT_HTTP_LINE)
#define REQUESTS_AT_ONCE 512
#define IDLE_S           15
#define REQUEST_S        10
#define TOKEN_MOST       512
/* What the kernel holds for a client who does not read, and for how long. */
#define SEND_BUFFER     65536
#define SEND_TIMEOUT_MS 60000 /* stream.c is faster, and counts it */

/* ---- what libwebsockets asks */

static int start_client(struct server *server, struct client *client, struct lws *wsi)
{
    if (!client)
        return -1;
    client->wsi = wsi;
    client->server = server;
    return 0;
}

static int on_writable(struct client *client)
{
    return client->kind == CLIENT_ANSWER ? reply_continue(client) : stream_write(client);
}

static int on_message(struct client *client, size_t length)
{
    struct lws *wsi = client->wsi;

    if (client->kind != CLIENT_WS)
        return 0; /* it was sent away, and speaks on */
    if (!frames_take(&client->message, length, lws_remaining_packet_payload(wsi),
                     lws_is_first_fragment(wsi)))
        return stream_refuse(client, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
    stream_alive(client);
    return 0;
}

/* libwebsockets sends a code back; half a one, and those from 5000 on, as they came. */
static int on_close(struct client *client, const unsigned char *payload, size_t length)
{
    if (client->kind != CLIENT_WS)
        return -1; /* the answer to ours */
    if (frames_close_is_sound(payload, length))
        return 0;
    stream_refuse(client, LWS_CLOSE_STATUS_PROTOCOL_ERR);
    return -1;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t length)
{
    struct server *server = lws_context_user(lws_get_context(wsi));
    struct client *client = user;

    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return start_client(server, client, wsi) < 0 ? -1 : answer_http(client, wsi);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return answer_upgrade(server, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        return start_client(server, client, wsi) < 0 ? -1 : answer_websocket(client, wsi);
    case LWS_CALLBACK_HTTP_WRITEABLE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return client ? on_writable(client) : 0;
    case LWS_CALLBACK_RECEIVE:
        return on_message(client, length);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return on_close(client, in, length);
    case LWS_CALLBACK_RECEIVE_PONG:
        if (client->kind == CLIENT_WS)
            stream_alive(client);
        return 0;
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
        if (client)
            stream_say_why(client);
        /* fallthrough */
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
        if (client)
            client_end(client);
        return 0;
    case LWS_CALLBACK_RAW_ADOPT: /* a CONNECT request would make a tunnel */
    case LWS_CALLBACK_RAW_RX:
        return -1;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {
        .name = "tally",
        .callback = on_event,
        .per_session_data_size = sizeof(struct client),
        .rx_buffer_size = 128, /* kept by every WebSocket; ours say nothing */
        .tx_packet_size = CHUNK_BYTES,
    },
    {0},
};

static void on_log(int level, const char *line)
{
    int length = (int)strcspn(line, "\n");

    (void)level;
    /* lws_http_mark_sse says so of every HTTP/1 connection. */
    if (!strstr(line, "not h2 substream"))
        log_verbose("libwebsockets: %.*s", length, line);
}

/* ---- connections */

/* The descriptor's number tells how many there are. */
static void refuse_connection(struct server *server, int descriptor)
{
    static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\n"
                               "Content-Type: application/json\r\nContent-Length: 33\r\n"
                               "Connection: close\r\n\r\n"
                               "{\"error\":\"all places are taken\"}\n";

    server->refused++;
    if (!server->config.tls_cert) /* it speaks another language there */
        send(descriptor, text, sizeof text - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(descriptor, SHUT_WR);
    close(descriptor);
}

static void take_connection(struct server *server, int descriptor)
{
    static const int one = 1, buffer = SEND_BUFFER, timeout = SEND_TIMEOUT_MS;

    if (descriptor >= server->descriptor_limit) {
        refuse_connection(server, descriptor);
        return;
    }
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    lws_adopt_socket_vhost(server->vhost, descriptor); /* closes it if that fails */
}

static void set_accepting(struct server *server, bool accepting)
{
    for (size_t i = 0; i < server->sockets.count; i++) {
        if (accepting)
            ev_io_start(server->loop, &server->accepts[i]);
        else
            ev_io_stop(server->loop, &server->accepts[i]);
    }
    server->paused = !accepting;
}

static void on_connection(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct server *server = watcher->data;

    (void)loop;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int descriptor = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            take_connection(server, descriptor);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            set_accepting(server, false); /* or the loop would spin on it */
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

static void on_second(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct server *server = watcher->data;

    (void)loop;
    (void)events;
    server->tick++;
    stream_round(server);
    stream_tick(server);
    if (server->paused)
        set_accepting(server, true);
    /* libwebsockets 4.1 on libev arms its timer only after an event of its own. */
    lws_cancel_service(server->context);
}

static void on_round_end(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    stream_round(watcher->data);
}

static void on_change(void *context)
{
    stream_changed(context);
}

/* ---- start */

/* libwebsockets keeps a table as long as the limit says, so a limit of a
 * million costs memory, and one lower than the descriptors in use is worse. */
static void limit_descriptors(struct server *server)
{
    const rlim_t wanted = (rlim_t)server->config.max_clients + DESCRIPTORS_MORE;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > wanted)
        limit.rlim_cur = wanted;
    server->descriptor_limit = (int)limit.rlim_cur - DESCRIPTORS_OWN;
    log_verbose("live server: up to %d connections", server->descriptor_limit);
}

/* A cookie takes it as it is (RFC 6265, section 4.1.1). */
static bool is_token(const char *text)
{
    for (const char *at = text; *at; at++)
        if (*at <= 0x20 || *at == 0x7f || strchr("\",;\\", *at) || (unsigned char)*at >= 0x80)
            return false;
    return *text != '\0';
}

static int read_token(struct server *server, const char *path, struct error *error)
{
    FILE *file = fopen(path, "re");
    char text[TOKEN_MOST + 3] = "";
    size_t length;
    bool failed;

    if (!file)
        return error_set(error, EXIT_INPUT, "cannot read the token file %s: %s", path,
                         strerror(errno));
    length = fread(text, 1, sizeof text - 1, file);
    failed = ferror(file) != 0;
    fclose(file);
    if (failed)
        return error_set(error, EXIT_INPUT, "cannot read the token file %s", path);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        text[--length] = '\0';
    if (length == 0)
        return error_set(error, EXIT_INPUT, "the token file %s is empty", path);
    if (length > TOKEN_MOST || strlen(text) != length || !is_token(text))
        return error_set(error, EXIT_INPUT,
                         "the token file %s must hold one line of at most %d visible ASCII "
                         "characters, without quotes, commas, semicolons and backslashes",
                         path, TOKEN_MOST);
    server->token = mem_text(text);
    return 0;
}

static void add_channels(struct server *server, struct relay *const *relays)
{
    while (relays[server->channel_count] && server->channel_count < LIMIT_JOBS)
        server->channel_count++;
    server->channels = mem_alloc(server->channel_count, sizeof *server->channels);
    for (size_t i = 0; i < server->channel_count; i++) {
        struct channel *channel = &server->channels[i];
        channel->server = server;
        channel->relay = relays[i];
        channel->spec = relay_spec(relays[i]);
        channel->history = relay_history(relays[i]);
        stream_start(channel);
    }
}

static struct lws_context *make_context(struct server *server)
{
    static const lws_retry_bo_t no_pings = {0}; /* stream.c has its own, in constant time */
    void *loops[] = {server->loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME |
                   LWS_SERVER_OPTION_VALIDATE_UTF8,
        .foreign_loops = loops,
        .user = server,
        .max_http_header_data2 = HEADER_BYTES,
        .max_http_header_pool = REQUESTS_AT_ONCE,
        .keepalive_timeout = IDLE_S,
        .timeout_secs = REQUEST_S,
        .timeout_secs_ah_idle = REQUEST_S,
        .retry_and_idle_policy = &no_pings,
        .ssl_cert_filepath = server->config.tls_cert,
        .ssl_private_key_filepath = server->config.tls_key,
        .alpn = "http/1.1", /* reply.c speaks nothing else */
    };
    struct lws_context *context;
    struct sigaction pipe_action;

    if (server->config.tls_cert)
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    lws_set_log_level(LLL_ERR, on_log);
    sigaction(SIGPIPE, NULL, &pipe_action); /* the context would ignore it from now on */
    context = lws_create_context(&info);
    /* With TLS it must be: OpenSSL writes without MSG_NOSIGNAL. */
    if (!server->config.tls_cert)
        sigaction(SIGPIPE, &pipe_action, NULL);
    return context;
}

static int start_context(struct server *server, struct error *error)
{
    server->context = make_context(server);
    if (!server->context)
        return error_set(error, EXIT_FAILED,
                         "cannot start libwebsockets: is its libev plugin installed "
                         "(libwebsockets-evlib-ev)? --verbose says more");
    server->vhost = lws_get_vhost_by_name(server->context, "default");
    if (!server->vhost)
        return error_set(error, EXIT_FAILED, "cannot start libwebsockets: it has no virtual host");
    return 0;
}

static void make_names(struct server *server)
{
    static const char *const local[] = {"localhost", "127.0.0.1", "0.0.0.0", "::"};
    const char *host = server->config.host;
    bool is_ipv6 = strchr(host, ':') != NULL;

    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
        if (strcmp(host, local[i]) == 0) {
            host = "localhost";
            is_ipv6 = false;
        }
    }
    server->url = mem_format(is_ipv6 ? "%s://[%s]:%d%s/" : "%s://%s:%d%s/",
                             server->config.tls_cert ? "https" : "http", host, server->sockets.port,
                             server->base);
    /* Cookies do not tell ports apart. */
    server->cookie = mem_format("tally_token_%d", server->sockets.port);
    server->rules = (struct request_rules){server->config.host, server->sockets.port,
                                           server->config.allow_hosts, server->config.allow_origins,
                                           server->config.tls_cert ? 443 : 80};
}

static void start_watchers(struct server *server)
{
    for (size_t i = 0; i < server->sockets.count; i++) {
        ev_io_init(&server->accepts[i], on_connection, server->sockets.descriptors[i], EV_READ);
        server->accepts[i].data = server;
    }
    set_accepting(server, true);
    ev_timer_init(&server->timer, on_second, 1., 1.);
    ev_timer_init(&server->round_end, on_round_end, 0., 0.);
    server->timer.data = server->round_end.data = server;
    ev_timer_start(server->loop, &server->timer);
    for (size_t i = 0; i < server->channel_count; i++)
        relay_on_change(server->channels[i].relay, on_change, &server->channels[i]);
}

static int check_config(struct server *server, struct error *error)
{
    const struct server_config *config = &server->config;

    if (!config->tls_cert != !config->tls_key)
        return error_set(error, EXIT_USAGE,
                         "--tls-cert and --tls-key belong together: give %s, too",
                         config->tls_cert ? "--tls-key" : "--tls-cert");
    if (config->tls_cert && tls_check(config->tls_cert, config->tls_key, error) < 0)
        return -1;
    if (config->token_file && read_token(server, config->token_file, error) < 0)
        return -1;
    if (!config->access_log)
        return 0;
    server->log = access_log_open(config->access_log, error);
    return server->log ? 0 : -1;
}

static int start(struct server *server, struct relay *const *relays, struct error *error)
{
    const struct server_config *config = &server->config;

    if (check_config(server, error) < 0)
        return -1;
    if (listen_open(&server->sockets, config->host, config->port, config->port_asked, error) < 0)
        return -1;
    make_names(server);
    limit_descriptors(server);
    if (start_context(server, error) < 0)
        return -1;
    server->site = site_new();
    add_channels(server, relays);
    start_watchers(server);
    return 0;
}

struct server *server_start(struct ev_loop *loop, const struct server_config *config,
                            struct relay *const *relays, struct error *error)
{
    struct server *server = mem_alloc(1, sizeof *server);

    server->loop = loop;
    server->config = *config;
    if (!config->max_clients)
        server->config.max_clients = LIMIT_CLIENTS;
    server->base = config->base_path ? config->base_path : "";
    server->round = 1; /* 0 is a client's "not yet" */
    if (start(server, relays, error) == 0)
        return server;
    server_stop(server);
    return NULL;
}

const char *server_url(const struct server *server)
{
    return server->url;
}

int server_clients(const struct server *server)
{
    return server->counts[TRANSPORT_WS] + server->counts[TRANSPORT_SSE];
}

void server_stop(struct server *server)
{
    if (!server)
        return;
    for (size_t i = 0; i < server->channel_count; i++) {
        relay_on_change(server->channels[i].relay, NULL, NULL);
        stream_stop(&server->channels[i]);
    }
    set_accepting(server, false);
    ev_timer_stop(server->loop, &server->timer);
    ev_timer_stop(server->loop, &server->round_end);
    listen_close(&server->sockets);
    stream_say_goodbye(server);
    if (server->context)
        lws_context_destroy(server->context);
    site_free(server->site);
    access_log_close(server->log);
    free(server->channels);
    free(server->token);
    free(server->cookie);
    free(server->url);
    free(server);
}
