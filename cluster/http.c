#include "cluster/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/base/interrupt.h"
#include "cluster/base/limits.h"

#define WAIT_MS         1000
#define HTTP_OK         200
#define HTTP_PROXY_ASKS 407

/* One request on its way; the same for both forms. */
struct transfer {
    CURL *easy;
    struct curl_slist *headers;
    struct http_answer *answer;
    int64_t wait_ms;
    size_t most;
    const char *wanted; /* a header */
    bool (*take)(void *context, const char *bytes, size_t length);
    void *context;
    bool too_long, enough, by_proxy;
};

struct http {
    CURLM *multi;
};

struct http_call {
    struct ev_loop *loop;
    CURLM *multi;
    struct transfer transfer;
    struct http_answer answer;
    ev_timer timer;
    http_done *done;
    void *context;
};

static struct http_settings settings;

void http_setup(const struct http_settings *wanted)
{
    settings = *wanted;
}

/* curl_easy_init would otherwise ask for everything. */
static void start_curl(void)
{
    static bool started;

    if (!started && curl_global_init(settings.tls ? CURL_GLOBAL_SSL : CURL_GLOBAL_NOTHING) != 0)
        abort(); /* out of memory */
    started = true;
}

static long status_of(const struct transfer *transfer)
{
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t on_body(char *bytes, size_t one, size_t count, void *context)
{
    struct transfer *transfer = context;

    (void)one; /* is 1 */
    if (transfer->take && status_of(transfer) == HTTP_OK) {
        transfer->enough = !transfer->take(transfer->context, bytes, count);
        return transfer->enough ? 0 : count;
    }
    if (count > transfer->most - transfer->answer->body.length) {
        transfer->too_long = true;
        return 0;
    }
    buf_add(&transfer->answer->body, bytes, count);
    return count;
}

static void set_post(struct transfer *transfer, const struct http_request *request)
{
    const char *body = request->body ? request->body : "";
    size_t length = request->bytes ? request->bytes->length : strlen(body);

    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    if (request->bytes) { /* not copied: an image is large, and the caller waits */
        curl_easy_setopt(transfer->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, request->bytes->data);
    } else {
        curl_easy_setopt(transfer->easy, CURLOPT_COPYPOSTFIELDS, body);
    }
    transfer->headers = curl_slist_append(
        transfer->headers, request->bytes ? "Content-Type: application/x-tar"
                                          /* as spark-submit says */
                                          : "Content-Type: application/json;charset=UTF-8");
    /* Without waiting for "100 Continue", which Spark does not send. */
    transfer->headers = curl_slist_append(transfer->headers, "Expect:");
}

static void set_authorization(struct transfer *transfer, const char *value)
{
    char *header = mem_format("Authorization: %s", value);

    transfer->headers = curl_slist_append(transfer->headers, header);
    free(header);
}

/* curl would obey http_proxy; but a master is in the user's own network, and a
 * proxy on the way would answer in its place, or repeat a POST. */
static void set_proxy(struct transfer *transfer, const struct http_request *request)
{
    transfer->by_proxy = settings.proxy && !request->unix_socket;
    curl_easy_setopt(transfer->easy, CURLOPT_NOPROXY, transfer->by_proxy ? "" : "*");
    if (transfer->by_proxy)
        curl_easy_setopt(transfer->easy, CURLOPT_PROXY, settings.proxy);
}

static void prepare(struct transfer *transfer, const struct http_request *request,
                    struct http_answer *answer)
{
    CURL *easy = curl_easy_init();

    if (!easy)
        abort(); /* out of memory */
    *transfer = (struct transfer){
        .easy = easy,
        .answer = answer,
        .wait_ms = request->wait_ms ? request->wait_ms : HTTP_TOTAL_MS,
        .most = request->most ? request->most : LIMIT_ANSWER_BYTES,
        .wanted = request->header,
        .take = request->take,
        .context = request->context,
    };
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    if (request->unix_socket)
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
    set_proxy(transfer, request);
    if (settings.ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, settings.ca_file);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)transfer->wait_ms);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tally/" TALLY_VERSION);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    if (request->once) {
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    }
    if (request->head)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (request->remove)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
    if (request->authorization)
        set_authorization(transfer, request->authorization);
    if (request->post)
        set_post(transfer, request);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static void end_transfer(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
}

