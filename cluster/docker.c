#include "cluster/docker.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/limits.h"
#include "cluster/docker_ask.h"
#include "cluster/tar.h"

#define HTTP_OK 200
#define WAIT_MS 5000
#define FILE_MS 30000
#define STAT    "X-Docker-Container-Path-Stat"

int docker_list(struct http *http, struct docker_containers *containers, struct error *error)
{
    struct http_request request = {.most = LIMIT_DOCKER_ANSWER, .wait_ms = WAIT_MS};
    struct http_answer answer = {0};
    int result = docker_ask(http, "/containers/json", &request, &answer, error);

    if (result == 0 && docker_containers_read(answer.body.data, answer.body.length, containers) < 0)
        result = error_set(error, EXIT_UNREACHABLE, "what answers at %s is no Docker engine",
                           docker_socket());
    http_answer_free(&answer);
    return result;
}

static void add_escaped(struct buf *url, const char *path)
{
    for (; *path; path++) {
        if (strchr("/-._~", *path) || (*path >= '0' && *path <= '9') ||
            (*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z'))
            buf_char(url, *path);
        else
            buf_format(url, "%%%02X", (unsigned char)*path);
    }
}

static int ask_archive(struct http *http, struct http_request *request, const char *container,
                       const char *path, struct http_answer *answer, struct error *error)
{
    struct buf url = {0};
    int result;

    buf_text(&url, "/containers/");
    add_escaped(&url, container);
    buf_text(&url, "/archive?path=");
    add_escaped(&url, path);
    result = docker_ask(http, url.data, request, answer, error);
    buf_free(&url);
    return result;
}

int docker_stat_file(struct http *http, const char *container, const char *path, int64_t *size,
                     char **told, struct error *error)
{
    struct http_request request = {.head = true, .header = STAT, .wait_ms = WAIT_MS};
    struct http_answer answer = {0};
    int result = ask_archive(http, &request, container, path, &answer, error);

    if (result == 0 && answer.status == HTTP_OK && !answer.header)
        result = error_set(error, EXIT_UNREACHABLE,
                           "the Docker engine at %s does not tell of %s: no " STAT, docker_socket(),
                           path);
    if (result == 0 && answer.header && (*size = docker_file_size(answer.header)) >= 0) {
        *told = mem_text(answer.header);
        result = 1;
    }
    http_answer_free(&answer);
    return result;
}

/* A file within an archive, as it comes. */
struct reading {
    struct buf head; /* what stands before it */
    enum tar_result found;
    uint64_t skip, left; /* bytes of it */
    struct buf *text;
};

static bool begin_file(struct reading *reading, const char **bytes, size_t *length)
{
    size_t before = reading->head.length, at;
    uint64_t size;

    buf_add(&reading->head, *bytes, *length);
    reading->found = tar_first_file(reading->head.data, reading->head.length, &at, &size);
    if (reading->found != TAR_FILE || at < before)
        return reading->found == TAR_MORE && reading->head.length <= LIMIT_DOCKER_HEAD;
    if (at > reading->head.length)
        at = reading->head.length;
    *bytes += at - before;
    *length -= at - before;
    reading->skip = reading->skip < size ? reading->skip : size;
    if (reading->left > size - reading->skip)
        reading->left = size - reading->skip;
    return true;
}

static bool take_file(void *context, const char *bytes, size_t length)
{
    struct reading *reading = context;
    uint64_t one;

    if (reading->found == TAR_MORE && (!begin_file(reading, &bytes, &length)))
        return false;
    if (reading->found != TAR_FILE)
        return true;
    one = reading->skip < length ? reading->skip : length;
    reading->skip -= one;
    bytes += one;
    length -= (size_t)one;
    one = reading->left < length ? reading->left : length;
    if (one > 0)
        buf_add(reading->text, bytes, (size_t)one);
    reading->left -= one;
    return reading->left > 0;
}

int docker_read_file(struct http *http, const char *container, const char *path, int64_t from,
                     size_t most, struct buf *text, struct error *error)
{
    struct reading reading = {
        .found = TAR_MORE, .skip = (uint64_t)from, .left = most, .text = text};
    struct http_request request = {.take = take_file, .context = &reading, .wait_ms = FILE_MS};
    struct http_answer answer = {0};
    int result = ask_archive(http, &request, container, path, &answer, error);

    if (result == 0 && answer.status == HTTP_OK && reading.found == TAR_FILE)
        result = 1;
    else if (result == 0 && answer.status == HTTP_OK && reading.found != TAR_OTHER)
        result = error_set(error, EXIT_UNREACHABLE,
                           "the Docker engine's answer for %s is no tar archive", path);
    if (result == 1 && reading.left > 0)
        result = error_set(error, EXIT_UNREACHABLE, "the Docker engine's answer for %s is cut off",
                           path);
    http_answer_free(&answer);
    buf_free(&reading.head);
    return result;
}
