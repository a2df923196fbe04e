#include "cluster/docker_log.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/docker.h"

#define PATHS 3
/* What was read and is not needed any more is let go from here on. */
#define KEPT_MOST (1 << 20)

struct docker_log {
    char *host;
    char *paths[PATHS];
    char *container; /* its id; NULL: not found yet */
    const char *path;
    char *told;      /* of the file as it was read; NULL: it was not */
    char *told_now;  /* of the file as it is */
    int64_t size;    /* of the file as it is */
    int64_t start;   /* of `text` in the file */
    bool is_first;   /* nothing before it can be had */
    struct buf text; /* from there to the file's end, as it was read */
};

/* Where workers keep it: docker/spark/entrypoint; SPARK_HOME/work, Spark's own
 * default, in Apache's images and where SPARK_HOME is ours. An executor's is in
 * APP/EXECUTOR below that (ExecutorRunner.scala, Worker.scala). */
struct docker_log *docker_log_new(const char *worker_host, const char *folder, const char *type)
{
    struct docker_log *log = mem_alloc(1, sizeof *log);

    log->host = mem_text(worker_host);
    log->paths[0] = mem_format("/spark/work/%s/%s/%s", worker_host, folder, type);
    log->paths[1] = mem_format("/opt/spark/work/%s/%s", folder, type);
    log->paths[2] = mem_format("/spark/work/%s/%s", folder, type);
    return log;
}

void docker_log_free(struct docker_log *log)
{
    if (!log)
        return;
    for (int i = 0; i < PATHS; i++)
        free(log->paths[i]);
    free(log->host);
    free(log->container);
    free(log->told);
    free(log->told_now);
    buf_free(&log->text);
    free(log);
}

/* ---- Where it is */

/* What it is like now, at log->path. */
static enum docker_log_result look(struct docker_log *log, struct http *http, struct error *error)
{
    char *told = NULL;
    int result = docker_stat_file(http, log->container, log->path, &log->size, &told, error);

    if (result < 0)
        return DOCKER_LOG_FAILED;
    if (result == 0)
        return DOCKER_LOG_MISSING;
    free(log->told_now);
    log->told_now = told;
    return DOCKER_LOG_PIECE;
}

static enum docker_log_result find(struct docker_log *log, struct http *http, struct error *error)
{
    enum docker_log_result result = DOCKER_LOG_MISSING;
    const struct docker_container *worker;
    struct docker_containers containers;

    if (docker_list(http, &containers, error) < 0)
        return DOCKER_LOG_FAILED;
    worker = docker_find_host(&containers, log->host);
    free(log->container);
    log->container = worker ? mem_text(worker->id) : NULL;
    docker_containers_free(&containers);
    if (!log->container)
        return DOCKER_LOG_NO_CONTAINER;
    for (int i = 0; i < PATHS && result == DOCKER_LOG_MISSING; i++) {
        log->path = log->paths[i];
        result = look(log, http, error);
    }
    if (result != DOCKER_LOG_PIECE)
        log->path = NULL;
    return result;
}

/* A worker that was made anew is another container. */
static enum docker_log_result look_again(struct docker_log *log, struct http *http,
                                         struct error *error)
{
    enum docker_log_result result = log->path ? look(log, http, error) : DOCKER_LOG_MISSING;

    return result == DOCKER_LOG_MISSING ? find(log, http, error) : result;
}

/* ---- What it holds */

/* A tail begins with a line. */
static void drop_first_line(struct docker_log *log)
{
    const char *end = log->text.length ? memchr(log->text.data, '\n', log->text.length) : NULL;
    size_t length = end ? (size_t)(end + 1 - log->text.data) : 0;

    if (length == 0)
        return;
    log->text.length -= length;
    memmove(log->text.data, log->text.data + length, log->text.length + 1);
    log->start += (int64_t)length;
}

static enum docker_log_result fetch(struct docker_log *log, struct http *http, int64_t offset,
                                    struct error *error)
{
    int64_t first = log->size > LIMIT_DOCKER_FILE ? log->size - LIMIT_DOCKER_FILE : 0;
    int result = 1;

    buf_free(&log->text);
    free(log->told);
    log->told = NULL;
    log->is_first = offset <= first;
    log->start = log->is_first ? first : offset < log->size ? offset : log->size;
    if (log->start < log->size)
        result = docker_read_file(http, log->container, log->path, log->start,
                                  (size_t)(log->size - log->start), &log->text, error);
    if (result <= 0) {
        buf_free(&log->text);
        return result < 0 ? DOCKER_LOG_FAILED : DOCKER_LOG_MISSING;
    }
    log->size = log->start + (int64_t)log->text.length; /* it may have been emptied meanwhile */
    if (log->is_first && first > 0)
        drop_first_line(log);
    log->told = mem_text(log->told_now);
    return DOCKER_LOG_PIECE;
}

/* What stands before `offset` has been read. */
static void let_go(struct docker_log *log, int64_t offset)
{
    size_t before = offset > log->start ? (size_t)(offset - log->start) : 0;
    char *left;

    if (log->text.length < KEPT_MOST || before >= log->text.length)
        return;
    left = mem_bytes(log->text.data + before, log->text.length - before);
    log->text.length -= before;
    free(log->text.data);
    log->text.data = left;
    log->text.size = log->text.length + 1;
    log->start = offset;
    log->is_first = false;
}

/* A piece ends before a character that is cut, as a page's does. */
static void take(const struct docker_log *log, int64_t offset, int64_t bytes,
                 struct spark_log *piece)
{
    int64_t end = log->start + (int64_t)log->text.length;
    int64_t from = offset < log->start ? log->start : offset < end ? offset : end;
    int64_t to = bytes < end - from ? from + bytes : end;

    while (to < end && to > from + 1 &&
           ((unsigned char)log->text.data[to - log->start] & 0xc0) == 0x80)
        to--;
    piece->start = from;
    piece->next = to;
    piece->total = log->size;
    piece->text = to > from ? log->text.data + (from - log->start) : "";
    piece->length = (size_t)(to - from);
}

enum docker_log_result docker_log_read(struct docker_log *log, struct http *http, int64_t offset,
                                       int64_t bytes, struct spark_log *piece, struct error *error)
{
    int64_t end = log->start + (int64_t)log->text.length;
    enum docker_log_result result = DOCKER_LOG_PIECE;
    bool is_here = log->told && (offset >= log->start || log->is_first);

    if (!is_here || offset + bytes > end) {
        result = look_again(log, http, error);
        if (result != DOCKER_LOG_PIECE)
            return result;
        if (is_here && strcmp(log->told, log->told_now) == 0)
            let_go(log, offset);
        else
            result = fetch(log, http, offset, error);
    }
    if (result == DOCKER_LOG_PIECE)
        take(log, offset, bytes, piece);
    return result;
}
