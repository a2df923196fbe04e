#include "cluster/docker_run.h"

#include <jansson.h>
#include <limits.h>
#include <link.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/base/limits.h"
#include "cluster/docker_ask.h"
#include "cluster/tar.h"

#define PROGRAM   "tally"
#define WAIT_MS   5000
#define START_MS  20000 /* a busy engine makes and starts one container after the other */
#define IMPORT_MS 30000
#define NOBODY    "65534:65534"
#define MEMORY    (512LL << 20)
#define THREADS   512

/* ---- The image */

struct packing {
    struct buf archive;
    struct buf folders;   /* "lib/x/;", those that are in it */
    struct buf libraries; /* "/lib/x:", for LD_LIBRARY_PATH: some are not where a loader looks */
    char *broken;         /* the first file that could not be added */
};

static bool add_contents(struct packing *packing, const char *path, const char *name)
{
    FILE *file = fopen(path, "rb");
    struct buf bytes = {0};
    bool good = file != NULL;
    size_t count = 0;

    while (good && !feof(file) && bytes.length + packing->archive.length < LIMIT_DOCKER_IMAGE) {
        buf_reserve(&bytes, 1 << 20);
        count = fread(bytes.data + bytes.length, 1, 1 << 20, file);
        bytes.length += count;
        good = !ferror(file);
    }
    good = good && feof(file) && tar_add_file(&packing->archive, name, bytes.data, bytes.length);
    if (file)
        fclose(file);
    buf_free(&bytes);
    return good;
}

/* "lib/", "lib/x/": some engines make missing ones for root alone. */
static void add_folders(struct packing *packing, const char *name)
{
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        char *folder = mem_format("%.*s/", (int)(slash - name), name);
        char *item = mem_format(";%s;", folder);
        if (!strstr(packing->folders.data, item)) {
            buf_text(&packing->folders, item);
            tar_add_file(&packing->archive, folder, "", 0);
        }
        free(folder);
        free(item);
    }
}

static int add_library(struct dl_phdr_info *library, size_t size, void *context)
{
    struct packing *packing = context;
    const char *path = library->dlpi_name, *slash = strrchr(path, '/');

    (void)size;
    if (!slash || *path != '/' || packing->broken) /* the program itself; the kernel's own */
        return 0;
    add_folders(packing, path + 1);
    if (!add_contents(packing, path, path + 1))
        packing->broken = mem_text(path);
    buf_format(&packing->libraries, "%s%.*s", packing->libraries.length ? ":" : "",
               (int)(slash - path), path);
    return 0;
}

/* The loader is among the libraries, under the name that the program calls it by.
 * A look-up before makes the C library load what it needs for one. */
static bool pack(struct packing *packing)
{
    static const char hosts[] = "hosts: files dns\n";
    struct addrinfo *found = NULL;

    if (getaddrinfo("localhost", NULL, NULL, &found) == 0)
        freeaddrinfo(found);
    buf_text(&packing->folders, "");
    buf_text(&packing->libraries, "");
    add_folders(packing, "etc/nsswitch.conf");
    tar_add_file(&packing->archive, "etc/nsswitch.conf", hosts, sizeof hosts - 1);
    if (!add_contents(packing, "/proc/self/exe", PROGRAM))
        packing->broken = mem_text("/proc/self/exe");
    dl_iterate_phdr(add_library, packing);
    tar_end(&packing->archive);
    return !packing->broken;
}

int docker_import_self(struct http *http, const char *image, char **libraries, struct error *error)
{
    struct packing packing = {0};
    struct http_request request = {
        .post = true, .bytes = &packing.archive, .wait_ms = IMPORT_MS, .most = LIMIT_ANSWER_BYTES};
    struct http_answer answer = {0};
    const char *colon = strchr(image, ':');
    char *path = mem_format("/images/create?fromSrc=-&repo=%.*s&tag=%s&changes=LABEL%%20%s=1",
                            (int)(colon - image), image, colon + 1, DOCKER_LABEL);
    int result = -1;

    *libraries = NULL;
    if (!pack(&packing))
        error_set(error, EXIT_UNREACHABLE, "%s cannot be put into an image", packing.broken);
    else
        result = docker_ask(http, path, &request, &answer, error);
    if (result == 0 && answer.status == 404)
        result = error_set(error, EXIT_UNREACHABLE, "the Docker engine takes no images");
    *libraries = packing.libraries.data;
    free(packing.broken);
    free(path);
    buf_free(&packing.archive);
    buf_free(&packing.folders);
    http_answer_free(&answer);
    return result;
}

static void remove_path(struct http *http, char *path)
{
    struct http_request request = {.remove = true, .wait_ms = WAIT_MS};
    struct http_answer answer = {0};
    struct error error;

    docker_ask(http, path, &request, &answer, &error);
    http_answer_free(&answer);
    free(path);
}

void docker_remove_image(struct http *http, const char *image)
{
    remove_path(http, mem_format("/images/%s?force=1", image));
}

