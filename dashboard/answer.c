#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/clock.h"
#include "cluster/base/limits.h"
#include "dashboard/pages.h"
#include "dashboard/parts.h"

#define RETRY_AFTER_S "10"
/* How long an EventSource waits before it comes back, in ms; each its own time,
 * or all would come at once after a restart. */
#define SSE_RETRY_MS  1000
#define SSE_SPREAD_MS 2000
/* Of a Sec-WebSocket-Key: 16 bytes in base64 (RFC 6455, section 4.1). */
#define KEY_BYTES 24

/* A request while it is answered. */
struct exchange {
    struct server *server;
    struct lws *wsi;
    char *path;
    char *host, *origin; /* NULL: not sent */
    bool head, other_method;
    bool outside;     /* of --base-path */
    bool by_argument; /* ?token= was right */
    struct channel *channel;
    struct reply reply;
};

/* Neither token nor origin, and beside the base path, too; ?job=; for people */
enum { FOR_ALL = 1, OF_A_JOB = 2, A_PAGE = 4 };

struct route {
    const char *path;
    int flags;
    void (*answer)(struct exchange *exchange);
};

/* ---- what was asked */

/* A header, or NULL; free() it. */
static char *get_header(struct lws *wsi, enum lws_token_indexes token)
{
    int length = lws_hdr_total_length(wsi, token);
    char *text;

    if (length <= 0)
        return NULL;
    text = mem_alloc((size_t)length + 1, 1);
    if (lws_hdr_copy(wsi, text, length + 1, token) < 0)
        *text = '\0';
    return text;
}

/* The n-th "NAME=VALUE" of the query, decoded, or NULL; free() it. */
static char *get_argument(struct lws *wsi, int n)
{
    int length = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, n);
    char *text;

    if (length <= 0)
        return NULL;
    text = mem_alloc((size_t)length + 1, 1);
    if (lws_hdr_copy_fragment(wsi, text, length + 1, WSI_TOKEN_HTTP_URI_ARGS, n) < 0)
        *text = '\0';
    return text;
}

/* The value of the argument that starts with "NAME=", or NULL; free() it. */
static char *find_argument(struct lws *wsi, const char *name)
{
    char *argument;

    for (int n = 0; (argument = get_argument(wsi, n)) != NULL; n++) {
        if (strncmp(argument, name, strlen(name)) == 0) {
            memmove(argument, argument + strlen(name), strlen(argument + strlen(name)) + 1);
            return argument;
        }
        free(argument);
    }
    return NULL;
}

/* The paths below are without the base path. */
static void strip_base(struct exchange *exchange)
{
    size_t length = strlen(exchange->server->base);
    char *path = exchange->path;

    if (!path || length == 0)
        return;
    exchange->outside = strncmp(path, exchange->server->base, length) != 0 || path[length] != '/';
    if (!exchange->outside)
        memmove(path, path + length, strlen(path + length) + 1);
}

static struct exchange begin(struct server *server, struct lws *wsi)
{
    struct exchange exchange = {.server = server, .wsi = wsi};

    exchange.path = get_header(wsi, WSI_TOKEN_GET_URI);
    if (!exchange.path) {
        exchange.path = get_header(wsi, WSI_TOKEN_HEAD_URI);
        exchange.head = exchange.path != NULL;
        exchange.other_method = exchange.path == NULL;
    }
    strip_base(&exchange);
    exchange.host = get_header(wsi, WSI_TOKEN_HOST);
    exchange.origin = get_header(wsi, WSI_TOKEN_ORIGIN);
    return exchange;
}

static void end(struct exchange *exchange)
{
    free(exchange->path);
    free(exchange->host);
    free(exchange->origin);
}

/* ---- who may ask */

static bool is_host_allowed(const struct exchange *exchange)
{
    const struct request_rules *rules = &exchange->server->rules;
    char local[64];

    if (request_host_allowed(rules, exchange->host, NULL))
        return true;
    return listen_local_address(lws_get_socket_fd(exchange->wsi), local, sizeof local) &&
           request_host_allowed(rules, exchange->host, local);
}

