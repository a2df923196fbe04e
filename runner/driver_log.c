#include "runner/driver_log.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/spark_reader.h"

#define PIECES_MOST 16
#define JOB_ERROR   "tally-job: error: "
#define LAUNCH      "Launch Command: " /* DriverRunner.scala writes it at each start */
#define EXCEPTION   "Exception in thread "
#define CAUSE       "Caused by: "

struct driver_log {
    struct spark *spark;
    char *id;
    struct spark_reader *reader;
    bool silent;     /* it was said that the worker cannot be asked */
    struct buf line; /* the last one, not ended yet; what exceeds the limit is left out */
    char *error, *exception, *last;
    int launches;
};

struct driver_log *driver_log_new(struct spark *spark, const char *id)
{
    struct driver_log *log = mem_alloc(1, sizeof *log);

    log->spark = spark;
    log->id = mem_text(id);
    return log;
}

static bool starts(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

static void keep(char **place, const char *text)
{
    free(*place);
    *place = mem_text(text);
}

/* Java's own lines of a stack trace tell nothing by themselves. */
static bool is_trace(const char *line)
{
    return starts(line, "\tat ") || starts(line, "\t... ") || starts(line, "====") || !*line;
}

static void take_line(struct driver_log *log, const char *line)
{
    if (starts(line, LAUNCH)) {
        log->launches++;
        return;
    }
    if (starts(line, JOB_ERROR) && !log->error)
        log->error = mem_text(line + strlen(JOB_ERROR));
    else if (starts(line, EXCEPTION) || starts(line, CAUSE))
        keep(&log->exception, starts(line, CAUSE) ? line + strlen(CAUSE) : line);
    else if (!is_trace(line))
        keep(&log->last, line);
}

static void take_text(struct driver_log *log, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\n') {
            if (log->line.length < LIMIT_LOG_LINE)
                buf_char(&log->line, text[i]);
            continue;
        }
        take_line(log, log->line.data ? log->line.data : "");
        log->line.length = 0;
        if (log->line.data)
            log->line.data[0] = '\0';
    }
}

static void say_silent(struct driver_log *log, const struct error *error)
{
    if (!log->silent)
        log_verbose("the driver's log cannot be read: %s", error->text);
    log->silent = true;
}

void driver_log_read(struct driver_log *log, const char *worker_id)
{
    struct error error;
    const char *text;
    size_t length;
    int result = 1;

    if (!log->reader)
        log->reader = spark_reader_open(log->spark, log->id, worker_id, "stderr", &error);
    if (!log->reader) {
        say_silent(log, &error);
        return;
    }
    for (int i = 0; i < PIECES_MOST && result > 0; i++) {
        result = spark_reader_next(log->reader, &text, &length, &error);
        if (result > 0)
            take_text(log, text, length);
    }
    if (result < 0)
        say_silent(log, &error);
}

const char *driver_log_error(const struct driver_log *log)
{
    return log->error;
}

const char *driver_log_reason(const struct driver_log *log)
{
    return log->error ? log->error : log->exception ? log->exception : log->last;
}

int driver_log_launches(const struct driver_log *log)
{
    return log->launches;
}

void driver_log_free(struct driver_log *log)
{
    if (!log)
        return;
    spark_reader_close(log->reader);
    buf_free(&log->line);
    free(log->error);
    free(log->exception);
    free(log->last);
    free(log->id);
    free(log);
}
