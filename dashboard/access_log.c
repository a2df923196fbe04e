#include "dashboard/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster/base/log.h"

struct access_log {
    int descriptor;
    bool failed; /* said already */
};

struct access_log *access_log_open(const char *path, struct error *error)
{
    struct access_log *log;
    int descriptor = STDERR_FILENO;

    if (strcmp(path, "-") != 0)
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
    if (descriptor < 0) {
        error_set(error, EXIT_INPUT, "cannot write the access log %s: %s", path, strerror(errno));
        return NULL;
    }
    log = mem_alloc(1, sizeof *log);
    log->descriptor = descriptor;
    return log;
}

void access_log_close(struct access_log *log)
{
    if (log && log->descriptor != STDERR_FILENO)
        close(log->descriptor);
    free(log);
}

static void write_time(int64_t time_ms, struct buf *buf)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    char text[64];

    if (localtime_r(&seconds, &parts) &&
        strftime(text, sizeof text, "[%d/%b/%Y:%H:%M:%S %z]", &parts) > 0)
        buf_text(buf, text);
    else
        buf_char(buf, '-');
}

/* As Apache does: what could end the line or the quotes is written \xHH. */
static void write_escaped(const char *text, size_t length, struct buf *buf)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\' || byte == ' ')
            buf_format(buf, "\\x%02x", byte);
        else
            buf_char(buf, text[i]);
    }
}

/* ?token=SECRET&job=x becomes ?token=...&job=x. */
static void write_path(const char *path, struct buf *buf)
{
    static const char name[] = "token=";
    size_t length = strcspn(path, "?");

    write_escaped(path, length, buf);
    for (path += length; *path; path += length) {
        bool secret = strncmp(path + 1, name, sizeof name - 1) == 0;
        length = 1 + strcspn(path + 1, "&");
        write_escaped(path, secret ? sizeof name : length, buf);
        if (secret)
            buf_text(buf, "...");
    }
}

void access_log_write(const struct access_entry *entry, struct buf *buf)
{
    buf_format(buf, "%s - - ", entry->peer);
    write_time(entry->time_ms, buf);
    buf_format(buf, " \"%s ", entry->method);
    write_path(entry->path, buf);
    buf_format(buf, " HTTP/1.1\" %d ", entry->status);
    if (entry->bytes < 0)
        buf_char(buf, '-');
    else
        buf_format(buf, "%lld", (long long)entry->bytes);
    buf_char(buf, '\n');
}

void access_log_add(struct access_log *log, const struct access_entry *entry)
{
    struct buf line = {0};

    if (!log)
        return;
    access_log_write(entry, &line);
    if (log->descriptor == STDERR_FILENO)
        log_status_clear();
    /* In one write: lines of several processes do not mix. */
    if (write(log->descriptor, line.data, line.length) != (ssize_t)line.length && !log->failed) {
        log->failed = true;
        log_warning("the access log cannot be written: %s", strerror(errno));
    }
    buf_free(&line);
}
