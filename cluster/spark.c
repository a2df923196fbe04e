#include "cluster/spark.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/jws.h"
#include "cluster/spark_leader.h"

#define PROBE_MS          3000
#define HTTP_OK           200
#define HTTP_UNAUTHORIZED 401
#define HTTP_UNAVAILABLE  503 /* a gateway without a master behind it */

struct spark {
    struct spark_masters masters;
    int current; /* the one that led last */
    int status;  /* of the last answer, by HTTP; 0: none came */
    bool recovering;
    struct http *http;
    unsigned char *key; /* JWS; NULL: none */
    size_t key_length;
};

/* A request of the protocol, to any master. */
struct asking {
    const char *path; /* behind /v1/submissions/ */
    const char *body;
    bool post, once;
};

enum verdict {
    ANSWERED,
    NEXT,  /* nothing has come of it here: another master may do it */
    FAILED /* that is the answer, and an error */
};

struct spark *spark_open(const struct spark_masters *masters)
{
    struct spark *spark = mem_alloc(1, sizeof *spark);

    spark->masters = *masters;
    spark->http = http_new();
    return spark;
}

void spark_close(struct spark *spark)
{
    if (!spark)
        return;
    http_free(spark->http);
    free(spark->key);
    free(spark);
}

void spark_sign(struct spark *spark, unsigned char *key, size_t length)
{
    free(spark->key);
    spark->key = key;
    spark->key_length = length;
}

/* For one request, as the token's time is short; NULL: none; free() it. */
static char *bearer(const struct spark *spark)
{
    return spark->key ? jws_bearer(spark->key, spark->key_length, clock_wall_ms()) : NULL;
}

/* http_ask, signed. */
static int ask_signed(struct spark *spark, const struct http_request *request,
                      struct http_answer *answer, struct error *error)
{
    struct http_request with = *request;
    char *token = bearer(spark);
    int result;

    with.authorization = token;
    result = http_ask(spark->http, &with, answer, error);
    free(token);
    return result;
}

const struct spark_masters *spark_masters(const struct spark *spark)
{
    return &spark->masters;
}

struct http *spark_http(struct spark *spark)
{
    return spark->http;
}

const char *spark_host(const struct spark *spark)
{
    return spark->masters.list[spark->current].host;
}

const char *spark_page(const struct spark *spark)
{
    return spark->masters.list[spark->current].page;
}

/* A gateway that wants to know who asks. */
static int no_credentials(const char *url, struct error *error)
{
    return error_set(error, EXIT_REFUSED,
                     "%s asks for a name and a password (HTTP %d), which cannot be given here: let "
                     "the gateway know this machine in another way",
                     url, HTTP_UNAUTHORIZED);
}

static char *rest_url(const struct spark_master *master, const char *path)
{
    return mem_format("%s/v1/submissions/%s", master->rest, path);
}

/* What answers is no page of a master. */
static int no_page(const struct spark_master *master, int status, struct error *error)
{
    if (status == HTTP_UNAUTHORIZED)
        return no_credentials(master->page, error);
    return error_set(error, EXIT_REFUSED,
                     "%s/ is not the page of a Spark master (HTTP %d): give its %s", master->page,
                     status, master->ui_port ? "port by --ui-port" : "URL by --ui-url");
}

/* NULL with the error. */
static struct spark_state *get_state(struct spark *spark, const struct spark_master *master,
                                     int64_t wait_ms, struct error *error)
{
    char *url = mem_format("%s/json/", master->page);
    const struct http_request request = {.url = url, .wait_ms = wait_ms};
    struct http_answer answer = {0};
    struct spark_state *state = NULL;

    if (!*master->page)
        error_set(error, EXIT_UNREACHABLE,
                  "where is the page of the Spark master? give its URL by --ui-url");
    else if (ask_signed(spark, &request, &answer, error) == 0) {
        state = spark_state_read(answer.body.data, answer.body.length);
        if (!state)
            no_page(master, answer.status, error);
    }
    http_answer_free(&answer);
    free(url);
    return state;
}

/* REST was off by default from Spark 2.4 to 4.0: then only the page answers. */
static bool is_rest_off(struct spark *spark, const struct spark_master *master)
{
    struct error unused;
    struct spark_state *state = get_state(spark, master, PROBE_MS, &unused);

    spark_state_free(state);
    return state != NULL;
}

