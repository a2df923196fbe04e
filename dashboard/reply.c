#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster/base/log.h"
#include "dashboard/parts.h"

/* How long a client may take to accept the next piece. */
#define PIECE_TIMEOUT_S 30

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {304, "Not Modified"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {426, "Upgrade Required"},
        {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Error";
}

static void write_date(struct buf *buf)
{
    time_t now = time(NULL);
    struct tm parts;
    char text[40];

    gmtime_r(&now, &parts);
    if (strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts) > 0)
        buf_format(buf, "Date: %s\r\n", text);
}

/* Our own text rather than libwebsockets': it is the same for both versions,
 * and shorter than its calls. */
static void write_head(const struct reply *reply, struct buf *buf)
{
    buf_format(buf, "HTTP/1.1 %d %s\r\n", reply->status, reason_of(reply->status));
    write_date(buf);
    buf_text(buf,
             "Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; "
             "frame-ancestors 'none'; object-src 'none'\r\n"
             "X-Content-Type-Options: nosniff\r\n"
             "X-Frame-Options: DENY\r\n"
             "Referrer-Policy: no-referrer\r\n");
    if (reply->type)
        buf_format(buf, "Content-Type: %s\r\n", reply->type);
    if (reply->rest)
        buf_text(buf, "Transfer-Encoding: chunked\r\n");
    else if (reply->body)
        buf_format(buf, "Content-Length: %zu\r\n", reply->body->length);
    if (reply->close)
        buf_text(buf, "Connection: close\r\n");
    if (reply->headers.length)
        buf_add(buf, reply->headers.data, reply->headers.length);
    buf_text(buf, "\r\n");
    if (reply->rest && !reply->head)
        buf_format(buf, "%zx\r\n", reply->body->length); /* the first chunk's */
}

static int write_text(struct server *server, struct lws *wsi, struct buf *text)
{
    int written = lws_write(wsi, (unsigned char *)text->data + LWS_PRE, text->length - LWS_PRE,
                            LWS_WRITE_HTTP_HEADERS);

    server->sent_bytes += text->length - LWS_PRE;
    return written < 0 ? -1 : 0;
}

/* The head, and with it the body if that is short or `all` is asked for. */
static int write_start(struct server *server, struct lws *wsi, const struct reply *reply,
                       bool *complete)
{
    static const char room[LWS_PRE];
    struct buf text = {0};
    int result;

    buf_add(&text, room, sizeof room);
    write_head(reply, &text);
    *complete = !reply->body || reply->head ||
                (!reply->rest && reply->body->length + text.length <= CHUNK_BYTES);
    if (*complete && reply->body && !reply->head)
        buf_add(&text, reply->body->data, reply->body->length);
    result = write_text(server, wsi, &text);
    buf_free(&text);
    return result;
}

static void free_reply(struct reply *reply)
{
    body_release(reply->body);
    buf_free(&reply->headers);
    free(reply->rest);
    *reply = (struct reply){0};
}

static int end_transaction(struct lws *wsi)
{
    return lws_http_transaction_completed(wsi) ? -1 : 0; /* the client is gone or another's */
}

int reply_send(struct client *client, struct reply *reply)
{
    struct lws *wsi = client->wsi;
    bool complete, close = reply->close, cut = reply->cut;

    if (write_start(client->server, wsi, reply, &complete) < 0) {
        free_reply(reply);
        return -1;
    }
    if (!complete) {
        client->kind = CLIENT_ANSWER;
        client->sending = body_hold(reply->body);
        client->reader = reply->rest;
        reply->rest = NULL;
        client_watch(client);
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, PIECE_TIMEOUT_S);
        lws_callback_on_writable(wsi);
    }
    free_reply(reply);
    if (!complete)
        return 0;
    /* A request's body is read first, or the answer is lost in a reset. */
    if (cut || (close && lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0))
        return -1;
    return end_transaction(wsi);
}

int reply_open(struct client *client, struct reply *reply, const char *first)
{
    static const char room[LWS_PRE];
    struct buf text = {0};
    int result;

    buf_add(&text, room, sizeof room);
    write_head(reply, &text);
    buf_text(&text, first);
    result = write_text(client->server, client->wsi, &text);
    lws_http_mark_sse(client->wsi); /* frees the request, and there is no time limit */
    buf_free(&text);
    free_reply(reply);
    return result;
}

/* The next chunk (RFC 9112, section 7.1), and behind the last the end. The
 * size is written with zeros in front of it, once it is known. */
