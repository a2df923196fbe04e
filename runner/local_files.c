#include "runner/local_files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/base/clock.h"
#include "cluster/base/interrupt.h"
#include "cluster/base/limits.h"
#include "cluster/base/log.h"
#include "cluster/base/number.h"
#include "cluster/file_server.h"
#include "cluster/reach.h"
#include "runner/driver.h"
#include "runner/parts.h"
#include "runner/paths.h"

#define POLL_MS     250
#define PATIENCE_MS 10000
#define IN_IMAGE    "/etc/tally-image" /* docker/spark/Dockerfile: there paths are the workers' */
#define PORT_MOST   65535

struct offered {
    const char *url; /* the server's */
    enum local_use use;
};

struct local_files {
    const struct options *options;
    const struct spark_masters *masters;
    struct file_server *server; /* NULL: nothing is served yet */
    char *address;
    int port;
    struct offered list[LIMIT_SERVED_FILES];
    int count;
};

bool is_local_file(const struct options *options, const char *path)
{
    struct stat facts;

    return !options->no_serve && !path_has_scheme(path) && access(IN_IMAGE, F_OK) != 0 &&
           stat(path, &facts) == 0 && S_ISREG(facts.st_mode);
}

struct local_files *local_files_new(const struct options *options,
                                    const struct spark_masters *masters)
{
    struct local_files *files = mem_alloc(1, sizeof *files);

    files->options = options;
    files->masters = masters;
    return files;
}

/* HOST, HOST:PORT, an IPv6 address, or that in brackets with a port. */
static int split_address(struct local_files *files, const char *text, struct error *error)
{
    const char *colon = strrchr(text, ':');
    const char *close = *text == '[' ? strchr(text, ']') : NULL;
    int64_t port = 0;

    if (*text != '[' && colon && strchr(text, ':') != colon)
        colon = NULL; /* IPv6 alone */
    if (close)
        colon = close[1] == ':' ? close + 1 : NULL;
    if (colon && !number_in_range(colon + 1, 1, PORT_MOST, &port))
        return error_set(error, EXIT_USAGE, "--serve-address '%s': '%s' is no port", text,
                         colon + 1);
    files->port = (int)port;
    if (close)
        files->address = mem_bytes(text + 1, (size_t)(close - text - 1));
    else
        files->address = mem_bytes(text, colon ? (size_t)(colon - text) : strlen(text));
    return 0;
}

static int find_address(struct local_files *files, struct error *error)
{
    struct http *http;

    if (files->options->serve_address)
        return split_address(files, files->options->serve_address, error);
    http = http_new();
    for (int i = 0; !files->address && i < files->masters->count; i++)
        files->address = reach_address(http, &files->masters->list[i], error);
    http_free(http);
    return files->address ? 0 : error_wrap(error, "local files cannot be served");
}

static int open_server(struct local_files *files, struct error *error)
{
    if (files->server)
        return 0;
    if (find_address(files, error) < 0)
        return -1;
    files->server = file_server_open(files->address, files->port, error);
    return files->server ? 0 : -1;
}

const char *local_files_offer(struct local_files *files, const char *path, enum local_use use,
                              struct error *error)
{
    const char *url;

    if (!is_local_file(files->options, path))
        return path;
    if (open_server(files, error) < 0)
        return NULL;
    url = file_server_add(files->server, path, error);
    if (!url)
        return NULL;
    files->list[files->count++] = (struct offered){.url = url, .use = use};
    log_info("%s is served to the workers at %s (if they have it themselves: file:PATH or "
             "--no-serve)",
             path, url);
    return url;
}

/* "archive.zip#folder": the driver unpacks it under that name (SparkContext.addArchive). */
static int offer_entry(struct local_files *files, const char *entry, struct buf *list,
                       struct error *error)
{
    const char *mark = is_local_file(files->options, entry) ? NULL : strrchr(entry, '#');
    char *path = mem_bytes(entry, mark ? (size_t)(mark - entry) : strlen(entry));
    const char *offered = local_files_offer(files, path, LOCAL_DEPENDENCY, error);

    if (offered)
        buf_format(list, "%s%s%s", list->length ? "," : "", offered, mark ? mark : "");
    free(path);
    return offered ? 0 : -1;
}

