#include "tests/unit/unit.h"

#include <time.h>

#include "dashboard/access_log.h"
#include "dashboard/pages.h"

static void test_lines(void **state)
{
    static const struct {
        const char *path;
        int64_t bytes;
        const char *line;
    } rows[] = {
        {"/", 12, "\"GET / HTTP/1.1\" 200 12\n"},
        {"/events", -1, "\"GET /events HTTP/1.1\" 200 -\n"},
        {"/?token=secret", 0, "\"GET /?token=... HTTP/1.1\" 200 0\n"},
        {"/?a=b&token=secret&c=d", 0, "\"GET /?a=b&token=...&c=d HTTP/1.1\" 200 0\n"},
        {"/?token=secret&token=other", 0, "\"GET /?token=...&token=... HTTP/1.1\" 200 0\n"},
        {"/?token=", 0, "\"GET /?token=... HTTP/1.1\" 200 0\n"},
        {"/?tokens=5", 0, "\"GET /?tokens=5 HTTP/1.1\" 200 0\n"},
        {"/?", 0, "\"GET /? HTTP/1.1\" 200 0\n"},
        {"/?&", 0, "\"GET /?& HTTP/1.1\" 200 0\n"},
        {"/\" 200 1\n1.1.1.1 \\\x1b\xe4", 0,
         "\"GET /\\x22\\x20200\\x201\\x0a1.1.1.1\\x20\\x5c\\x1b\\xe4 HTTP/1.1\" 200 0\n"},
    };

    (void)state;
    setenv("TZ", "UTC-2", 1);
    tzset();
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct access_entry entry = {.peer = "127.0.0.1",
                                           .time_ms = 1795245400123,
                                           .method = "GET",
                                           .path = rows[i].path,
                                           .status = 200,
                                           .bytes = rows[i].bytes};
        static const char head[] = "127.0.0.1 - - [21/Nov/2026:09:16:40 +0200] ";
        struct buf line = {0};
        access_log_write(&entry, &line);
        if (strncmp(line.data, head, sizeof head - 1) != 0 ||
            strcmp(line.data + sizeof head - 1, rows[i].line) != 0)
            fail_msg("%s: %s", rows[i].path, line.data);
        buf_free(&line);
    }
}

static void test_chinese(void **state)
{
    static const struct {
        const char *lang, *accepts;
        bool zh;
    } rows[] = {
        {NULL, NULL, false},
        {NULL, "zh-CN,zh;q=0.9,en;q=0.8", true},
        {NULL, "en-US,en;q=0.9,zh;q=0.8", false},
        {NULL, "ZH", true},
        {NULL, "de, fr", false},
        {NULL, "", false},
        {"zh", "en", true},
        {"zh-TW", NULL, true},
        {"en", "zh", false},
        {"", "zh", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(pages_is_chinese(rows[i].lang, rows[i].accepts) == rows[i].zh,
              rows[i].accepts ? rows[i].accepts : "none");
}

/* What goes to the page from outside stands there as text. */
static void test_signed_in(void **state)
{
    struct buf text = {0};

    (void)state;
    pages_write_signed_in("./?a=\"><script>&'", &text);
    assert_null(strstr(text.data, "<script"));
    assert_non_null(strstr(text.data, "./?a=&quot;&gt;&lt;script&gt;&amp;'"));
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines), cmocka_unit_test(test_chinese),
                                       cmocka_unit_test(test_signed_in)};
    return cmocka_run_group_tests_name("access log and small pages", tests, NULL, NULL);
}
