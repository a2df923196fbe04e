/* What the Docker engine says, tar archives, and the engine's socket itself,
 * played by a child process. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cluster/base/limits.h"
#include "cluster/docker.h"
#include "cluster/tar.h"

/* As Docker 20.10 and 28 tell it, less what is not read. */
static const char list[] =
    "[{\"Id\":\"5694e1d2c739f6dc1a4cc31e\",\"Names\":[\"/feeder\"],\"Ports\":[],\"Labels\":{},"
    "\"NetworkSettings\":{\"Networks\":{\"none\":{\"Gateway\":\"\",\"IPAddress\":\"\"}}}},"
    "{\"Id\":\"1241e2aa5519d2c897cebffd\",\"Names\":[\"/spark-worker-1\"],\"Ports\":[{\"IP\":"
    "\"127.0.0.1\",\"PrivatePort\":8081,\"PublicPort\":18081,\"Type\":\"tcp\"},{\"PrivatePort\":"
    "9,\"PublicPort\":9,\"Type\":\"udp\"},{\"PrivatePort\":7078,\"Type\":\"tcp\"}],\"Labels\":"
    "{\"com.docker.compose.service\":\"worker\"},\"NetworkSettings\":{\"Networks\":{\"internal\":"
    "{\"Gateway\":\"\",\"IPAddress\":\"10.1.1.1\"},\"t\":{\"Gateway\":\"172.18.0.1\","
    "\"IPAddress\":\"172.18.0.8\"}}}},"
    "{\"Names\":null},7]";

static void test_containers(void **state)
{
    static const struct {
        const char *host;
        int port;
        const char *name; /* NULL: none is found */
    } rows[] = {
        {"spark-worker-1", 0, "spark-worker-1"},
        {"worker", 0, "spark-worker-1"},
        {"172.18.0.8", 0, "spark-worker-1"},
        {"1241e2aa5519", 0, "spark-worker-1"},
        {"feeder", 0, "feeder"},
        {"1241", 0, NULL}, /* nobody's host name */
        {"", 0, NULL},
        {"10.1.1.1", 0, NULL},
        {NULL, 18081, "spark-worker-1"},
        {NULL, 8081, NULL},
        {NULL, 9, NULL},
        {NULL, 7078, NULL},
    };
    struct docker_containers read;

    (void)state;
    assert_int_equal(docker_containers_read(list, strlen(list), &read), 0);
    assert_int_equal(read.count, 4);
    assert_string_equal(read.list[1].gateway, "172.18.0.1");
    assert_string_equal(read.list[0].gateway, "");
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct docker_container *found = rows[i].host ? docker_find_host(&read, rows[i].host)
                                                            : docker_find_port(&read, rows[i].port);
        const char *name = rows[i].host ? rows[i].host : "a port";
        CHECK(!found == !rows[i].name, name);
        CHECK(!found || strcmp(found->name, rows[i].name) == 0, name);
    }
    docker_containers_free(&read);
    assert_int_equal(docker_containers_read("{\"message\":\"x\"}", 15, &read), -1);
    assert_int_equal(docker_containers_read(NULL, 0, &read), -1);
    assert_int_equal(docker_containers_read("[]", 2, &read), 0);
    docker_containers_free(&read);
}

/* ---- tar */

static void add_header(struct buf *tar, char type, size_t size)
{
    char header[512] = "stderr";
    unsigned sum = 8 * ' ';

    snprintf(header + 124, 12, "%011o", (unsigned)size % (1u << 30));
    header[156] = type;
    for (size_t i = 0; i < sizeof header; i++)
        if (i < 148 || i >= 156)
            sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    header[155] = ' ';
    buf_add(tar, header, sizeof header);
}

static void add_file(struct buf *tar, char type, const char *text)
{
    static const char zeros[512];

    add_header(tar, type, strlen(text));
    buf_add(tar, text, strlen(text));
    buf_add(tar, zeros, (512 - strlen(text) % 512) % 512);
}