static enum verdict no_answer(struct spark *spark, const struct spark_master *master,
                              const struct asking *asking, const struct http_answer *answer,
                              struct error *error)
{
    if (error->code != EXIT_UNREACHABLE)
        return FAILED; /* a signal */
    if (master->rest_port == master->port) {
        error_set(error, EXIT_REFUSED,
                  "port %d of %s is where drivers and workers talk to the Spark master, not REST: "
                  "give --rest-port (usually %d)",
                  master->port, master->host, SPARK_REST_PORT);
        return FAILED;
    }
    if (asking->once && answer->sent) {
        error_wrap(error, "%s", master->rest);
        error->code = EXIT_UNKNOWN;
        return FAILED;
    }
    if (answer->refused && is_rest_off(spark, master)) {
        error_set(error, EXIT_REFUSED,
                  "REST is off on the Spark master at %s: its page (port %d) answers, port %d does "
                  "not: set spark.master.rest.enabled=true for it (off by default before Spark "
                  "4.1), or give --rest-port",
                  master->host, master->ui_port, master->rest_port);
        return NEXT;
    }
    error_wrap(error, "no Spark master answers at %s", master->rest);
    return NEXT;
}

/* Something answers, but not with a message of the protocol. */
static enum verdict no_message(const struct spark_master *master, const struct http_answer *answer,
                               struct error *error)
{
    char *title = spark_page_title(answer->body.data, answer->body.length);

    if (strncmp(title, "Spark ", strlen("Spark ")) == 0)
        error_set(error, EXIT_REFUSED,
                  "%s is a page ('%s'), not the REST API: give --rest-port (usually %d)",
                  master->rest, title, SPARK_REST_PORT);
    else if (answer->status == HTTP_UNAUTHORIZED)
        no_credentials(master->rest, error);
    else if (answer->status == 403)
        error_set(error, EXIT_REFUSED,
                  "the Spark master at %s refuses: HTTP 403 %s: its filter "
                  "(spark.master.rest.filters) takes no request without a key that fits: "
                  "--jws-key-file",
                  master->rest, title);
    else if (answer->status >= 500)
        error_set(error, EXIT_REFUSED,
                  "the Spark master at %s failed: HTTP %d %s: its log says why", master->rest,
                  answer->status, title);
    else
        error_set(error, EXIT_REFUSED, "no Spark master at %s, but HTTP %d %s", master->rest,
                  answer->status, title);
    free(title);
    return FAILED;
}

static enum verdict judge(struct spark *spark, const struct spark_master *master,
                          const struct http_answer *http, struct spark_answer *answer,
                          struct error *error)
{
    enum verdict verdict = ANSWERED;
    char *reason;

    if (!http->body.data || spark_answer_read(http->body.data, http->body.length, answer) < 0)
        return no_message(master, http, error);
    reason = spark_reason(answer->message);
    if (spark_answer_is_standby(answer)) {
        spark->recovering = spark->recovering || strstr(answer->message, "RECOVER");
        error_set(error, EXIT_REFUSED, "the Spark master at %s does not lead: %s", master->rest,
                  reason);
        verdict = NEXT;
    } else if (answer->is_error) {
        error_set(error, EXIT_REFUSED, "the Spark master at %s refused: %s (HTTP %d)", master->rest,
                  reason, http->status);
        verdict = FAILED;
    }
    free(reason);
    if (verdict != ANSWERED)
        spark_answer_free(answer);
    return verdict;
}

static enum verdict ask_one(struct spark *spark, const struct spark_master *master,
                            const struct asking *asking, struct spark_answer *answer,
                            struct error *error)
{
    char *url = rest_url(master, asking->path);
    const struct http_request request = {
        .url = url, .body = asking->body, .post = asking->post, .once = asking->once};
    struct http_answer http = {0};
    enum verdict verdict;

    if (ask_signed(spark, &request, &http, error) < 0)
        verdict = no_answer(spark, master, asking, &http, error);
    else
        verdict = judge(spark, master, &http, answer, error);
    spark->status = http.status;
    /* Spark's server fails so before it creates a driver or, waiting for the
     * master's answer, after that; a gateway, when it lost the answer. */
    if (verdict == FAILED && asking->once && http.status >= 500 &&
        http.status != HTTP_UNAVAILABLE && error->code == EXIT_REFUSED)
        error->code = EXIT_UNKNOWN;
    http_answer_free(&http);
    free(url);
    return verdict;
}

/* What several masters said, in one line; the worst code that says what to do
 * is that of one that answered. */
static int none_leads(const struct buf *said, bool answered, struct error *error)
{
    return error_set(error, answered ? EXIT_REFUSED : EXIT_UNREACHABLE,
                     "none of the Spark masters leads: %s", said->data);
}

