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
        {"0", 0, TAR_FILE},     {"xL0", 0, TAR_FILE},   {"0", 510, TAR_FILE},
        {"0", 511, TAR_BROKEN}, {"5", 0, TAR_OTHER},    {"2", 0, TAR_OTHER},
        {"x5", 0, TAR_OTHER},   {"x", 0, TAR_BROKEN},   {"x0", 1023, TAR_BROKEN},
        {"", 0, TAR_BROKEN},    {"0", 600, TAR_BROKEN}, {"g", 300, TAR_BROKEN},
    };
    static const char zeros[1024];
    const char *file;
    size_t size;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf tar = {0};
        char *exact;
        buf_reserve(&tar, 1);
        for (const char *type = rows[i].types; *type; type++)
            add_file(&tar, *type, "ab");
        exact = mem_bytes(tar.data, tar.length - rows[i].cut);
        CHECK(tar_first_file(exact, tar.length - rows[i].cut, &file, &size) == rows[i].result,
              rows[i].types);
        if (rows[i].result == TAR_FILE)
            assert_true(size == 2 && memcmp(file, "ab", 2) == 0);
        free(exact);
        buf_free(&tar);
    }
    assert_int_equal(tar_first_file(zeros, sizeof zeros, &file, &size), TAR_OTHER);
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

static void test_engine(void **state)
{
    const struct docker_container container = {.id = (char *)"1241e2", .name = (char *)"w"};
    struct docker_containers found;
    char path[64], host[80];
    struct error error;
    struct http *http = http_new();

    (void)state;
    snprintf(path, sizeof path, "/tmp/tally-unit-%d.sock", (int)getpid());
    snprintf(host, sizeof host, "unix://%s", path);
    for (int row = 0; row < 6; row++) {
        static const int results[] = {1, 0, -1, -1, 0, -1};
        struct buf answer = {0}, tar = {0}, text = {0};
        pid_t child;
        add_file(&tar, row == 4 ? '5' : '0', "女\n");
        if (row == 1)
            add_answer(&answer, 404, "{\"message\":\"no such file\"}", 26);
        else if (row == 2)
            add_answer(&answer, 500, "{\"message\":\"disk\\nfull\"}", 24);
        else if (row == 5)
            buf_format(&answer, "HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\nx", 100);
        else
            add_answer(&answer, 200, tar.data, row == 3 ? 100 : tar.length);
        child = play_engine(path, &answer);
        setenv("DOCKER_HOST", host, 1);
        assert_int_equal(docker_read_file(http, &container, "/a b", &text, &error), results[row]);
        if (row == 0)
            assert_string_equal(text.data, "女\n");
        if (row == 2)
            assert_non_null(strstr(error.text, "cannot be asked: HTTP 500: disk"));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        buf_free(&answer);
        buf_free(&tar);
        buf_free(&text);
    }
    unlink(path);
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
    const char *file;
    size_t size;

    (void)state;
    for (size_t length = 0; length < 1500; length += 100) {
        char *bytes = mem_alloc(length + 1, 1);
        memset(bytes, 'x', length);
        assert_true(tar_add_file(&archive, "lib/x.so", bytes, length));
        tar_end(&archive);
        assert_int_equal(archive.length % 512, 0);
        assert_int_equal(tar_first_file(archive.data, archive.length, &file, &size), TAR_FILE);
        assert_int_equal(size, length);
        assert_memory_equal(file, bytes, length);
        buf_free(&archive);
        free(bytes);
    }
    assert_true(tar_add_file(&archive, "lib/", "", 0));
    assert_int_equal(tar_first_file(archive.data, archive.length, &file, &size), TAR_OTHER);
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

/* A file beyond the limit ends the request, not the memory. */
static void test_limit(void **state)
{
    const struct docker_container container = {.id = (char *)"1241e2", .name = (char *)"w"};
    struct buf answer = {0}, text = {0};
    struct http *http = http_new();
    char path[64], host[80];
    struct error error;
    pid_t child;

    (void)state;
    buf_text(&answer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    add_header(&answer, '0', LIMIT_DOCKER_FILE + (2 << 20));
    buf_reserve(&answer, LIMIT_DOCKER_FILE + (2 << 20));
    memset(answer.data + answer.length, 'x', LIMIT_DOCKER_FILE + (2 << 20));
    answer.length += LIMIT_DOCKER_FILE + (2 << 20);
    snprintf(path, sizeof path, "/tmp/tally-unit-%d.sock", (int)getpid());
    snprintf(host, sizeof host, "unix://%s", path);
    child = play_engine(path, &answer);
    setenv("DOCKER_HOST", host, 1);
    assert_int_equal(docker_read_file(http, &container, "/x", &text, &error), -1);
    assert_non_null(strstr(error.text, "longer than"));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    unlink(path);
    unsetenv("DOCKER_HOST");
    buf_free(&answer);
    http_free(http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_containers),  cmocka_unit_test(test_tar),
        cmocka_unit_test(test_engine),      cmocka_unit_test(test_limit),
        cmocka_unit_test(test_written_tar), cmocka_unit_test(test_output),
        cmocka_unit_test(test_words)};
    return cmocka_run_group_tests_name("docker", tests, NULL, NULL);
}
