#include "cluster/spark_reader.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/docker_log.h"
#include "cluster/spark_log.h"
#include "cluster/spark_pages.h"

#define WAIT_MS 5000
/* Pages that did not answer may cost seconds to ask: meanwhile a container that is
 * to have the log is asked alone. */
#define RETRY_MS 30000
/* A byte that is no character's comes as three; and the first line. */
#define ANSWER_MOST (3 * (size_t)LIMIT_LOG_PAGE + 8192)
#define REPLACED    "\xef\xbf\xbd" /* U+FFFD: it may stand for other bytes */
/* How much of what was read last is asked for again, to see that the log has
 * not been moved beneath. */
#define SEAM_MOST 256

struct spark_reader {
    struct spark *spark;
    char *query, *what;    /* of its URL; for people */
    char *folder, *worker; /* where its worker keeps it; that one's host */
    const char *type;
    struct spark_pages pages;
    int64_t offset;                 /* in the log, of what comes next */
    int64_t tail_lines, tail_bytes; /* where to begin; -1: not asked for */
    int64_t skip_lines;             /* still to be left out */
    bool snapshot;
    int64_t end;          /* of a snapshot; -1: not known yet */
    char seam[SEAM_MOST]; /* the bytes before `offset` */
    size_t seam_length;
    struct http_answer answer;
    struct docker_log *docker;
    bool by_docker;   /* from now on */
    int64_t pages_at; /* not to be asked before; monotonic ms */
};

static int find_worker(struct spark_reader *reader, const char *worker_id, struct error *error)
{
    struct spark_state *state;
    const struct spark_worker *worker;

    if (spark_ask_state(reader->spark, &state, error) < 0)
        return -1;
    worker = spark_find_worker(state, worker_id);
    if (worker) {
        spark_pages_find(reader->spark, worker->web, worker->host, worker->id, &reader->pages);
        reader->worker = mem_text(worker->host);
        reader->docker = docker_log_new(worker->host, reader->folder, reader->type);
    }
    spark_state_free(state);
    if (worker)
        return 0;
    return error_set(error, EXIT_LOST, "the master knows no worker '%s' any more", worker_id);
}

struct spark_reader *spark_reader_open(struct spark *spark, const struct spark_log_name *name,
                                       const char *worker_id, struct error *error)
{
    struct spark_reader *reader = mem_alloc(1, sizeof *reader);

    reader->spark = spark;
    reader->query = name->driver ? mem_format("driverId=%s", name->driver)
                                 : mem_format("appId=%s&executorId=%s", name->app, name->executor);
    reader->folder =
        name->driver ? mem_text(name->driver) : mem_format("%s/%s", name->app, name->executor);
    reader->what = name->driver ? mem_text(name->driver)
                                : mem_format("executor %s of %s", name->executor, name->app);
    reader->type = name->type;
    reader->tail_lines = reader->tail_bytes = reader->end = -1;
    if (find_worker(reader, worker_id, error) == 0)
        return reader;
    spark_reader_close(reader);
    return NULL;
}

void spark_reader_set_tail(struct spark_reader *reader, int64_t lines)
{
    reader->tail_lines = lines;
}

void spark_reader_set_tail_bytes(struct spark_reader *reader, int64_t bytes)
{
    reader->tail_bytes = bytes;
}

void spark_reader_set_snapshot(struct spark_reader *reader)
{
    reader->snapshot = true;
}

static bool is_signal(const struct error *error)
{
    return error->code == EXIT_INTERRUPTED || error->code == EXIT_TERMINATED;
}