/* Asks the master that led last, then the others in turn. */
static int ask(struct spark *spark, const struct asking *asking, struct spark_answer *answer,
               struct error *error)
{
    struct buf said = {0};
    enum verdict verdict = NEXT;
    bool answered = false;

    spark->recovering = false;
    for (int n = 0; n < spark->masters.count && verdict == NEXT; n++) {
        int at = (spark->current + n) % spark->masters.count;
        verdict = ask_one(spark, &spark->masters.list[at], asking, answer, error);
        if (verdict != NEXT)
            spark->current = at;
        if (verdict == NEXT) {
            buf_format(&said, "%s%s", n ? "; " : "", error->text);
            answered = answered || error->code == EXIT_REFUSED;
        }
    }
    if (verdict == NEXT && spark->masters.count > 1)
        none_leads(&said, answered, error);
    buf_free(&said);
    return verdict == ANSWERED ? 0 : -1;
}

int spark_create(struct spark *spark, const struct spark_submission *submission, char **id,
                 struct error *error)
{
    char *message = spark_create_message(submission, false);
    const struct asking asking = {.path = "create", .body = message, .post = true, .once = true};
    struct spark_answer answer;
    int result = ask(spark, &asking, &answer, error);

    free(message);
    if (result < 0)
        return -1;
    if (answer.success && *answer.id) {
        *id = mem_text(answer.id);
    } else {
        char *reason = spark_reason(answer.message);
        result = error_set(error, EXIT_REFUSED, "the Spark master at %s refused: %s",
                           spark_host(spark), *reason ? reason : "it does not say why");
        free(reason);
    }
    spark_answer_free(&answer);
    return result;
}

