#include "runner/driver_log.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/spark_reader.h"

#define PIECES_MOST 16
#define REASON_TAIL (1 << 20) /* bytes: a stack trace and what led to it */

struct driver_log {
    struct spark *spark;
    char *id;
    const char *type; /* "stderr", or "stdout" */
    int64_t tail;
    struct spark_reader *reader;
    bool silent;     /* it was said that the worker cannot be asked */
    struct buf line; /* the last one, not ended yet; what exceeds the limit is left out */
    struct spark_failure *found;
};

struct driver_log *driver_log_new(struct spark *spark, const char *id, int64_t tail)
{
    struct driver_log *log = mem_alloc(1, sizeof *log);

    log->spark = spark;
    log->id = mem_text(id);
    log->type = "stderr";
    log->tail = tail;
    log->found = spark_failure_new();
    return log;
}

static void end_line(struct driver_log *log)
{
    spark_failure_take(log->found, log->line.data ? log->line.data : "");
    log->line.length = 0;
    if (log->line.data)
        log->line.data[0] = '\0';
}

static void take_text(struct driver_log *log, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\n')
            end_line(log);
        else if (log->line.length < LIMIT_LOG_LINE)
            buf_char(&log->line, text[i]);
}

static void say_silent(struct driver_log *log, const struct error *error)
{
    if (!log->silent && error->code != EXIT_INTERRUPTED && error->code != EXIT_TERMINATED)
        log_verbose("the driver's log cannot be read: %s", error->text);
    log->silent = true;
}

static bool open_reader(struct driver_log *log, const char *worker_id)
{
    const struct spark_log_name name = {.driver = log->id, .type = log->type};
    struct error error;

    if (log->reader)
        return true;
    log->reader = spark_reader_open(log->spark, &name, worker_id, &error);
    if (!log->reader)
        say_silent(log, &error);
    else if (log->tail >= 0)
        spark_reader_set_tail_bytes(log->reader, log->tail);
    return log->reader != NULL;
}

bool driver_log_read(struct driver_log *log, const char *worker_id)
{
    struct error error;
    const char *text;
    size_t length;
    int result = 1;

    if (!open_reader(log, worker_id))
        return false;
    for (int i = 0; i < PIECES_MOST && result > 0; i++) {
        result = spark_reader_next(log->reader, &text, &length, &error);
        if (result > 0)
            take_text(log, text, length);
    }
    if (result < 0)
        say_silent(log, &error);
    return result >= 0;
}

const struct spark_failure *driver_log_found(const struct driver_log *log)
{
    return log->found;
}

void driver_log_free(struct driver_log *log)
{
    if (!log)
        return;
    spark_reader_close(log->reader);
    buf_free(&log->line);
    spark_failure_free(log->found);
    free(log->id);
    free(log);
}

/* The end of one of the two. */
static struct driver_log *read_end(struct spark *spark, const struct spark_answer *answer,
                                   const char *type)
{
    struct driver_log *log = driver_log_new(spark, answer->id, REASON_TAIL);

    log->type = type;
    driver_log_read(log, answer->worker_id);
    if (log->line.length > 0)
        end_line(log); /* nothing comes behind it any more */
    return log;
}

char *driver_log_reason(struct spark *spark, const struct spark_answer *answer, bool *in_stdout)
{
    struct driver_log *log, *out = NULL;
    char *reason;

    *in_stdout = false;
    if (!*answer->worker_id)
        return NULL;
    log = read_end(spark, answer, "stderr");
    if (log->reader && !spark_failure_is_told(log->found))
        out = read_end(spark, answer, "stdout");
    *in_stdout = out && spark_failure_is_told(out->found);
    reason = spark_failure_reason(*in_stdout ? out->found : log->found, answer->version);
    driver_log_free(log);
    driver_log_free(out);
    return reason;
}

char *driver_log_death(const struct driver_log *log, const struct spark_answer *answer)
{
    bool in_stdout;

    if (spark_failure_is_told(log->found))
        return spark_failure_reason(log->found, answer->version);
    return driver_log_reason(log->spark, answer, &in_stdout);
}

char *driver_log_app_name(struct spark *spark, const struct spark_state *state, const char *id,
                          const char *worker_id)
{
    struct driver_log *log = driver_log_new(spark, id, -1);
    const struct spark_app *app;
    const char *name;
    char *found;

    driver_log_read(log, worker_id);
    app = spark_find_app_by_id(state, spark_failure_app_id(log->found));
    name = app ? app->name : spark_failure_app_name(log->found);
    found = name ? mem_text(name) : NULL;
    driver_log_free(log);
    return found;
}