static void test_tar(void **state)
{
    static const struct {
        const char *types; /* of the entries */
        size_t cut;        /* bytes taken away from the end */
        enum tar_result result;
    } rows[] = {
        {"0", 0, TAR_FILE},     {"xL0", 0, TAR_FILE}, {"0", 510, TAR_FILE}, {"0", 512, TAR_FILE},
        {"5", 0, TAR_OTHER},    {"2", 0, TAR_OTHER},  {"x5", 0, TAR_OTHER}, {"x", 0, TAR_MORE},
        {"x0", 1023, TAR_MORE}, {"", 0, TAR_MORE},    {"0", 600, TAR_MORE}, {"g", 300, TAR_MORE},
    };
    static const char zeros[1024];
    uint64_t size;
    size_t at;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf tar = {0};
        char *exact;
        buf_reserve(&tar, 1);
        for (const char *type = rows[i].types; *type; type++)
            add_file(&tar, *type, "ab");
        exact = mem_bytes(tar.data, tar.length - rows[i].cut);
        CHECK(tar_first_file(exact, tar.length - rows[i].cut, &at, &size) == rows[i].result,
              rows[i].types);
        if (rows[i].result == TAR_FILE)
            assert_true(size == 2 && at == tar.length - 512);
        free(exact);
        buf_free(&tar);
    }
    assert_int_equal(tar_first_file(zeros, sizeof zeros, &at, &size), TAR_OTHER);
    assert_int_equal(tar_first_file("x", 1, &at, &size), TAR_MORE);
}

static void test_stat(void **state)
{
    static const struct {
        const char *header; /* as 20.10 sends it, and less */
        int64_t size;
    } rows[] = {
        /* {"name":"stderr","size":27,"mode":420,"mtime":"2026-11-21T12:00:00Z","linkTarget":""} */
        {"eyJuYW1lIjoic3RkZXJyIiwic2l6ZSI6MjcsIm1vZGUiOjQyMCwibXRpbWUiOiIyMDI2LTExLTIxVDEyOjAwOjAw"
         "WiIsImxpbmtUYXJnZXQiOiIifQ==",
         27},
        {"eyJzaXplIjo0MDk2LCJtb2RlIjoyMTQ3NDg0MTQxfQ==", -1}, /* a folder */
        {"eyJzaXplIjo5LCJtb2RlIjoxMzQyMTgyMzl9", -1},         /* a link */
        {"eyJzaXplIjowLCJtb2RlIjozODR9", 0},
        {"eyJzaXplIjotMSwibW9kZSI6Mzg0fQ==", -1}, /* -1 bytes */
        {"eyJtb2RlIjozODR9", -1},                 /* no size */
        {"W10=", -1},
        {"no base64", -1},
        {"", -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(docker_file_size(rows[i].header) == rows[i].size, rows[i].header);
}

/* ---- The engine */

/* Gives each connection the same answer, until it is killed. */
static pid_t play_engine(const char *path, const struct buf *answer)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    pid_t child;

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    unlink(path);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 8), 0);
    child = fork();
    while (child == 0) {
        char request[4096];
        int client = accept(listener, NULL, NULL);
        alarm(60);
        if (client < 0 || read(client, request, sizeof request) <= 0 ||
            write(client, answer->data, answer->length) < 0)
            _exit(1);
        shutdown(client, SHUT_WR);
        while (read(client, request, sizeof request) > 0) {
        }
        close(client);
    }
    close(listener);
    return child;
}

static void add_answer(struct buf *answer, int status, const char *body, size_t length)
{
    buf_format(answer, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status,
               length);
    buf_add(answer, body, length);
}

/* An engine that gives that to each request, asked for a file's bytes. */
static int read_bytes(const struct buf *answer, int64_t from, size_t most, struct buf *text,
                      struct error *error)
{
    struct http *http = http_new();
    char path[64], host[80];
    pid_t child;
    int result;

