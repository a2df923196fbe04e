#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cluster/base/clock.h"
#include "cluster/base/limits.h"
#include "dashboard/history_edition.h"
#include "dashboard/parts.h"

#define STATUS_EVERY 5 /* seconds */
/* A cut cable closes no connection: who hears nothing for this long and a
 * little more takes it for cut (web/feed.js). So where there are no news all
 * get a status; a topic with a window a second needs none. */
#define QUIET_S    1.1
#define ROUND_S    0.2
#define BEAT_EVERY 15
/* Beats without an answer, or not even sent, after which a client is closed. */
#define BEATS_MISSED 2
/* How long one who is sent away may take to hang up. */
#define HANG_UP_S 2

bool stream_full(const struct server *server)
{
    return server->counts[TRANSPORT_WS] + server->counts[TRANSPORT_SSE] >=
           server->config.max_clients;
}

static enum transport transport_of(const struct client *client)
{
    return client->kind == CLIENT_SSE ? TRANSPORT_SSE : TRANSPORT_WS;
}

/* A client masks what it sends, or is sent away (RFC 6455, section 5.1).
 * libwebsockets 4.1 to 4.3 take both and do not tell, so the first frame's head
 * is looked at before they read it: who masks that one masks them all. If it
 * is not whole yet, it goes by: what comes next need not be a frame's head. */
