/* Requests for files, and the server's limits. What it says to clients is in
 * tests/test_local_files.py. */
#include "tests/unit/unit.h"

#include "cluster/base/limits.h"
#include "cluster/file_server.h"

static void test_request(void **state)
{
    static const struct {
        const char *bytes;
        enum file_request kind;
        const char *path;
    } rows[] = {
        {"GET /x HTTP/1.1\r\n\r\n", FILE_REQUEST_GET, "/x"},
        {"GET /x HTTP/1.0\r\nHost: y\r\n\r\nmore", FILE_REQUEST_GET, "/x"},
        {"HEAD /x HTTP/1.1\r\n\r\n", FILE_REQUEST_HEAD, "/x"},
        {"GET  HTTP/1.1\r\n\r\n", FILE_REQUEST_GET, ""},
        {"GET /x HTTP/1.1\r\n", FILE_REQUEST_MORE, NULL},
        {"GET /x HTTP/1.1\r\n\r", FILE_REQUEST_MORE, NULL},
        {"", FILE_REQUEST_MORE, NULL},
        {"GET /x HTTP/2\r\n\r\n", FILE_REQUEST_OTHER, NULL},
        {"GET /x y HTTP/1.1\r\n\r\n", FILE_REQUEST_OTHER, NULL},
        {"GET /x\r\n\r\n HTTP/1.1", FILE_REQUEST_OTHER, NULL},
        {"GET\r\n\r\n", FILE_REQUEST_OTHER, NULL},
        {"get /x HTTP/1.1\r\n\r\n", FILE_REQUEST_OTHER, NULL},
        {"PUT /x HTTP/1.1\r\n\r\n", FILE_REQUEST_OTHER, NULL},
        {"\r\n\r\n", FILE_REQUEST_OTHER, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t length = strlen(rows[i].bytes), path_length = 0;
        char *exact = malloc(length + (length == 0));
        const char *path = NULL;
        memcpy(exact, rows[i].bytes, length);
        CHECK(file_request_read(exact, length, &path, &path_length) == rows[i].kind, rows[i].bytes);
        CHECK(!rows[i].path || (strlen(rows[i].path) == path_length &&
                                memcmp(path, rows[i].path, path_length) == 0),
              rows[i].bytes);
        free(exact);
    }
}

static void test_limit(void **state)
{
    struct error error = {.code = EXIT_OK};
    struct file_server *server = file_server_open("127.0.0.1", 0, &error);
    const char *last = "";
    char peer[64];

    (void)state;
    assert_non_null(server);
    for (int i = 0; i < LIMIT_SERVED_FILES; i++) {
        const char *url = file_server_add(server, "/etc/passwd", &error);
        assert_non_null(url);
        assert_string_not_equal(url, last);
        assert_int_equal(file_server_fetches(server, url, peer), 0);
        assert_string_equal(peer, "");
        last = url;
    }
    assert_null(file_server_add(server, "/etc/passwd", &error));
    assert_int_equal(error.code, EXIT_USAGE);
    file_server_close(server);
    server = file_server_open("127.0.0.1", 0, &error);
    assert_null(file_server_add(server, "/nope", &error));
    assert_int_equal(error.code, EXIT_INPUT);
    assert_null(file_server_add(server, "/etc", &error));
    file_server_close(server);
    file_server_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_request),
                                       cmocka_unit_test(test_limit)};
    return cmocka_run_group_tests_name("file_server", tests, NULL, NULL);
}