static int fail(const struct transfer *transfer, CURLcode code, struct error *error)
{
    long number = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &number);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return error_set(error, EXIT_UNREACHABLE, "%s%s", transfer->by_proxy ? "the proxy: " : "",
                         number ? strerror((int)number) : "no connection");
    case CURLE_COULDNT_RESOLVE_HOST:
        return error_set(error, EXIT_UNREACHABLE, "no host of that name is known");
    case CURLE_OPERATION_TIMEDOUT:
        if (!transfer->answer->sent)
            return error_set(error, EXIT_UNREACHABLE, "no connection within %d s",
                             HTTP_CONNECT_MS / 1000);
        return error_set(error, EXIT_UNREACHABLE, "no answer within %lld s",
                         (long long)(transfer->wait_ms / 1000));
    case CURLE_WRITE_ERROR:
        if (transfer->too_long)
            return error_set(error, EXIT_UNREACHABLE, "its answer is longer than %zu bytes",
                             transfer->most);
        break;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return error_set(error, EXIT_UNREACHABLE, "the connection ended before an answer");
    case CURLE_PEER_FAILED_VERIFICATION:
        return error_set(error, EXIT_UNREACHABLE,
                         "its certificate is not of an authority that is known here (--cacert)");
    case CURLE_SSL_CACERT_BADFILE:
        return error_set(error, EXIT_INPUT, "no certificates can be read from %s",
                         settings.ca_file);
    case CURLE_COULDNT_RESOLVE_PROXY:
        return error_set(error, EXIT_UNREACHABLE, "no proxy of that name is known");
    case CURLE_UNSUPPORTED_PROTOCOL: /* curl's word for an answer without a status line */
    case CURLE_WEIRD_SERVER_REPLY:
        return error_set(error, EXIT_UNREACHABLE, "what answers does not speak HTTP");
    default:
        break;
    }
    return error_set(error, EXIT_UNREACHABLE, "%s", curl_easy_strerror(code));
}

static void keep_header(struct transfer *transfer)
{
    struct curl_header *header;

    if (transfer->wanted && curl_easy_header(transfer->easy, transfer->wanted, 0, CURLH_HEADER, -1,
                                             &header) == CURLHE_OK)
        transfer->answer->header = mem_text(header->value);
}

/* What a proxy is asked first is counted, too; behind TLS nothing arrives before that is up. */
static bool is_sent(const struct transfer *transfer)
{
    const char *scheme = NULL;
    curl_off_t secured = 0;
    long asked = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &asked);
    curl_easy_getinfo(transfer->easy, CURLINFO_SCHEME, &scheme);
    curl_easy_getinfo(transfer->easy, CURLINFO_APPCONNECT_TIME_T, &secured);
    return asked > 0 && (secured > 0 || !scheme || strcasecmp(scheme, "https") != 0);
}

/* Of a proxy that did not pass it on, the status; else 0. */
static long refused_by_proxy(const struct transfer *transfer)
{
    long tunnel = 0, status = status_of(transfer);

    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
    return tunnel >= 300 ? tunnel : status == HTTP_PROXY_ASKS ? status : 0;
}

static int fail_by_proxy(long status, struct error *error)
{
    error_set(error, EXIT_UNREACHABLE, "the proxy does not pass it on: HTTP %ld", status);
    return status != HTTP_PROXY_ASKS ? -1
                                     : error_add(error, "it asks for a name and a password: "
                                                        "TALLY_PROXY=http://NAME:PASSWORD@HOST");
}

/* What came of it, once curl has said so. */
static int conclude(struct transfer *transfer, CURLcode code, struct error *error)
{
    long number = 0, refused = refused_by_proxy(transfer);

    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &number);
    transfer->answer->sent = !refused && is_sent(transfer);
    transfer->answer->refused = code == CURLE_COULDNT_CONNECT && number == ECONNREFUSED;
    if (refused)
        return fail_by_proxy(refused, error);
    if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && transfer->enough))
        return fail(transfer, code, error);
    transfer->answer->status = (int)status_of(transfer);
    keep_header(transfer);
    return 0;
}

/* The result of the only transfer in `multi`; false while there is none. */
static bool take_result(CURLM *multi, CURLcode *code)
{
    int left;
    const CURLMsg *message = curl_multi_info_read(multi, &left);

    if (!message || message->msg != CURLMSG_DONE)
        return false;
    *code = message->data.result;
    return true;
}

struct http *http_new(void)
{
    struct http *http = mem_alloc(1, sizeof *http);