/* {"label":["tally.doctor"],"until":["1m"]}, and of images not only those without a name. */
#define STALE "%7B%22label%22%3A%5B%22" DOCKER_LABEL "%22%5D%2C%22until%22%3A%5B%221m%22%5D"

void docker_remove_stale(struct http *http)
{
    static const char *const paths[] = {"/containers/prune?filters=" STALE "%7D",
                                        "/images/prune?filters=" STALE
                                        "%2C%22dangling%22%3A%5B%22false%22%5D%7D"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct http_request request = {
            .post = true, .wait_ms = WAIT_MS, .most = LIMIT_DOCKER_ANSWER};
        struct http_answer answer = {0};
        struct error error;

        docker_ask(http, paths[i], &request, &answer, &error);
        http_answer_free(&answer);
    }
}

/* ---- The container */

static char *settings_of(const struct docker_run *run)
{
    json_t *arguments = json_array(), *root;
    char *libraries = mem_format("LD_LIBRARY_PATH=%s", run->libraries), *text;

    for (const char *const *argument = run->arguments; *argument; argument++)
        json_array_append_new(arguments, json_string(*argument));
    /* A name server that does not answer is asked once again, not for ten seconds. The
     * log is json-file's: an engine's own default may be one that cannot be read. */
    root = json_pack("{ss, s[s], so, s[s], ss, s{ss}, s{ss, sb, s[s], s[s], sI, sI, s{ss}, s[ss]}}",
                     "Image", run->image, "Entrypoint", "/" PROGRAM, "Cmd", arguments, "Env",
                     libraries, "User", NOBODY, "Labels", DOCKER_LABEL, "1", "HostConfig",
                     "NetworkMode", run->network, "ReadonlyRootfs", 1, "CapDrop", "ALL",
                     "SecurityOpt", "no-new-privileges", "Memory", (json_int_t)MEMORY, "PidsLimit",
                     (json_int_t)THREADS, "LogConfig", "Type", "json-file", "DnsOptions",
                     "timeout:1", "attempts:2");
    text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    free(libraries);
    return text;
}

static int post(struct http *http, char *path, const char *body, struct error *error)
{
    struct http_request request = {.post = true, .body = body, .wait_ms = START_MS};
    struct http_answer answer = {0};
    int result = docker_ask(http, path, &request, &answer, error);

    if (result == 0 && answer.status == 404) {
        char *reason = docker_reason(answer.body.data, answer.body.length);
        result = error_set(error, EXIT_UNREACHABLE, "the Docker engine: %s", reason);
        free(reason);
    }
    http_answer_free(&answer);
    free(path);
    return result;
}

/* Its output up to its end. */
static int follow(struct http *http, const struct docker_run *run, struct buf *out,
                  struct error *error)
{
    char *path = mem_format("/containers/%s/logs?follow=1&stdout=1&stderr=1", run->name);
    struct http_request request = {.wait_ms = run->wait_ms, .most = LIMIT_DOCKER_ANSWER};
    struct http_answer answer = {0};
    struct buf words = {0};
    int result = docker_ask(http, path, &request, &answer, error);

    if (result == 0 && (docker_output_read(answer.body.data, answer.body.length, 1, out) < 0 ||
                        docker_output_read(answer.body.data, answer.body.length, 2, &words) < 0))
        result = error_set(error, EXIT_UNREACHABLE, "the Docker engine gives no log");
    if (result == 0 && out->length == 0) {
        int first = words.data ? (int)strcspn(words.data, "\r\n") : 0;
        result = error_set(error, EXIT_UNREACHABLE, "%.*s", first ? first : INT_MAX,
                           first ? words.data : "the container ended without a word");
    }
    http_answer_free(&answer);
    buf_free(&words);
    free(path);
    return result;
}

int docker_run(struct http *http, const struct docker_run *run, struct buf *out,
               struct error *error)
{
    char *settings = settings_of(run);
    int result = post(http, mem_format("/containers/create?name=%s", run->name), settings, error);

    if (result == 0)
        result = post(http, mem_format("/containers/%s/start", run->name), NULL, error);
    if (result == 0)
        result = follow(http, run, out, error);
    /* Also when no answer came: it may have been made. */
    remove_path(http, mem_format("/containers/%s?force=1&v=1", run->name));
    free(settings);
    return result;
}

char **docker_words(struct http *http, const struct docker_container *container)
{
    char *path = mem_format("/containers/%s/json", container->id);
    struct http_request request = {.wait_ms = WAIT_MS, .most = LIMIT_DOCKER_ANSWER};
    struct http_answer answer = {0};
    struct error error;
    char **words = NULL;

    if (docker_ask(http, path, &request, &answer, &error) == 0 && answer.status == 200)
        words = docker_words_read(answer.body.data, answer.body.length);
    http_answer_free(&answer);
    free(path);
    return words;
}