static void on_first_frame(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct client *client = watcher->data;
    unsigned char head[2];
    ssize_t got;

    (void)events;
    if (lws_is_ssl(client->wsi)) {
        got = SSL_peek(lws_get_ssl(client->wsi), head, sizeof head);
        ERR_clear_error();
    } else {
        got = recv(watcher->fd, head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    }
    ev_io_stop(loop, watcher);
    if (got == sizeof head && !(head[1] & 0x80))
        stream_refuse(client, LWS_CLOSE_STATUS_PROTOCOL_ERR);
}

static void watch_first_frame(struct client *client)
{
    ev_io_init(&client->gone, on_first_frame, lws_get_socket_fd(client->wsi), EV_READ);
    ev_set_priority(&client->gone, EV_MAXPRI); /* libwebsockets' own comes after it */
    client->gone.data = client;
    ev_io_start(client->server->loop, &client->gone);
}

void stream_open(struct client *client, struct channel *channel, const char *last,
                 const char *edition, enum transport transport)
{
    struct server *server = channel->server;

    client->channel = channel;
    client->kind = transport == TRANSPORT_SSE ? CLIENT_SSE : CLIENT_WS;
    client->next = server->streams;
    client->back = &server->streams;
    if (client->next)
        client->next->back = &client->next;
    server->streams = client;
    server->counts[transport]++;
    client->slot = (uint8_t)(clock_monotonic_us() / 100 % BEAT_EVERY);
    client->wants_status = true;
    client->wants_snapshot =
        !last || !history_resume(channel->history, last, edition, &client->cursor);
    lws_callback_on_writable(client->wsi);
    if (transport == TRANSPORT_WS)
        watch_first_frame(client);
}

void stream_alive(struct client *client)
{
    client->awaits_pong = false;
    client->missed = 0;
}

/* ---- the status message */

static void write_lag(struct buf *buf, const char *name, int64_t lag)
{
    if (lag < 0)
        buf_format(buf, ",\"%s\":null", name);
    else
        buf_format(buf, ",\"%s\":%lld", name, (long long)lag);
}

static void write_text(struct buf *buf, const char *name, const char *text)
{
    buf_format(buf, ",\"%s\":", name);
    if (text)
        buf_json_string(buf, text, strlen(text));
    else
        buf_text(buf, "null");
}

static void write_rates(struct buf *buf, const struct server_spark *spark)
{
    if (!spark->has_rates) {
        buf_text(buf, ",\"inputRate\":null,\"processingRate\":null,\"batchMs\":null,"
                      "\"watermark\":null,\"stateRows\":null");
        return;
    }
    buf_format(buf, ",\"inputRate\":%.1f,\"processingRate\":%.1f,\"batchMs\":%lld",
               spark->input_rate, spark->processing_rate, (long long)spark->batch_ms);
    write_lag(buf, "watermark", spark->watermark ? spark->watermark : -1);
    write_lag(buf, "stateRows", spark->state_rows);
}

static void write_spark(struct buf *buf, const struct server_spark *spark)
{
    if (!spark) {
        buf_text(buf, ",\"spark\":null");
        return;
    }
    buf_format(buf, ",\"spark\":{\"master\":\"%s\"", spark->master_lost ? "lost" : "ok");
    write_text(buf, "id", spark->id);
    write_text(buf, "driver", spark->driver);
    write_text(buf, "application", spark->application);
    write_lag(buf, "executors", spark->application ? spark->executors : -1);
    write_lag(buf, "cores", spark->application ? spark->cores : -1);
    write_rates(buf, spark);
    buf_char(buf, '}');
}

void stream_write_status(struct channel *channel, struct buf *buf)
{
    const struct server *server = channel->server;
    struct relay_stats stats = relay_stats(channel->relay);
    struct server_job_state job = {.source_lag = -1};

    if (server->config.job_state)
        job = server->config.job_state(server->config.context, channel->spec);
    buf_format(buf, "{\"now\":%lld,\"kafka\":\"%s\",\"job\":", (long long)clock_wall_ms(),
               stats.connected ? "connected" : "lost");
    buf_json_string(buf, channel->spec->name, strlen(channel->spec->name));
    write_text(buf, "topic", stats.gone ? "gone" : "there");
    write_lag(buf, "last_record", stats.last_record ? stats.last_record : -1);
    write_lag(buf, "source_lag", job.source_lag);
    write_lag(buf, "result_lag", stats.lag);
    buf_format(buf, ",\"clients\":%d",
               server->counts[TRANSPORT_WS] + server->counts[TRANSPORT_SSE]);
    write_text(buf, "engine", job.engine);
    if (job.driver)
        write_text(buf, "driver", job.driver);
    write_spark(buf, job.spark);
    buf_char(buf, '}');
}

static struct body *make_status(struct channel *channel, enum transport transport)
{
    struct buf text = {0};

    body_start(&text);
    buf_text(&text, transport == TRANSPORT_SSE ? "event: status\ndata: "
                                               : "{\"event\":\"status\",\"id\":null,\"data\":");
    stream_write_status(channel, &text);
    buf_text(&text, transport == TRANSPORT_SSE ? "\n\n" : "}");
    return body_finish(&text, NULL);
}

static struct body *status_message(struct channel *channel, enum transport transport)
{
    if (!channel->status[transport])
        channel->status[transport] = make_status(channel, transport);
    return channel->status[transport];
}

static void forget_status(struct channel *channel)
{
    for (int i = 0; i < TRANSPORTS; i++) {
        body_release(channel->status[i]);
        channel->status[i] = NULL;
    }
}

/* ---- one write at a time */

/* A comment for SSE; for a WebSocket a ping, whose answer libwebsockets tells
 * only when it is not empty. */
static int write_beat(struct client *client)
{
    unsigned char text[LWS_PRE + 2] = {0};
    bool is_sse = client->kind == CLIENT_SSE;

    text[LWS_PRE] = ':';
    text[LWS_PRE + 1] = '\n';
    client->wants_beat = false;
    client->awaits_pong = !is_sse;
    if (is_sse)
        client->missed = 0;
    client->server->sent_bytes += 2;
    return lws_write(client->wsi, text + LWS_PRE, 2, is_sse ? LWS_WRITE_HTTP : LWS_WRITE_PING);
}

/* A short message goes out at once and whole, from where all share it. */
static int write_message(struct client *client, struct body *message)
{
    bool is_sse = client->kind == CLIENT_SSE;

    if (message->length > CHUNK_BYTES) {
        client->sending = body_hold(message);
        client->sent = 0;
        return client_send_piece(client);
    }
    client->server->sent_bytes += message->length;
    return lws_write(client->wsi, (unsigned char *)message->memory + BODY_ROOM, message->length,
                     is_sse ? LWS_WRITE_HTTP : LWS_WRITE_TEXT);
}

static int write_snapshot(struct client *client)
{
    client->wants_snapshot = false;
    client->snapshot_round = client->server->round;
    return write_message(
        client, history_snapshot(client->channel->history, &client->cursor, transport_of(client)));
}

static int write_status(struct client *client)
{
    client->wants_status = false;
    return write_message(client, status_message(client->channel, transport_of(client)));
}

static void wait_for_round(struct client *client)
{
    struct server *server = client->server;

    client->waits = true;
    if (ev_is_active(&server->round_end))
        return;
    ev_timer_set(&server->round_end, ROUND_S, 0.);
    ev_timer_start(server->loop, &server->round_end);
}

/* What a client that is too far behind gets instead of every update: the
 * newest state, though not more than once a round. */
static bool skips_ahead(struct client *client)
{
    if (history_behind(client->channel->history, client->cursor, LIMIT_BEHIND + 1) <= LIMIT_BEHIND)
        return false;
    if (client->snapshot_round == client->server->round) {
        wait_for_round(client);
        return true;
    }
    client->wants_snapshot = true;
    client->server->snapshots++;
    return true;
}

static int write_window(struct client *client)
{
    int64_t end = 0;
    struct body *message =
        history_message(client->channel->history, &client->cursor, transport_of(client), &end);

    if (!message)
        return 0;
    metrics_observe(&client->channel->latency, clock_wall_ms() - end);
    return write_message(client, message);
}

static bool has_news(const struct client *client)
{
    if (client->sending || client->wants_beat || client->wants_snapshot || client->wants_status)
        return true;
    return client->channel->filled && !client->waits &&
           history_behind(client->channel->history, client->cursor, 1) > 0;
}

static int write_next(struct client *client)
{
    if (client->sending)
        return client_send_piece(client);
    if (client->wants_beat)
        return write_beat(client);
    if (client->wants_snapshot)
        return write_snapshot(client);
    if (client->wants_status)
        return write_status(client);
    /* While the topic's past is read, nobody is told each of its windows. */
    if (!client->channel->filled)
        return 0;
    if (skips_ahead(client))
        return client->wants_snapshot ? write_snapshot(client) : 0;
    return write_window(client);
}

int stream_write(struct client *client)
{
    if (client->kind != CLIENT_WS && client->kind != CLIENT_SSE)
        return 0;
    if (write_next(client) < 0)
        return -1;
    if (has_news(client))
        lws_callback_on_writable(client->wsi);
    return 0;
}

/* ---- when something changes, and when time passes */

static void end_at_once(struct client *client)
{
    lws_set_timeout(client->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

/* At once, rather than when the loop says that there is room: that costs two
 * epoll_ctl() a message, a third of all with 10,000 clients. Who has no room
 * left is called back by libwebsockets. Whoever is being closed has left the
 * list. Ends the client if its connection is broken. */
static void send_news(struct client *client)
{
    if (has_news(client) && !lws_partial_buffered(client->wsi) && stream_write(client) < 0)
        end_at_once(client);
}

static void tell_all(struct channel *channel, bool status, bool snapshot)
{
    if (status)
        forget_status(channel);
    for (struct client *client = channel->server->streams, *next; client; client = next) {
        next = client->next;
        if (client->channel != channel)
            continue;
        client->wants_status |= status;
        client->wants_snapshot |= snapshot;
        send_news(client);
    }
}

static bool is_renewed(struct channel *channel)
{
    const char *edition = history_edition(channel->history);

    if (strcmp(channel->edition, edition) == 0)
        return false;
    snprintf(channel->edition, sizeof channel->edition, "%s", edition);
    return true;
}

void stream_changed(struct channel *channel)
{
    struct relay_stats stats = relay_stats(channel->relay);
    uint64_t update = history_last(channel->history);
    bool renewed = is_renewed(channel);
    bool status = stats.connected != channel->connected || stats.gone != channel->gone || renewed;

    if (status || update != channel->update) {
        ev_timer_again(channel->server->loop, &channel->quietness);
        channel->quiet = false;
    }
    channel->connected = stats.connected;
    channel->gone = stats.gone;
    channel->filled = stats.filled;
    channel->update = update;
    tell_all(channel, status, renewed);
}

static void on_quietness(struct ev_loop *loop, ev_timer *watcher, int events)
{
    struct channel *channel = watcher->data;

    (void)loop;
    (void)events;
    channel->quiet = true;
    tell_all(channel, true, false);
}

void stream_start(struct channel *channel)
{
    struct relay_stats stats = relay_stats(channel->relay);

    channel->connected = stats.connected;
    channel->gone = stats.gone;
    channel->filled = stats.filled;
    is_renewed(channel);
    ev_timer_init(&channel->quietness, on_quietness, QUIET_S, QUIET_S);
    channel->quietness.data = channel;
    ev_timer_start(channel->server->loop, &channel->quietness);
}

void stream_stop(struct channel *channel)
{
    ev_timer_stop(channel->server->loop, &channel->quietness);
}

/* False: it is dead. */
static bool beat(struct client *client)
{
    if (client->wants_beat || client->awaits_pong)
        if (++client->missed >= BEATS_MISSED)
            return false;
    client->wants_beat = true;
    return true;
}

static void tick_client(struct client *client, uint32_t tick)
{
    if (tick % BEAT_EVERY == client->slot && !beat(client)) {
        client->server->dropped[transport_of(client)]++;
        end_at_once(client);
        return;
    }
    if (!client->channel->quiet && tick % STATUS_EVERY == client->slot % STATUS_EVERY)
        client->wants_status = true;
    send_news(client);
}

void stream_round(struct server *server)
{
    server->round++;
    for (struct client *client = server->streams, *next; client; client = next) {
        next = client->next;
        if (!client->waits)
            continue;
        client->waits = false;
        send_news(client);
    }
}

/* The topic's results carry windows, or do no more: a snapshot says so. */
static void look_at_form(struct channel *channel)
{
    if (history_is_bare(channel->history) == channel->bare)
        return;
    channel->bare = !channel->bare;
    for (struct client *client = channel->server->streams; client; client = client->next)
        if (client->channel == channel)
            client->wants_snapshot = true;
}

void stream_tick(struct server *server)
{
    struct client *client = server->streams, *next;

    for (size_t i = 0; i < server->channel_count; i++) {
        forget_status(&server->channels[i]);
        look_at_form(&server->channels[i]);
    }
    for (; client; client = next) {
        next = client->next;
        tick_client(client, server->tick);
    }
}

/* A close frame to whoever can take one at once, or false. */
static bool send_close(struct client *client, enum lws_close_status code)
{
    const unsigned char frame[] = {0x88, 2, (unsigned char)(code >> 8), (unsigned char)code};

    if (lws_partial_buffered(client->wsi))
        return false;
    if (lws_is_ssl(client->wsi))
        return SSL_write(lws_get_ssl(client->wsi), frame, sizeof frame) == sizeof frame;
    return send(lws_get_socket_fd(client->wsi), frame, sizeof frame, MSG_DONTWAIT | MSG_NOSIGNAL) ==
           sizeof frame;
}

/* What a client says that was sent away. */
static void on_refused(struct ev_loop *loop, ev_io *watcher, int events)
{
    static char forgotten[65536];
    struct client *client = watcher->data;
    ssize_t got = recv(watcher->fd, forgotten, sizeof forgotten, MSG_DONTWAIT);

    (void)events;
    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    ev_io_stop(loop, watcher);
    lws_set_timeout(client->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

/* Not in libwebsockets' own way: from a callback that ends the connection it
 * forgets what it had read and not looked at, so it takes what comes for other
 * frames, and the close is lost or its answer is not seen. Nor at once: to
 * close a socket with bytes unread resets the connection, which may cost the
 * client the code. So all is read and forgotten until the client hangs up. */
int stream_refuse(struct client *client, enum lws_close_status code)
{
    struct lws *wsi = client->wsi;
    bool told = send_close(client, code);

    client_end(client);
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, told ? HANG_UP_S : LWS_TO_KILL_ASYNC);
    if (!told)
        return 0;
    shutdown(lws_get_socket_fd(wsi), SHUT_WR);
    lws_rx_flow_control(wsi, 0);
    client->kind = CLIENT_REFUSED;
    ev_io_init(&client->gone, on_refused, lws_get_socket_fd(wsi), EV_READ);
    client->gone.data = client;
    ev_io_start(client->server->loop, &client->gone);
    return 0;
}

/* libwebsockets would wait 5 s for an answer that it cannot read any more. That
 * the socket takes nothing else makes it end the connection at once. */
void stream_say_why(struct client *client)
{
    const unsigned char *code;

    if (client->kind != CLIENT_WS || lws_get_close_length(client->wsi) < 2)
        return;
    code = lws_get_close_payload(client->wsi);
    if (send_close(client, (enum lws_close_status)(code[0] << 8 | code[1])))
        shutdown(lws_get_socket_fd(client->wsi), SHUT_WR);
}

/* An EventSource comes back by itself, after the time it was given at its
 * start; a WebSocket is told that it may. */
void stream_say_goodbye(struct server *server)
{
    for (struct client *client = server->streams; client; client = client->next)
        if (client->kind == CLIENT_WS && !client->sending)
            send_close(client, LWS_CLOSE_STATUS_GOINGAWAY); /* its own way waits for each answer */
    for (size_t i = 0; i < server->channel_count; i++)
        forget_status(&server->channels[i]);
}