    start_curl();
    http->multi = curl_multi_init();
    if (!http->multi)
        abort(); /* out of memory */
    return http;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    curl_multi_cleanup(http->multi);
    free(http);
}

static int drive(struct http *http, struct transfer *transfer, struct error *error)
{
    struct curl_waitfd signals = {.fd = interrupt_descriptor(), .events = CURL_WAIT_POLLIN};
    bool watched = signals.fd >= 0 && !interrupt_signal();
    CURLcode code = CURLE_OK;
    int running;

    for (;;) {
        curl_multi_perform(http->multi, &running);
        if (take_result(http->multi, &code))
            return conclude(transfer, code, error);
        if (watched && interrupt_signal()) {
            conclude(transfer, CURLE_OK, error);
            return interrupt_error(error);
        }
        curl_multi_wait(http->multi, watched ? &signals : NULL, watched, WAIT_MS, NULL);
    }
}

int http_ask(struct http *http, const struct http_request *request, struct http_answer *answer,
             struct error *error)
{
    struct transfer transfer;
    int result;

    prepare(&transfer, request, answer);
    curl_multi_add_handle(http->multi, transfer.easy);
    result = drive(http, &transfer, error);
    curl_multi_remove_handle(http->multi, transfer.easy);
    end_transfer(&transfer);
    return result;
}

void http_answer_free(struct http_answer *answer)
{
    buf_free(&answer->body);
    free(answer->header);
    *answer = (struct http_answer){0};
}

/* ---- In a loop: curl says which sockets and when (libcurl's "multi_socket" way). */

static void free_call(struct http_call *call)
{
    ev_timer_stop(call->loop, &call->timer);
    curl_multi_remove_handle(call->multi, call->transfer.easy);
    end_transfer(&call->transfer);
    curl_multi_cleanup(call->multi); /* unwatches its sockets */
    http_answer_free(&call->answer);
    free(call);
}

static void act(struct http_call *call, curl_socket_t socket, int events)
{
    struct error error;
    CURLcode code;
    int running;

    curl_multi_socket_action(call->multi, socket, events, &running);
    if (!take_result(call->multi, &code))
        return;
    if (conclude(&call->transfer, code, &error) == 0)
        call->done(call->context, &call->answer, NULL);
    else
        call->done(call->context, &call->answer, &error);
    free_call(call);
}

static void on_socket(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    act(watcher->data, watcher->fd,
        (events & EV_READ ? CURL_CSELECT_IN : 0) | (events & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    act(watcher->data, CURL_SOCKET_TIMEOUT, 0);
}

static int set_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *known)
{
    struct http_call *call = context;
    ev_io *watcher = known;

    (void)easy;
    if (watcher)
        ev_io_stop(call->loop, watcher);
    if (what == CURL_POLL_REMOVE) {
        free(watcher);
        curl_multi_assign(call->multi, socket, NULL);
        return 0;
    }
    if (!watcher)
        watcher = mem_alloc(1, sizeof *watcher);
    ev_io_init(watcher, on_socket, socket,
               (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    watcher->data = call;
    ev_io_start(call->loop, watcher);
    curl_multi_assign(call->multi, socket, watcher);
    return 0;
}

static int set_timer(CURLM *multi, long wait_ms, void *context)
{
    struct http_call *call = context;

    (void)multi;
    ev_timer_stop(call->loop, &call->timer);
    if (wait_ms < 0)
        return 0;
    ev_timer_set(&call->timer, (double)wait_ms / 1000, 0.);
    ev_timer_start(call->loop, &call->timer);
    return 0;
}

struct http_call *http_start(struct ev_loop *loop, const struct http_request *request,
                             http_done *done, void *context)
{
    struct http_call *call = mem_alloc(1, sizeof *call);

    start_curl();
    call->loop = loop;
    call->done = done;
    call->context = context;
    call->multi = curl_multi_init();
    if (!call->multi)
        abort(); /* out of memory */
    ev_timer_init(&call->timer, on_timer, 0., 0.);
    call->timer.data = call;
    prepare(&call->transfer, request, &call->answer);
    curl_multi_setopt(call->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(call->multi, CURLMOPT_SOCKETDATA, call);
    curl_multi_setopt(call->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(call->multi, CURLMOPT_TIMERDATA, call);
    curl_multi_add_handle(call->multi, call->transfer.easy); /* sets the timer: it begins there */
    return call;
}

void http_cancel(struct http_call *call)
{
    if (call)
        free_call(call);
}
