#include "cluster/spark_reader.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/spark_log.h"

#define CANDIDATES 3
#define WAIT_MS    5000
/* A byte that is no character's comes as three; and the first line. */
#define ANSWER_MOST (3 * (size_t)LIMIT_LOG_PAGE + 8192)

struct spark_reader {
    struct spark *spark;
    char *id;
    const char *type;
    char *addresses[CANDIDATES]; /* "http://HOST:PORT"; NULL: none */
    int64_t offset, tail;        /* tail: bytes before the end to begin at; -1: not asked for */
    struct http_answer answer;
};

/* ":8081" of "http://host:8081"; "" when it has none. */
static const char *port_of(const char *web)
{
    const char *colon = strrchr(web, ':');

    return colon && strspn(colon + 1, "0123456789") == strlen(colon + 1) ? colon : "";
}

static void add_address(struct spark_reader *reader, char *address)
{
    for (int i = 0; i < CANDIDATES; i++) {
        if (!reader->addresses[i]) {
            reader->addresses[i] = address;
            return;
        }
        if (strcmp(reader->addresses[i], address) == 0)
            break;
    }
    free(address);
}

static int find_worker(struct spark_reader *reader, const char *worker_id, struct error *error)
{
    struct spark_state *state;
    const struct spark_worker *worker;

    if (spark_ask_state(reader->spark, &state, error) < 0)
        return -1;
    worker = spark_find_worker(state, worker_id);
    if (worker) {
        if (strncmp(worker->web, "http", 4) == 0)
            add_address(reader, mem_text(worker->web));
        add_address(reader, mem_format("http://%s%s", worker->host, port_of(worker->web)));
        add_address(reader,
                    mem_format("http://%s%s", spark_host(reader->spark), port_of(worker->web)));
    }
    spark_state_free(state);
    if (worker)
        return 0;
    return error_set(error, EXIT_LOST, "the master knows no worker '%s' any more", worker_id);
}

struct spark_reader *spark_reader_open(struct spark *spark, const char *id, const char *worker_id,
                                       const char *type, struct error *error)
{
    struct spark_reader *reader = mem_alloc(1, sizeof *reader);

    reader->spark = spark;
    reader->id = mem_text(id);
    reader->type = type;
    reader->tail = -1;
    if (find_worker(reader, worker_id, error) == 0)
        return reader;
    spark_reader_close(reader);
    return NULL;
}

void spark_reader_set_tail(struct spark_reader *reader, int64_t bytes)
{
    reader->tail = bytes;
}

/* Asks one address; the result is the log's, SPARK_LOG_NONE with the reason. */
static enum spark_log_result ask(struct spark_reader *reader, const char *address, int64_t offset,
                                 int64_t bytes, struct spark_log *log, struct error *error)
{
    char *url = mem_format("%s/log/?driverId=%s&logType=%s&offset=%lld&byteLength=%lld", address,
                           reader->id, reader->type, (long long)offset, (long long)bytes);
    const struct http_request request = {.url = url, .wait_ms = WAIT_MS, .most = ANSWER_MOST};
    enum spark_log_result result = SPARK_LOG_NONE;

    http_answer_free(&reader->answer);
    if (http_ask(spark_http(reader->spark), &request, &reader->answer, error) == 0) {
        result = spark_log_read(reader->answer.body.data, reader->answer.body.length, log);
        if (result == SPARK_LOG_NONE)
            error_set(error, EXIT_UNREACHABLE, "no worker's page (HTTP %d)", reader->answer.status);
        else if (result == SPARK_LOG_MISSING)
            error_set(error, EXIT_REFUSED, "it has no such log");
    }
    free(url);
    return result;
}

/* From now on only that address. */
static void keep_address(struct spark_reader *reader, int kept)
{
    char *address = reader->addresses[kept];

    reader->addresses[kept] = NULL;
    for (int i = 0; i < CANDIDATES; i++) {
        free(reader->addresses[i]);
        reader->addresses[i] = NULL;
    }
    reader->addresses[0] = address;
}

/* A worker without the log is another one, behind an address that means
 * something else here; or it is the right one, before the driver's start. */
static int get_piece(struct spark_reader *reader, int64_t offset, int64_t bytes,
                     struct spark_log *log, struct error *error)
{
    struct buf tried = {0};
    bool missing = false;

    for (int i = 0; i < CANDIDATES && reader->addresses[i]; i++) {
        enum spark_log_result result = ask(reader, reader->addresses[i], offset, bytes, log, error);
        if (result == SPARK_LOG_PIECE) {
            if (reader->addresses[1] && log->total > 0)
                keep_address(reader, i);
            buf_free(&tried);
            return 1;
        }
        if (error->code == EXIT_INTERRUPTED || error->code == EXIT_TERMINATED)
            break;
        missing = missing || result == SPARK_LOG_MISSING;
        buf_format(&tried, "%s%s: %s", i ? "; " : "", reader->addresses[i], error->text);
    }
    if (tried.data && !missing)
        error_set(error, EXIT_UNREACHABLE, "the log of %s is not to be had: %s", reader->id,
                  tried.data);
    buf_free(&tried);
    return missing ? 0 : -1;
}

/* A tail is in the middle of a line: what is left of that line is not shown. */
static int find_tail(struct spark_reader *reader, struct error *error)
{
    struct spark_log log;
    const char *line;
    int result = get_piece(reader, 0, 1, &log, error);

    if (result <= 0)
        return result;
    if (log.total > reader->tail) {
        reader->offset = log.total - reader->tail;
        result = get_piece(reader, reader->offset, LIMIT_LOG_LINE, &log, error);
        if (result <= 0)
            return result;
        line = memchr(log.text, '\n', log.length);
        if (line && log.next == reader->offset + (int64_t)log.length)
            reader->offset += line + 1 - log.text;
    }
    reader->tail = -1;
    return 1;
}

int spark_reader_next(struct spark_reader *reader, const char **text, size_t *length,
                      struct error *error)
{
    struct spark_log log;
    int result;

    if (reader->tail >= 0) {
        result = find_tail(reader, error);
        if (result <= 0)
            return result;
    }
    result = get_piece(reader, reader->offset, LIMIT_LOG_PAGE, &log, error);
    if (result <= 0)
        return result;
    if (log.start != reader->offset)
        return 0; /* the worker moves an offset beyond the end to the end */
    reader->offset = log.next;
    *text = log.text;
    *length = log.length;
    return log.length > 0;
}

void spark_reader_close(struct spark_reader *reader)
{
    if (!reader)
        return;
    for (int i = 0; i < CANDIDATES; i++)
        free(reader->addresses[i]);
    http_answer_free(&reader->answer);
    free(reader->id);
    free(reader);
}