static int make_chunk(struct client *client)
{
    static const char empty[] = "\r\n00000000\r\n";
    struct history_reader *reader = client->reader;
    struct buf text = {0};
    size_t from;
    char size[9];

    body_start(&text);
    from = text.length;
    buf_text(&text, empty);
    if (!history_read_on(client->channel->history, reader, PIECE_BYTES, &text)) {
        log_verbose("an answer was read too slowly: windows went before they were sent");
        buf_free(&text);
        return -1;
    }
    snprintf(size, sizeof size, "%08zx", text.length - from - (sizeof empty - 1));
    memcpy(text.data + from + 2, size, sizeof size - 1);
    if (reader->ended) {
        buf_text(&text, "\r\n0\r\n\r\n");
        free(reader);
        client->reader = NULL;
    }
    client->sending = body_finish(&text, &client->server->answer_bytes);
    return 0;
}

int reply_continue(struct client *client)
{
    struct lws *wsi = client->wsi;
    int result = client_send_piece(client);

    if (result > 0 && client->reader)
        result = make_chunk(client);
    if (result < 0)
        return -1;
    if (result == 0) {
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, PIECE_TIMEOUT_S);
        lws_callback_on_writable(wsi);
        return 0;
    }
    client_end(client);
    return end_transaction(wsi);
}

int reply_refuse(struct server *server, struct lws *wsi, struct reply *reply)
{
    bool complete;
    int result;

    reply->close = true;
    result = write_start(server, wsi, reply, &complete);
    free_reply(reply);
    return result < 0 ? -1 : 1;
}

struct reply reply_error(int status, const char *format, ...)
{
    struct reply reply = {.status = status, .type = "application/json"};
    struct buf text = {0};
    char message[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    body_start(&text);
    buf_text(&text, "{\"error\":");
    buf_json_string(&text, message, strlen(message));
    buf_text(&text, "}\n");
    reply.body = body_finish(&text, NULL);
    buf_text(&reply.headers, "Cache-Control: no-store\r\n");
    return reply;
}

static enum lws_write_protocol piece_protocol(const struct client *client, bool last)
{
    int protocol = client->sent == 0 ? LWS_WRITE_TEXT : LWS_WRITE_CONTINUATION;

    if (client->kind != CLIENT_WS)
        return LWS_WRITE_HTTP;
    return (enum lws_write_protocol)(last ? protocol : protocol | LWS_WRITE_NO_FIN);
}

/* The body is shared and libwebsockets writes its frame headers in front of
 * what it sends, so a piece is copied first, to a place that all clients use. */
int client_send_piece(struct client *client)
{
    static unsigned char piece[LWS_PRE + CHUNK_BYTES];
    const struct body *body = client->sending;
    size_t length = body->length - client->sent;
    bool last = length <= CHUNK_BYTES;

    if (!last)
        length = CHUNK_BYTES;
    memcpy(piece + LWS_PRE, body->data + client->sent, length);
    if (lws_write(client->wsi, piece + LWS_PRE, length, piece_protocol(client, last)) < 0)
        return -1;
    client->server->sent_bytes += length;
    client->sent += length;
    client->missed = 0;
    if (!last)
        return 0;
    body_release(client->sending);
    client->sending = NULL;
    client->sent = 0;
    return 1;
}

static void on_gone(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct client *client = watcher->data;

    (void)events;
    ev_io_stop(loop, watcher);
    lws_set_timeout(client->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

/* While an HTTP answer is under way libwebsockets 4.1 does not read, so a peer
 * that left stays unnoticed, and its descriptor readable: the loop spins. Who
 * sends more before the answer's end gets the same: browsers do not. */
void client_watch(struct client *client)
{
    ev_io_init(&client->gone, on_gone, lws_get_socket_fd(client->wsi), EV_READ);
    client->gone.data = client;
    ev_io_start(client->server->loop, &client->gone);
}

static void leave_streams(struct client *client)
{
    client->server->counts[client->kind == CLIENT_SSE ? TRANSPORT_SSE : TRANSPORT_WS]--;
    *client->back = client->next;
    if (client->next)
        client->next->back = client->back;
    client->next = NULL;
    client->back = NULL;
}

void client_end(struct client *client)
{
    if (client->kind == CLIENT_NONE)
        return;
    if (client->back)
        leave_streams(client);
    ev_io_stop(client->server->loop, &client->gone);
    if (client->kind == CLIENT_ANSWER)
        free(client->reader);
    body_release(client->sending);
    client->sending = NULL;
    client->kind = CLIENT_NONE;
}