    snprintf(path, sizeof path, "/tmp/tally-unit-%d.sock", (int)getpid());
    snprintf(host, sizeof host, "unix://%s", path);
    child = play_engine(path, answer);
    setenv("DOCKER_HOST", host, 1);
    result = docker_read_file(http, "1241e2", "/a b", from, most, text, error);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    unlink(path);
    unsetenv("DOCKER_HOST");
    http_free(http);
    return result;
}

static void test_engine(void **state)
{
    static const struct {
        char type;
        int status;
        const char *body; /* NULL: a file of seven bytes */
        size_t cut;       /* bytes of the body that do not come */
        int64_t from;
        size_t most;
        int result;
        const char *text; /* or the error's */
    } rows[] = {
        {'0', 200, NULL, 0, 0, 7, 1, "ab\ncd\n\n"},
        {'0', 200, NULL, 0, 3, 4, 1, "cd\n\n"},
        {'0', 200, NULL, 0, 3, 2, 1, "cd"},
        {'0', 200, NULL, 0, 3, 99, 1, "cd\n\n"}, /* it may have been emptied meanwhile */
        {'0', 200, NULL, 0, 99, 1, 1, ""},
        {'0', 200, NULL, 0, 0, 0, 1, ""},
        {'5', 200, NULL, 0, 0, 7, 0, ""},
        {'0', 200, NULL, 100, 0, 7, 1, "ab\ncd\n\n"}, /* enough has come */
        {'0', 200, NULL, 508, 0, 7, -1, "the connection ended"},
        {'0', 200, "", 0, 0, 7, -1, "is no tar archive"},
        {'0', 200, "<html>", 0, 0, 7, -1, "is no tar archive"},
        {'0', 404, "{\"message\":\"no such file\"}", 0, 0, 7, 0, ""},
        {'0', 500, "{\"message\":\"disk\\nfull\"}", 0, 0, 7, -1, "cannot be asked: HTTP 500: disk"},
    };
    struct docker_containers found;
    struct http *http = http_new();
    struct error error;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf answer = {0}, body = {0}, text = {0};
        int result;
        buf_reserve(&text, 1);
        buf_reserve(&body, 1);
        if (rows[i].body)
            buf_text(&body, rows[i].body);
        else
            add_file(&body, rows[i].type, "ab\ncd\n\n");
        add_answer(&answer, rows[i].status, body.data, body.length);
        answer.length -= rows[i].cut;
        result = read_bytes(&answer, rows[i].from, rows[i].most, &text, &error);
        CHECK(result == rows[i].result, rows[i].text);
        if (result < 0)
            assert_non_null(strstr(error.text, rows[i].text));
        else
            assert_string_equal(text.data ? text.data : "", rows[i].text);
        buf_free(&answer);
        buf_free(&body);
        buf_free(&text);
    }
    setenv("DOCKER_HOST", "unix:///nope/docker.sock", 1);
    assert_int_equal(docker_list(http, &found, &error), -1);
    assert_int_equal(error.code, EXIT_UNREACHABLE);
    setenv("DOCKER_HOST", "tcp://elsewhere:2375", 1);
    assert_int_equal(docker_list(http, &found, &error), -1);
    assert_null(docker_socket());
    unsetenv("DOCKER_HOST");
    assert_string_equal(docker_socket(), "/var/run/docker.sock");
    http_free(http);
}