/* Asks one address; the result is the log's, SPARK_LOG_NONE with the reason. */
static enum spark_log_result ask(struct spark_reader *reader, const char *address, int64_t offset,
                                 int64_t bytes, struct spark_log *log, struct error *error)
{
    char *url = mem_format("%s/log/?%s&logType=%s&offset=%lld&byteLength=%lld", address,
                           reader->query, reader->type, (long long)offset, (long long)bytes);
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

/* ---- Out of the worker's container */

/* No page of the worker's can be reached: 1 when the Docker engine has the log, 0
 * when it will have it, it seems, else -1. */
static int not_reached(struct spark_reader *reader, const char *tried, int64_t offset,
                       int64_t bytes, struct spark_log *log, struct error *error)
{
    struct error trouble;
    enum docker_log_result result =
        docker_log_read(reader->docker, spark_http(reader->spark), offset, bytes, log, &trouble);

    if (result == DOCKER_LOG_PIECE) {
        if (!reader->by_docker)
            log_verbose("the log of %s is read out of the container of %s: %s", reader->what,
                        reader->worker, tried);
        reader->by_docker = true;
        return 1;
    }
    if (result == DOCKER_LOG_FAILED && is_signal(&trouble)) {
        *error = trouble;
        return -1;
    }
    if (result == DOCKER_LOG_FAILED)
        log_verbose("%s", trouble.text);
    if (result == DOCKER_LOG_MISSING && !reader->snapshot)
        return 0;
    error_set(error, EXIT_UNREACHABLE, "the log of %s is not to be had: %s", reader->what, tried);
    return -1;
}

/* ---- By the worker's pages */

/* A worker without the log is another one, behind an address that means
 * something else here, and the log is in the right one's container; or it is
 * the right one, before the driver's start. */
static int get_piece(struct spark_reader *reader, int64_t offset, int64_t bytes,
                     struct spark_log *log, struct error *error)
{
    struct buf tried = {0};
    bool missing = false;
    int found;

    if (reader->by_docker || clock_monotonic_ms() < reader->pages_at)
        return not_reached(reader, "its container is not to be read", offset, bytes, log, error);
    for (int i = 0; i < SPARK_ADDRESSES && reader->pages.addresses[i]; i++) {
        const char *address = reader->pages.addresses[i];
        enum spark_log_result result = ask(reader, address, offset, bytes, log, error);
        if (result == SPARK_LOG_PIECE) {
            if (reader->pages.addresses[1] && log->total > 0)
                spark_pages_keep(&reader->pages, i);
            buf_free(&tried);
            return 1;
        }
        if (is_signal(error)) {
            buf_free(&tried);
            return -1;
        }
        missing = missing || result == SPARK_LOG_MISSING;
        buf_format(&tried, "%s%s: %s", i ? "; " : "", address, error->text);
    }
    found = not_reached(reader, tried.data ? tried.data : "it has no address", offset, bytes, log,
                        error);
    buf_free(&tried);
    if (found == 0 && !missing)
        reader->pages_at = clock_monotonic_ms() + RETRY_MS;
    return found < 0 && missing && !is_signal(error) ? 0 : found;
}

/* ---- The tail */

/* How many lines end within [from, to); `open`: the last byte ends none. */
static int count_lines(struct spark_reader *reader, int64_t from, int64_t to, int64_t *lines,
                       bool *open, struct error *error)
{
    struct spark_log log;

    while (from < to) {
        int64_t bytes = to - from;
        int result = get_piece(reader, from, bytes, &log, error);
        if (result <= 0 || log.start != from || log.next <= from)
            return result < 0 ? -1 : 0;
        for (size_t i = 0; i < log.length; i++)
            *lines += log.text[i] == '\n';
        *open = log.length > 0 && log.text[log.length - 1] != '\n';
        from = log.next;
    }
    return 1;
}

/* What of the beginning cannot be had is not left out in silence. */
static void say_lost(const struct spark_reader *reader, int64_t bytes)
{
    log_warning("%lld bytes of the log of %s are left out: out of a container only the last %d MiB "
                "of a file are read",
                (long long)bytes, reader->what, LIMIT_DOCKER_FILE >> 20);
}

/* Goes back page by page until there are enough lines; those too many are left out
 * as they come, for a page may begin in the middle of a character. */
static int find_lines(struct spark_reader *reader, int64_t first, int64_t total,
                      struct error *error)
{
    int64_t at = total, lines = 0;
    bool last_is_open = false;

    while (at > first && lines + last_is_open <= reader->tail_lines) {
        int64_t from = at - first > LIMIT_LOG_PAGE ? at - LIMIT_LOG_PAGE : first;
        bool open = false;
        int result = count_lines(reader, from, at, &lines, &open, error);
        if (result <= 0)
            return result;
        last_is_open = at == total ? open : last_is_open;
        at = from;
    }
    lines += last_is_open;
    reader->offset = at;
    reader->skip_lines = lines > reader->tail_lines ? lines - reader->tail_lines : 0;
    if (first > 0 && lines < reader->tail_lines)
        say_lost(reader, first);
    return 1;
}

static int find_tail(struct spark_reader *reader, struct error *error)
{
    struct spark_log log;
    int result = get_piece(reader, 0, 1, &log, error);

    if (result == 0)
        reader->tail_lines = reader->tail_bytes = -1; /* all that comes is new */
    if (result <= 0)
        return result;
    if (reader->snapshot)
        reader->end = log.total;
    if (reader->tail_bytes >= 0)
        reader->offset =
            log.total - log.start > reader->tail_bytes ? log.total - reader->tail_bytes : log.start;
    else if (reader->tail_lines == 0)
        reader->offset = log.total;
    else
        result = find_lines(reader, log.start, log.total, error);
    if (result > 0)
        reader->tail_lines = reader->tail_bytes = -1;
    return result;
}

static void skip_lines(struct spark_reader *reader, const char **text, size_t *length)
{
    while (reader->skip_lines > 0 && *length > 0) {
        const char *line = memchr(*text, '\n', *length);
        size_t one = line ? (size_t)(line + 1 - *text) : *length;
        *text += one;
        *length -= one;
        reader->skip_lines -= line != NULL;
    }
}

/* ---- The seam */

/* What is kept of the text that ends at `offset`: whole characters, each of
 * which is in the log as it is in the text. */
static void keep_seam(struct spark_reader *reader, const char *text, size_t length)
{
    char both[2 * SEAM_MOST];
    size_t added = length < SEAM_MOST ? length : SEAM_MOST, from = 0, all;

    memcpy(both, reader->seam, reader->seam_length);
    if (added < length)
        reader->seam_length = 0; /* not next to it */
    memcpy(both + reader->seam_length, text + length - added, added);
    all = reader->seam_length + added;
    if (all > SEAM_MOST)
        from = all - SEAM_MOST;
    while (from < all && ((unsigned char)both[from] & 0xc0) == 0x80)
        from++;
    for (size_t i = all; i >= from + 3; i--)
        if (memcmp(both + i - 3, REPLACED, 3) == 0) {
            from = i;
            break;
        }
    reader->seam_length = all - from;
    memcpy(reader->seam, both + from, reader->seam_length);
}

/* The place behind the last piece of the log that reads as the seam does; -1: there is none. */
static int64_t find_seam(const struct spark_reader *reader, const struct spark_log *log)
{
    size_t length = reader->seam_length;

    for (size_t i = log->length; i >= length; i--) /* from the end: the beginning may be cut */
        if (memcmp(log->text + i - length, reader->seam, length) == 0)
            return log->next - (int64_t)(log->length - i);
    return -1;
}

/* The log is not what it was: its oldest files are gone, and what was read last stands
 * nearer to its beginning; or it has begun anew. */
static int find_place(struct spark_reader *reader, int64_t total, struct error *error)
{
    int64_t to = total < reader->offset ? total : reader->offset, found = -1;
    struct spark_log log;

    while (reader->seam_length > 0 && found < 0 && to > 0) {
        int64_t from = to > LIMIT_LOG_PAGE ? to - LIMIT_LOG_PAGE : 0;
        int result = get_piece(reader, from, to - from, &log, error);
        if (result <= 0)
            return result;
        found = find_seam(reader, &log);
        to = from > 0 ? from + SEAM_MOST : 0; /* it may lie on both sides of a page's start */
    }
    if (found < 0) {
        log_verbose("the log of %s has begun anew", reader->what);
        reader->seam_length = 0;
    }
    reader->offset = found < 0 ? 0 : found;
    return 1;
}

/* The piece begins later than it should: no page does so, a container's long file does. */
static void leap(struct spark_reader *reader, struct spark_log *log)
{
    int64_t again = reader->offset - log->start; /* of the seam, maybe */

    reader->seam_length = 0;
    if (again < 0)
        say_lost(reader, -again);
    if (again > (int64_t)log->length)
        again = (int64_t)log->length;
    if (again > 0) {
        log->text += again;
        log->length -= (size_t)again;
        log->start += again;
    }
    reader->offset = log->start;
}

/* The piece at `offset`, behind the seam: 1 with the text, 0, -1. */
static int read_piece(struct spark_reader *reader, struct spark_log *log, struct error *error)
{
    size_t seam = reader->seam_length;
    int result = get_piece(reader, reader->offset - (int64_t)seam, LIMIT_LOG_PAGE + (int64_t)seam,
                           log, error);

    if (result <= 0)
        return result;
    if (log->start > reader->offset - (int64_t)seam) {
        leap(reader, log);
        return 1;
    }
    if (log->total >= reader->offset && log->length >= seam &&
        memcmp(log->text, reader->seam, seam) == 0) {
        log->text += seam;
        log->length -= seam;
        return 1;
    }
    result = find_place(reader, log->total, error);
    if (result > 0)
        result = get_piece(reader, reader->offset, LIMIT_LOG_PAGE, log, error);
    return result > 0 && log->start != reader->offset ? 0 : result; /* it has moved again */
}

/* What came since a snapshot began is left out, but for the rest of a character. */
static void clip(struct spark_reader *reader, struct spark_log *log)
{
    int64_t left;

    if (reader->snapshot && reader->end < 0)
        reader->end = log->total;
    left = reader->end - reader->offset;
    if (reader->end < 0 || log->next <= reader->end ||
        (int64_t)log->length != log->next - reader->offset)
        return;
    log->length = left > 0 ? (size_t)left : 0;
    log->next = reader->offset + (int64_t)log->length;
    while (left > 0 && ((unsigned char)log->text[log->length] & 0xc0) == 0x80) {
        log->length++;
        log->next++;
    }
}

int spark_reader_next(struct spark_reader *reader, const char **text, size_t *length,
                      struct error *error)
{
    struct spark_log log;
    int result = 1;

    if (reader->tail_lines >= 0 || reader->tail_bytes >= 0)
        result = find_tail(reader, error);
    if (result > 0 && reader->end >= 0 && reader->offset >= reader->end)
        return 0;
    if (result > 0)
        result = read_piece(reader, &log, error);
    if (result <= 0)
        return result;
    clip(reader, &log);
    *text = log.text;
    *length = log.length;
    reader->offset = log.next;
    keep_seam(reader, *text, *length);
    result = *length > 0;
    skip_lines(reader, text, length);
    return result;
}

void spark_reader_close(struct spark_reader *reader)
{
    if (!reader)
        return;
    spark_pages_free(&reader->pages);
    http_answer_free(&reader->answer);
    docker_log_free(reader->docker);
    free(reader->query);
    free(reader->what);
    free(reader->folder);
    free(reader->worker);
    free(reader);
}