static bool has_cookie(const struct exchange *exchange)
{
    char *cookies = get_header(exchange->wsi, WSI_TOKEN_HTTP_COOKIE);
    size_t length = 0;
    const char *value = cookies ? request_cookie(cookies, exchange->server->cookie, &length) : NULL;
    bool matches = value && request_token_matches(value, length, exchange->server->token);

    free(cookies);
    return matches;
}

static bool has_token(struct exchange *exchange)
{
    const char *token = exchange->server->token;
    char *given = find_argument(exchange->wsi, "token=");
    char *bearer = get_header(exchange->wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
    bool by_header = bearer && request_bearer_matches(bearer, token);

    exchange->by_argument = given && request_token_matches(given, strlen(given), token);
    free(given);
    free(bearer);
    return exchange->by_argument || by_header || has_cookie(exchange);
}

/* A proxy's word that it speaks TLS makes the cookie only stricter. */
static bool is_secure(const struct exchange *exchange)
{
    static const char name[] = "x-forwarded-proto:";
    int length = lws_hdr_custom_length(exchange->wsi, name, sizeof name - 1);
    char text[8] = "";

    return exchange->server->config.tls_cert ||
           (length == 5 &&
            lws_hdr_custom_copy(exchange->wsi, text, sizeof text, name, sizeof name - 1) ==
                length &&
            strcmp(text, "https") == 0);
}

static void refuse(struct exchange *exchange, struct reply reply)
{
    buf_free(&exchange->reply.headers);
    exchange->reply = reply;
}

static void say(struct exchange *exchange, int status, const char *type, struct buf *text,
                size_t *account)
{
    exchange->reply.status = status;
    exchange->reply.type = type;
    exchange->reply.body = body_finish(text, account);
    buf_text(&exchange->reply.headers, "Cache-Control: no-store\r\n");
}

static bool is_chinese(struct exchange *exchange)
{
    char *lang = find_argument(exchange->wsi, "lang=");
    char *accepted = get_header(exchange->wsi, WSI_TOKEN_HTTP_ACCEPT_LANGUAGE);
    bool zh = pages_is_chinese(lang, accepted);

    free(lang);
    free(accepted);
    return zh;
}

/* A browser is asked for the token, a program is told. */
static void need_token(struct exchange *exchange, int flags)
{
    char *accepted = get_header(exchange->wsi, WSI_TOKEN_HTTP_ACCEPT);
    char *given = find_argument(exchange->wsi, "token=");
    struct buf text = {0};

    if (flags & A_PAGE && accepted && strstr(accepted, "text/html")) {
        body_start(&text);
        pages_write_sign_in(is_chinese(exchange), given != NULL, &text);
        say(exchange, 401, "text/html; charset=utf-8", &text, NULL);
    } else {
        refuse(exchange, reply_error(401, "a token is needed: 'Authorization: Bearer TOKEN', or "
                                          "?token=TOKEN"));
    }
    buf_text(&exchange->reply.headers, "WWW-Authenticate: Bearer\r\n");
    free(accepted);
    free(given);
}

/* True: it goes on; else the reply says why not. */
static bool may_ask(struct exchange *exchange, int flags)
{
    const struct request_rules *rules = &exchange->server->rules;

    if (!is_host_allowed(exchange)) {
        refuse(exchange,
               reply_error(403, "this server is not called '%.200s': --allow-host lets it be",
                           exchange->host ? exchange->host : ""));
    } else if (exchange->server->token && !(flags & FOR_ALL) && !has_token(exchange)) {
        need_token(exchange, flags);
    } else if (!(flags & FOR_ALL) &&
               !request_origin_allowed(rules, exchange->origin, exchange->host)) {
        refuse(exchange, reply_error(403, "pages of %.200s may not ask: --allow-origin lets them",
                                     exchange->origin));
    } else {
        return true;
    }
    return false;
}

/* A page of another origin that may ask may also read the answer. */
static void add_cors(struct exchange *exchange)
{
    if (!exchange->origin)
        return;
    buf_format(&exchange->reply.headers, "Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n",
               exchange->origin);
}

/* ?job=NAME, or the first. */
static bool find_channel(struct exchange *exchange)
{
    struct server *server = exchange->server;
    char *job = find_argument(exchange->wsi, "job=");

    exchange->channel = job ? NULL : server->channels;
    for (size_t i = 0; job && i < server->channel_count; i++)
        if (strcmp(server->channels[i].spec->name, job) == 0)
            exchange->channel = &server->channels[i];
    if (!exchange->channel)
        refuse(exchange, reply_error(404, "no job '%.200s' here: see /api/jobs", job));
    free(job);
    return exchange->channel != NULL;
}

/* ---- the answers */

static void say_text(struct exchange *exchange, int status, const char *words)
{
    struct buf text = {0};

    body_start(&text);
    buf_text(&text, words);
    say(exchange, status, "text/plain; charset=utf-8", &text, NULL);
}

static void too_busy(struct exchange *exchange, const char *words)
{
    exchange->server->refused++;
    refuse(exchange, reply_error(503, "%s", words));
    buf_text(&exchange->reply.headers, "Retry-After: " RETRY_AFTER_S "\r\n");
}

static bool read_range(struct exchange *exchange, struct history_range *range)
{
    struct error error;
    char *argument;

    *range = (struct history_range){INT64_MIN, INT64_MAX, SIZE_MAX};
    for (int n = 0; (argument = get_argument(exchange->wsi, n)) != NULL; n++) {
        int result = request_narrow(argument, range, &error);
        free(argument);
        if (result < 0) {
            refuse(exchange, reply_error(400, "%s", error.text));
            return false;
        }
    }
    return true;
}

/* HTTP/1.0 knows none: there the end of the connection would be all that
 * tells a whole answer from a part. */
static bool takes_chunks(const struct exchange *exchange)
{
    char *version = get_header(exchange->wsi, WSI_TOKEN_HTTP);
    bool takes = version && strcmp(version, "HTTP/1.1") == 0;

    free(version);
    return takes;
}

static void answer_windows_as(struct exchange *exchange, const char *type, enum history_form form)
{
    const struct history *history = exchange->channel->history;
    struct history_range range;
    struct history_reader reader;
    struct buf text = {0};

    if (!read_range(exchange, &range))
        return;
    if (exchange->server->answer_bytes > ANSWER_BYTES) {
        too_busy(exchange, "too many answers are under way");
        return;
    }
    body_start(&text);
    reader = history_read(history, range, form);
    history_read_on(history, &reader, takes_chunks(exchange) ? PIECE_BYTES : SIZE_MAX, &text);
    if (!reader.ended) {
        exchange->reply.rest = mem_alloc(1, sizeof reader);
        *exchange->reply.rest = reader;
    }
    say(exchange, 200, type, &text, &exchange->server->answer_bytes);
}

static bool has_argument(const struct exchange *exchange, const char *name)
{
    char *argument;

    for (int n = 0; (argument = get_argument(exchange->wsi, n)) != NULL; n++) {
        size_t length = strcspn(argument, "=");
        bool same = strlen(name) == length && strncmp(argument, name, length) == 0;
        free(argument);
        if (same)
            return true;
    }
    return false;
}

static void answer_windows(struct exchange *exchange)
{
    if (has_argument(exchange, "download"))
        buf_format(&exchange->reply.headers,
                   "Content-Disposition: attachment; filename=\"%s.json\"\r\n",
                   exchange->channel->spec->name);
    answer_windows_as(exchange, "application/json", HISTORY_JSON);
}

static void answer_csv(struct exchange *exchange)
{
    buf_format(&exchange->reply.headers, "Content-Disposition: attachment; filename=\"%s.csv\"\r\n",
               exchange->channel->spec->name);
    answer_windows_as(exchange, "text/csv; charset=utf-8", HISTORY_CSV);
}

static void answer_status(struct exchange *exchange)
{
    struct buf text = {0};

    body_start(&text);
    stream_write_status(exchange->channel, &text);
    buf_char(&text, '\n');
    say(exchange, 200, "application/json", &text, NULL);
}

static void answer_jobs(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    struct buf text = {0};

    body_start(&text);
    buf_text(&text, "{\"jobs\":[");
    for (size_t i = 0; i < server->channel_count; i++) {
        const char *name = server->channels[i].spec->name;
        buf_text(&text, i ? "," : "");
        buf_json_string(&text, name, strlen(name));
    }
    buf_text(&text, "]}\n");
    say(exchange, 200, "application/json", &text, NULL);
}

static void answer_alive(struct exchange *exchange)
{
    say_text(exchange, 200, "ok\n");
}

static void answer_ready(struct exchange *exchange)
{
    const struct server *server = exchange->server;

    for (size_t i = 0; i < server->channel_count; i++) {
        struct relay_stats stats = relay_stats(server->channels[i].relay);
        if (!stats.connected || !stats.filled) {
            say_text(exchange, 503,
                     stats.connected ? "the history is being read\n" : "Kafka is lost\n");
            return;
        }
    }
    say_text(exchange, 200, "ok\n");
}

static void answer_metrics(struct exchange *exchange)
{
    struct buf text = {0};

    body_start(&text);
    metrics_write(exchange->server, &text);
    say(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", &text, NULL);
}

static void answer_table(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    const struct channel *channel = exchange->channel;
    const struct server_config *config = &server->config;
    struct relay_stats stats = relay_stats(channel->relay);
    const char *jobs[LIMIT_JOBS];
    struct pages_table table = {.spec = channel->spec,
                                .history = channel->history,
                                .jobs = jobs,
                                .job_count = server->channel_count,
                                .zh = is_chinese(exchange),
                                .connected = stats.connected,
                                .gone = stats.gone,
                                .last_record = stats.last_record,
                                .now = clock_wall_ms()};
    struct buf text = {0};

    for (size_t i = 0; i < server->channel_count; i++)
        jobs[i] = server->channels[i].spec->name;
    if (config->job_state)
        table.driver = config->job_state(config->context, channel->spec).driver;
    body_start(&text);
    pages_write_table(&table, &text);
    say(exchange, 200, "text/html; charset=utf-8", &text, NULL);
    buf_text(&exchange->reply.headers, "Vary: Accept-Language\r\n");
}

static void answer_not_upgraded(struct exchange *exchange)
{
    refuse(exchange, reply_error(426, "/ws is a WebSocket; for plain HTTP there are /events and "
                                      "/api/windows"));
    buf_text(&exchange->reply.headers, "Upgrade: websocket\r\nConnection: Upgrade\r\n");
}

static void answer_events(struct exchange *exchange)
{
    if (stream_full(exchange->server)) {
        too_busy(exchange, "all places are taken");
        return;
    }
    exchange->reply.status = 200;
    exchange->reply.type = "text/event-stream";
    exchange->reply.close = true; /* its length is not known: it ends with the connection */
    buf_text(&exchange->reply.headers, "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n");
}

/* ---- the page's files */

static void answer_file(struct exchange *exchange, const struct site_file *file)
{
    struct reply *reply = &exchange->reply;
    char *accepts = get_header(exchange->wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING);
    char *known = get_header(exchange->wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH);
    bool gzip = file->gzip && accepts && request_accepts_gzip(accepts);
    const char *etag = gzip ? file->etag_gzip : file->etag;

    buf_format(&reply->headers, "ETag: %s\r\nVary: Accept-Encoding\r\nCache-Control: no-cache\r\n",
               etag);
    if (known && request_etag_matches(known, etag)) {
        reply->status = 304;
    } else {
        reply->status = 200;
        reply->type = file->type;
        reply->body = body_hold(gzip ? file->gzip : file->plain);
        if (gzip)
            buf_text(&reply->headers, "Content-Encoding: gzip\r\n");
    }
    free(accepts);
    free(known);
}

/* ---- the way of a request */

static const struct route routes[] = {
    {"/ws", OF_A_JOB, answer_not_upgraded},
    {"/events", OF_A_JOB, answer_events},
    {"/api/windows", OF_A_JOB, answer_windows},
    {"/api/windows.csv", OF_A_JOB, answer_csv},
    {"/api/status", OF_A_JOB, answer_status},
    {"/table", OF_A_JOB | A_PAGE, answer_table},
    {"/api/jobs", 0, answer_jobs},
    {"/livez", FOR_ALL, answer_alive},
    {"/readyz", FOR_ALL, answer_ready},
    {"/metrics", 0, answer_metrics},
};

static const struct route *find_route(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (strcmp(routes[i].path, path) == 0)
            return &routes[i];
    return NULL;
}

static void wrong_method(struct exchange *exchange)
{
    refuse(exchange, reply_error(405, "only GET and HEAD are known here"));
    buf_text(&exchange->reply.headers, "Allow: GET, HEAD\r\n");
    exchange->reply.close = true;
}

/* libwebsockets takes a body in chunks for the next request, and of several
 * lengths the first; a proxy in front may think otherwise of where this request
 * ends, and give the next one's answer to somebody else. */
static bool is_end_known(const struct exchange *exchange)
{
    char *length = get_header(exchange->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    bool known = (!length || request_length_is_sound(length)) &&
                 lws_hdr_total_length(exchange->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) <= 0;

    free(length);
    return known;
}

static void end_unknown(struct exchange *exchange)
{
    refuse(exchange, reply_error(400, "where this request ends cannot be told: give one "
                                      "Content-Length, or none, and no Transfer-Encoding"));
    exchange->reply.close = exchange->reply.cut = true;
}

/* Who opens a page with ?token= gets a cookie, for the files, the socket and
 * the links of the page, which know of no token; and the address without it.
 * Not by a redirect: after a link from another site the browser would count
 * that as the other site's, and send no cookie that is SameSite=Strict. */
static void sign_in(struct exchange *exchange)
{
    struct server *server = exchange->server;
    struct buf text = {0}, url = {0};
    char *argument;

    buf_text(&url, strcmp(exchange->path, "/") == 0 ? "./" : exchange->path + 1);
    for (int n = 0, kept = 0; (argument = get_argument(exchange->wsi, n)) != NULL; n++) {
        /* What would need escapes is let go. */
        if (strncmp(argument, "token=", 6) != 0 && !strpbrk(argument, " %&+#\"<>'"))
            buf_format(&url, "%c%s", kept++ ? '&' : '?', argument);
        free(argument);
    }
    body_start(&text);
    pages_write_signed_in(url.data, &text);
    say(exchange, 200, "text/html; charset=utf-8", &text, NULL);
    buf_format(&exchange->reply.headers,
               "Set-Cookie: %s=%s; Path=%s/; HttpOnly; SameSite=Strict%s\r\n", server->cookie,
               server->token, server->base, is_secure(exchange) ? "; Secure" : "");
    buf_free(&url);
}

static void answer_route(struct exchange *exchange, const struct route *route)
{
    if (!may_ask(exchange, route->flags))
        return;
    if (!(route->flags & FOR_ALL))
        add_cors(exchange);
    if (route->flags & OF_A_JOB && !find_channel(exchange))
        return;
    if (route->flags & A_PAGE && exchange->by_argument)
        sign_in(exchange);
    else
        route->answer(exchange);
}

/* What the page that asks for the token looks like is no secret. */
static bool is_of_sign_in(const char *path)
{
    return strcmp(path, "/style.css") == 0 || strcmp(path, "/favicon.svg") == 0;
}

static void answer_page(struct exchange *exchange)
{
    const struct site_file *file = site_find(exchange->server->site, exchange->path);
    bool is_index = strcmp(exchange->path, "/") == 0;

    if (!may_ask(exchange, is_index ? A_PAGE : is_of_sign_in(exchange->path) ? FOR_ALL : 0))
        return;
    if (is_index && exchange->by_argument)
        sign_in(exchange);
    else if (file)
        answer_file(exchange, file);
    else
        refuse(exchange, reply_error(404, "nothing is at '%.200s'", exchange->path));
}

/* --base-path without the slash at its end leads to where relative addresses work. */
static void answer_outside(struct exchange *exchange)
{
    const char *base = exchange->server->base;

    if (!may_ask(exchange, FOR_ALL))
        return;
    if (strcmp(exchange->path, base) == 0) {
        refuse(exchange, reply_error(308, "it is at %s/", base));
        buf_format(&exchange->reply.headers, "Location: %s/\r\n", base);
    } else {
        refuse(exchange,
               reply_error(404, "nothing is at '%.200s': all is under %s/", exchange->path, base));
    }
}

static bool is_stream(const struct exchange *exchange)
{
    return exchange->reply.status == 200 && !exchange->reply.body && !exchange->head;
}

/* The id to resume after: a browser's own header is newer than its address. */
static char *get_last_id(struct lws *wsi)
{
    static const char name[] = "last-event-id:";
    int length = lws_hdr_custom_length(wsi, name, sizeof name - 1);
    char *text;

    if (length <= 0)
        return find_argument(wsi, "last=");
    text = mem_alloc((size_t)length + 1, 1);
    if (lws_hdr_custom_copy(wsi, text, length + 1, name, sizeof name - 1) < 0)
        *text = '\0';
    return text;
}

static int open_events(struct client *client, struct exchange *exchange)
{
    char *last = get_last_id(exchange->wsi);
    char *edition = find_argument(exchange->wsi, "edition=");
    char *first = mem_format("retry: %d\n\n", SSE_RETRY_MS + rand() % SSE_SPREAD_MS); /* NOLINT */
    int result = reply_open(client, &exchange->reply, first);

    if (result == 0) {
        stream_open(client, exchange->channel, last, edition, TRANSPORT_SSE);
        client_watch(client);
    }
    free(first);
    free(last);
    free(edition);
    return result;
}

/* ---- the access log */

static const char *method_of(struct lws *wsi)
{
    /* As libwebsockets numbers them (LWSHUMETH_..., lws-http.h). */
    static const char *const names[] = {"GET",   "POST",   "OPTIONS", "PUT",
                                        "PATCH", "DELETE", "CONNECT", "HEAD"};
    char *path = NULL;
    int length, method = lws_http_get_uri_and_method(wsi, &path, &length);

    return method >= 0 && (size_t)method < sizeof names / sizeof names[0] ? names[method] : "-";
}

static void write_target(struct lws *wsi, struct buf *buf)
{
    char *path = NULL, *argument;
    int length = 0;

    if (lws_http_get_uri_and_method(wsi, &path, &length) >= 0 && path)
        buf_add(buf, path, (size_t)length);
    for (int n = 0; (argument = get_argument(wsi, n)) != NULL; n++) {
        buf_char(buf, n ? '&' : '?');
        buf_text(buf, argument);
        free(argument);
    }
    buf_text(buf, "");
}

/* Before it is sent: then the request is forgotten. */
static void note(struct server *server, struct lws *wsi, int status, int64_t bytes)
{
    struct access_entry entry = {.time_ms = clock_wall_ms(), .status = status, .bytes = bytes};
    struct buf target = {0};
    char peer[64];

    server->requests++;
    if (!server->log)
        return;
    write_target(wsi, &target);
    entry.peer = listen_peer_address(lws_get_socket_fd(wsi), peer, sizeof peer) ? peer : "-";
    entry.method = method_of(wsi);
    entry.path = target.data ? target.data : "-";
    access_log_add(server->log, &entry);
    buf_free(&target);
}

static void note_reply(const struct exchange *exchange)
{
    const struct reply *reply = &exchange->reply;
    int64_t bytes = reply->body && !exchange->head ? (int64_t)reply->body->length : 0;

    if (is_stream(exchange) || (reply->rest && !exchange->head))
        bytes = -1;
    note(exchange->server, exchange->wsi, reply->status, bytes);
}

int answer_http(struct client *client, struct lws *wsi)
{
    struct exchange exchange = begin(client->server, wsi);
    const struct route *route = exchange.other_method ? NULL : find_route(exchange.path);
    int result;

    if (exchange.outside && !(route && route->flags & FOR_ALL))
        route = NULL;
    if (!is_end_known(&exchange))
        end_unknown(&exchange);
    else if (exchange.other_method)
        wrong_method(&exchange);
    else if (exchange.outside && !route)
        answer_outside(&exchange);
    else if (route)
        answer_route(&exchange, route);
    else
        answer_page(&exchange);
    exchange.reply.head = exchange.head;
    client->channel = exchange.channel;
    note_reply(&exchange);
    if (route && route->answer == answer_events && is_stream(&exchange))
        result = open_events(client, &exchange);
    else
        result = reply_send(client, &exchange.reply);
    end(&exchange);
    return result;
}

/* True: this asks for a WebSocket in words that we speak. */
static bool is_websocket(struct exchange *exchange)
{
    char *upgrade = get_header(exchange->wsi, WSI_TOKEN_UPGRADE);
    char *version = get_header(exchange->wsi, WSI_TOKEN_VERSION);
    bool is_known = upgrade && strcasecmp(upgrade, "websocket") == 0;
    bool is_version = version && strcmp(version, "13") == 0;

    if (!is_known)
        refuse(exchange, reply_error(400, "the only upgrade here is to a WebSocket"));
    else if (!is_version) /* RFC 6455, section 4.2.2 */
        refuse(exchange, reply_error(426, "WebSocket version 13 is needed"));
    else if (lws_hdr_total_length(exchange->wsi, WSI_TOKEN_KEY) != KEY_BYTES)
        refuse(exchange, reply_error(400, "a WebSocket needs a Sec-WebSocket-Key of 16 bytes"));
    if (is_known && !is_version)
        buf_text(&exchange->reply.headers, "Sec-WebSocket-Version: 13\r\n");
    free(upgrade);
    free(version);
    return exchange->reply.status == 0;
}

static void check_upgrade(struct exchange *exchange)
{
    const struct route *route = exchange->path ? find_route(exchange->path) : NULL;

    if (!may_ask(exchange, 0) || !is_websocket(exchange))
        return;
    if (exchange->outside || !route || route->answer != answer_not_upgraded)
        refuse(exchange, reply_error(404, "the WebSocket is at /ws"));
    else if (find_channel(exchange) && stream_full(exchange->server))
        too_busy(exchange, "all places are taken");
}

int answer_upgrade(struct server *server, struct lws *wsi)
{
    struct exchange exchange;
    int result = 0;

    /* After an upgrade that it does not know libwebsockets 4.1 has answered
     * and forgotten the request, and asks nevertheless. */
    if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) <= 0)
        return -1;
    exchange = begin(server, wsi);
    check_upgrade(&exchange);
    if (exchange.reply.status)
        note_reply(&exchange);
    else
        note(server, wsi, 101, -1);
    if (exchange.reply.status)
        result = reply_refuse(server, wsi, &exchange.reply);
    else
        buf_free(&exchange.reply.headers);
    end(&exchange);
    return result;
}

int answer_websocket(struct client *client, struct lws *wsi)
{
    struct exchange exchange = begin(client->server, wsi);
    char *last = get_last_id(wsi);
    char *edition = find_argument(wsi, "edition=");
    bool found = find_channel(&exchange);

    if (found)
        stream_open(client, exchange.channel, last, edition, TRANSPORT_WS);
    else
        body_release(exchange.reply.body);
    buf_free(&exchange.reply.headers);
    free(last);
    free(edition);
    end(&exchange);
    return found ? 0 : -1;
}