/* What is written is read; folders are, too; a path too long is not. */
static void test_written_tar(void **state)
{
    struct buf archive = {0};
    char path[TAR_PATH + 2];
    size_t at;
    uint64_t size;

    (void)state;
    for (size_t length = 0; length < 1500; length += 100) {
        char *bytes = mem_alloc(length + 1, 1);
        memset(bytes, 'x', length);
        assert_true(tar_add_file(&archive, "lib/x.so", bytes, length));
        tar_end(&archive);
        assert_int_equal(archive.length % 512, 0);
        assert_int_equal(tar_first_file(archive.data, archive.length, &at, &size), TAR_FILE);
        assert_int_equal(size, length);
        assert_memory_equal(archive.data + at, bytes, length);
        buf_free(&archive);
        free(bytes);
    }
    assert_true(tar_add_file(&archive, "lib/", "", 0));
    assert_int_equal(tar_first_file(archive.data, archive.length, &at, &size), TAR_OTHER);
    buf_free(&archive);
    memset(path, 'p', sizeof path);
    path[TAR_PATH + 1] = '\0';
    assert_false(tar_add_file(&archive, path, "", 0) && archive.length == 0);
    path[TAR_PATH] = '\0';
    assert_true(tar_add_file(&archive, path, "", 0));
    buf_free(&archive);
}

static void test_output(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *out, *err; /* NULL: no such frames */
    } rows[] = {
        {"", 0, "", ""},
        {"\1\0\0\0\0\0\0\3abc", 11, "abc", ""},
        {"\1\0\0\0\0\0\0\1a\2\0\0\0\0\0\0\2xy\1\0\0\0\0\0\0\1b", 28, "ab", "xy"},
        {"\1\0\0\0\0\0\0\3ab", 10, NULL, NULL},
        {"\1\0\0\0\xff\xff\xff\xff"
         "ab",
         10, NULL, NULL},
        {"{\"message\":\"no\"}", 16, NULL, NULL},
        {"\1\0\0", 3, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int stream = 1; stream <= 2; stream++) {
            const char *wanted = stream == 1 ? rows[i].out : rows[i].err;
            struct buf text = {0};
            int result = docker_output_read(rows[i].bytes, rows[i].length, stream, &text);
            assert_int_equal(result, wanted ? 0 : -1);
            if (wanted)
                assert_string_equal(text.data, wanted);
            buf_free(&text);
        }
    }
}

static void test_words(void **state)
{
    static const char text[] =
        "{\"Path\":\"/run\",\"Args\":[\"--a\",7,\"b\"],\"Config\":{\"Env\":[\"K=V\"]}}";
    static const char *const wanted[] = {"--a", "b", "K=V"};
    char **words = docker_words_read(text, sizeof text - 1);

    (void)state;
    for (size_t i = 0; i < COUNT(wanted); i++) {
        assert_string_equal(words[i], wanted[i]);
        free(words[i]);
    }
    assert_null(words[COUNT(wanted)]);
    free(words);
    words = docker_words_read("[", 1);
    assert_null(words[0]);
    free(words);
}

/* What stands before the file is bounded, and so is what is kept of it. */
static void test_limits(void **state)
{
    struct buf answer = {0}, text = {0};
    struct error error;

    (void)state;
    buf_text(&answer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    add_header(&answer, 'x', 100 << 20);
    buf_reserve(&answer, 2 << 20);
    memset(answer.data + answer.length, 'x', 2 << 20);
    answer.length += 2 << 20;
    assert_int_equal(read_bytes(&answer, 0, 1, &text, &error), -1);
    assert_non_null(strstr(error.text, "is no tar archive"));
    answer.length = 0;
    buf_text(&answer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    add_header(&answer, '0', 2 << 20);
    buf_reserve(&answer, 2 << 20);
    memset(answer.data + answer.length, 'x', 2 << 20);
    answer.length += 2 << 20;
    assert_int_equal(read_bytes(&answer, (2 << 20) - 5, 5, &text, &error), 1);
    assert_string_equal(text.data, "xxxxx");
    assert_true(text.size < 1024);
    buf_free(&text);
    buf_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_containers), cmocka_unit_test(test_tar),
        cmocka_unit_test(test_engine),     cmocka_unit_test(test_limits),
        cmocka_unit_test(test_stat),       cmocka_unit_test(test_written_tar),
        cmocka_unit_test(test_output),     cmocka_unit_test(test_words)};
    return cmocka_run_group_tests_name("docker", tests, NULL, NULL);
}