char *local_files_offer_list(struct local_files *files, const char *list, struct error *error)
{
    char *entries = mem_text(list), *at = entries, *entry;
    struct buf offered = {0};
    int result = 0;

    buf_reserve(&offered, 1);
    while (result == 0 && (entry = strsep(&at, ",")))
        if (*entry)
            result = offer_entry(files, entry, &offered, error);
    free(entries);
    if (result == 0)
        return offered.data;
    buf_free(&offered);
    return NULL;
}

static bool is_served(const struct local_files *files, const char *offered)
{
    for (int i = 0; i < files->count; i++)
        if (files->list[i].url == offered)
            return true;
    return false;
}

/* The worker puts it into the driver's working directory (DriverRunner.scala),
 * and a driver serves to its executors what it finds at a path of its own
 * (SparkContext.addJar): tried with 3.5.1 and 4.2.0. */
char *local_files_for_executors(const struct local_files *files, const char *offered)
{
    if (!is_served(files, offered))
        return mem_text(offered);
    return mem_format(".%s", strrchr(offered, '/'));
}

/* True when there is no application that nobody has fetched. */
static bool is_fetched(struct local_files *files)
{
    bool all = true;

    for (int i = 0; i < files->count; i++) {
        const struct offered *file = &files->list[i];
        char peer[64];
        if (file->use != LOCAL_APPLICATION)
            continue;
        if (file_server_fetches(files->server, file->url, peer) > 0)
            log_verbose("%s: fetched by %s", file->url, peer);
        else
            all = false;
    }
    return all;
}

/* What ends the waiting ends the serving. */
static int leave(const char *id, struct error *error)
{
    return error_add(error,
                     "it is served no more; driver %s fails if it comes to start (tally kill %s)",
                     id, id);
}

/* 1 when the driver has ended well; a master that does not answer is waited for. */
static int is_over(struct spark *spark, const char *id, struct error *error)
{
    struct spark_answer answer;
    int over;

    if (spark_status(spark, id, &answer, error) < 0) {
        if (error->code != EXIT_UNREACHABLE && error->code != EXIT_REFUSED)
            return leave(id, error); /* a signal */
        log_status("%s", error->text);
        return 0;
    }
    log_status("driver %s is %s; its jar is served", id, spark_state_name(answer.state));
    over = driver_outcome(spark, &answer, error) < 0 ? -1 : answer.state == SPARK_FINISHED;
    spark_answer_free(&answer);
    return over;
}

static int pause_serving(const struct local_files *files, int64_t began, const char *id,
                         struct error *error)
{
    int64_t limit = files->options->timeout;

    wait_for_interrupt(POLL_MS);
    if (interrupt_signal())
        interrupt_error(error);
    else if (limit >= 0 && clock_monotonic_ms() - began >= limit)
        error_set(error, EXIT_TIMEOUT, "no worker has fetched the jar within %lld s",
                  (long long)(limit / 1000));
    else
        return 0;
    return leave(id, error);
}

int local_files_wait(struct local_files *files, struct spark *spark, const char *id,
                     struct error *error)
{
    int64_t began = clock_monotonic_ms();
    bool said = false;
    int result = 0;

    while (result == 0 && !is_fetched(files)) {
        result = is_over(spark, id, error);
        if (result == 0 && !said && clock_monotonic_ms() - began >= PATIENCE_MS) {
            log_info("driver %s has not been started yet: its jar is served until then", id);
            said = true;
        }
        if (result == 0)
            result = pause_serving(files, began, id, error);
    }
    log_status_clear();
    if (result < 0 && error->code == EXIT_DRIVER_ERROR)
        error_add(error, "did its worker reach %s? (--serve-address)", files->address);
    if (result == 0 && files->count > 0 && files->options->supervise && !files->options->follow &&
        !local_files_until_end(files))
        log_info("the jar is served no more: without it driver %s cannot be started again on "
                 "another worker (--follow keeps it)",
                 id);
    return result < 0 ? -1 : 0;
}

bool local_files_until_end(const struct local_files *files)
{
    for (int i = 0; i < files->count; i++)
        if (files->list[i].use == LOCAL_DEPENDENCY)
            return true;
    return false;
}

bool is_missing_file(const struct options *options, const char *path)
{
    bool ours = !options->no_serve && access(IN_IMAGE, F_OK) != 0;

    return ours && *path != '/' && !strchr(path, ':') && !is_local_file(options, path);
}

void local_files_free(struct local_files *files)
{
    if (!files)
        return;
    file_server_close(files->server);
    free(files->address);
    free(files);
}