/* An id goes into the path: what is no part of one must not lead elsewhere. */
static char *path_of(const char *what, const char *id)
{
    struct buf path = {0};

    buf_format(&path, "%s/", what);
    for (const char *at = id; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
            (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_' || byte == '.')
            buf_char(&path, *at);
        else
            buf_format(&path, "%%%02X", byte);
    }
    return path.data;
}

int spark_status(struct spark *spark, const char *id, struct spark_answer *answer,
                 struct error *error)
{
    char *path = path_of("status", id);
    const struct asking asking = {.path = path};
    int result = ask(spark, &asking, answer, error);

    free(path);
    return result;
}

int spark_kill(struct spark *spark, const char *id, struct spark_answer *answer,
               struct error *error)
{
    char *path = path_of("kill", id);
    const struct asking asking = {.path = path, .post = true};
    int result = ask(spark, &asking, answer, error);

    free(path);
    return result;
}

int spark_current(const struct spark *spark)
{
    return spark->current;
}

void spark_prefer(struct spark *spark, int n)
{
    spark->current = n;
}

int spark_last_status(const struct spark *spark)
{
    return spark->status;
}

bool spark_is_recovering(const struct spark *spark)
{
    return spark->recovering;
}

int spark_ask_version(struct spark *spark, char **version, struct error *error)
{
    const struct spark_master *master = &spark->masters.list[spark->current];
    const struct asking asking = {.path = ""};
    char *url = rest_url(master, "");
    const struct http_request request = {.url = url};
    struct http_answer http = {0};
    struct spark_answer answer;
    int result = -1;

    if (ask_signed(spark, &request, &http, error) < 0) {
        no_answer(spark, master, &asking, &http, error);
    } else if (!http.body.data ||
               spark_answer_read(http.body.data, http.body.length, &answer) < 0) {
        no_message(master, &http, error);
    } else {
        *version = mem_text(answer.version);
        spark_answer_free(&answer);
        result = 0;
    }
    http_answer_free(&http);
    free(url);
    return result;
}

int spark_ask_page(struct spark *spark, int n, struct spark_state **state, struct error *error)
{
    const struct spark_master *master = &spark->masters.list[n];

    *state = get_state(spark, master, 0, error);
    if (*state)
        return 0;
    if (error->code == EXIT_UNREACHABLE && *master->page)
        error_wrap(error, "no page of a Spark master at %s", master->page);
    if (error->code == EXIT_UNREACHABLE && master->page_is_guess)
        error_add(error, "where is it? give --ui-port");
    return -1;
}

static int other_page(const struct spark_master *master, int port, struct error *error)
{
    char *where = port ? mem_format("at port %d", port) : mem_text("off");

    error_set(error, EXIT_REFUSED,
              "%s is the page of a master whose REST API is %s, not at port %d: which is the page "
              "of that one? give --ui-port (%d, if it is this one)",
              master->page, where, master->rest_port, master->ui_port);
    free(where);
    return -1;
}

int spark_check_page(struct spark *spark, int n, struct error *error)
{
    const struct spark_master *master = &spark->masters.list[n];
    char *url = mem_format("%s/", master->page);
    const struct http_request request = {.url = url};
    struct http_answer answer = {0};
    int result = 0, port;

    if (master->page_is_guess) {
        result = ask_signed(spark, &request, &answer, error);
        if (result < 0 && error->code == EXIT_UNREACHABLE)
            result = 0;
    }
    if (answer.status == HTTP_OK) {
        port = spark_page_rest_port(answer.body.data, answer.body.length);
        result = port == master->rest_port ? 0 : other_page(master, port, error);
    }
    http_answer_free(&answer);
    free(url);
    return result;
}

int spark_check_pages(struct spark *spark, struct error *error)
{
    for (int n = 0; n < spark->masters.count; n++)
        if (spark_check_page(spark, n, error) < 0)
            return -1;
    return 0;
}

/* One that leads replaces one that does not. */
static struct spark_state *better(struct spark_state *found, struct spark_state *other)
{
    bool keep = found && (!other || !spark_leads(other));

    spark_state_free(keep ? other : found);
    return keep ? found : other;
}

int spark_ask_state(struct spark *spark, struct spark_state **state, struct error *error)
{
    struct spark_state *found = NULL;
    int start = spark->current;

    for (int n = 0; n < spark->masters.count; n++) {
        int at = (start + n) % spark->masters.count;
        struct spark_state *one;
        spark_ask_page(spark, at, &one, error);
        found = better(found, one);
        if (one && found == one)
            spark->current = at;
        if (found && spark_leads(found))
            break;
    }
    *state = found;
    return found ? 0 : -1;
}

int spark_ask_app(struct spark *spark, const char *id, struct spark_app_page **page,
                  struct error *error)
{
    char *query = path_of("app", id); /* its escapes are those of a query, too */
    char *url = mem_format("%s/app/?appId=%s", spark_page(spark), query + strlen("app/"));
    const struct http_request request = {.url = url};
    struct http_answer answer = {0};
    int result = ask_signed(spark, &request, &answer, error);

    if (result == 0) {
        *page = spark_app_page_read(answer.body.data, answer.body.length);
        if (!*page)
            result = error_set(error, EXIT_REFUSED,
                               "the master knows no application %s: it forgets them when it "
                               "restarts, and keeps the last 200 that ended",
                               id);
    }
    http_answer_free(&answer);
    free(url);
    free(query);
    return result;
}

/* ---- In a loop */

struct spark_call {
    struct spark *spark;
    struct http_call *http;
    spark_done *done;
    void *context;
};

static void on_status(void *context, const struct http_answer *http, const struct error *failure)
{
    struct spark_call *call = context;
    struct spark *spark = call->spark;
    const struct spark_master *master = &spark->masters.list[spark->current];
    struct spark_answer answer;
    struct error error;
    enum verdict verdict = FAILED;

    if (failure) {
        error = *failure;
        error_wrap(&error, "no Spark master answers at %s", master->rest);
    } else {
        verdict = judge(spark, master, http, &answer, &error);
    }
    if (verdict == ANSWERED) {
        call->done(call->context, &answer, NULL);
        spark_answer_free(&answer);
    } else {
        spark->current = (spark->current + 1) % spark->masters.count;
        call->done(call->context, NULL, &error);
    }
    free(call);
}

struct spark_call *spark_start_status(struct spark *spark, struct ev_loop *loop, const char *id,
                                      spark_done *done, void *context)
{
    struct spark_call *call = mem_alloc(1, sizeof *call);
    char *path = path_of("status", id);
    char *url = rest_url(&spark->masters.list[spark->current], path);
    char *token = bearer(spark);
    const struct http_request request = {.url = url, .authorization = token};

    call->spark = spark;
    call->done = done;
    call->context = context;
    call->http = http_start(loop, &request, on_status, call);
    free(token);
    free(url);
    free(path);
    return call;
}

void spark_cancel(struct spark_call *call)
{
    if (!call)
        return;
    http_cancel(call->http);
    free(call);
}

struct http_call *spark_start_page(struct spark *spark, struct ev_loop *loop, const char *path,
                                   int64_t wait_ms, http_done *done, void *context)
{
    char *url = mem_format("%s%s", spark_page(spark), path);
    char *token = bearer(spark);
    const struct http_request request = {.url = url, .authorization = token, .wait_ms = wait_ms};
    struct http_call *call = http_start(loop, &request, done, context);

    free(token);
    free(url);
    return call;
}
