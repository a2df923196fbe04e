#include "cluster/docker.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/limits.h"
#include "cluster/docker_ask.h"
#include "cluster/tar.h"

#define WAIT_MS 5000
#define FILE_MS 30000
#define BLOCKS  (1 << 20) /* of tar's, around a file */

static int ask(struct http *http, const char *path, size_t most, int64_t wait_ms,
               struct http_answer *answer, struct error *error)
{
    struct http_request request = {.wait_ms = wait_ms, .most = most};

    return docker_ask(http, path, &request, answer, error);
}

int docker_list(struct http *http, struct docker_containers *containers, struct error *error)
{
    struct http_answer answer = {0};
    int result = ask(http, "/containers/json", LIMIT_DOCKER_ANSWER, WAIT_MS, &answer, error);

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

static int take_file(const struct http_answer *answer, const char *path, struct buf *text,
                     struct error *error)
{
    const char *file;
    size_t size;

    if (answer->status == 404)
        return 0;
    switch (tar_first_file(answer->body.data, answer->body.length, &file, &size)) {
    case TAR_FILE:
        buf_reserve(text, size + 1);
        buf_add(text, file, size);
        return 1;
    case TAR_OTHER:
        return 0;
    default:
        return error_set(error, EXIT_UNREACHABLE,
                         "the Docker engine's answer for %s is no tar archive", path);
    }
}

int docker_read_file(struct http *http, const struct docker_container *container, const char *path,
                     struct buf *text, struct error *error)
{
    struct buf url = {0};
    struct http_answer answer = {0};
    int result;

    buf_text(&url, "/containers/");
    add_escaped(&url, container->id);
    buf_text(&url, "/archive?path=");
    add_escaped(&url, path);
    result = ask(http, url.data, LIMIT_DOCKER_FILE + BLOCKS, FILE_MS, &answer, error);
    if (result == 0)
        result = take_file(&answer, path, text, error);
    http_answer_free(&answer);
    buf_free(&url);
    return result;
}

/* Where workers keep it: docker/spark/entrypoint; SPARK_HOME/work, Spark's own
 * default, in Apache's images and where SPARK_HOME is ours. */
int docker_driver_log(struct http *http, const char *worker_host, const char *driver_id,
                      const char *type, struct buf *text, struct error *error)
{
    struct docker_containers containers;
    const struct docker_container *worker;
    int result = 0;

    if (docker_list(http, &containers, error) < 0)
        return -1;
    worker = docker_find_host(&containers, worker_host);
    if (worker) {
        char *paths[] = {mem_format("/spark/work/%s/%s/%s", worker_host, driver_id, type),
                         mem_format("/opt/spark/work/%s/%s", driver_id, type),
                         mem_format("/spark/work/%s/%s", driver_id, type)};
        for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
            if (result == 0)
                result = docker_read_file(http, worker, paths[i], text, error);
            free(paths[i]);
        }
    }
    docker_containers_free(&containers);
    return result;
}
