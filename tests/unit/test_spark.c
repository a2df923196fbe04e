/* What Spark's masters and workers say, recorded from 4.2.0 and 3.5.1, and what is read from it. */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "cluster/base/buf.h"
#include "cluster/properties.h"
#include "cluster/spark_address.h"
#include "cluster/spark_app_page.h"
#include "cluster/spark_conf.h"
#include "cluster/spark_failure.h"
#include "cluster/spark_log.h"
#include "cluster/spark_message.h"
#include "cluster/spark_state.h"
#include "cluster/spark_streaming.h"
#include "jobs/spec.h"

static void test_addresses(void **state)
{
    static const struct {
        const char *text;
        int64_t rest, ui;
        const char *expected; /* host:port/rest/ui ...; NULL: refused */
    } rows[] = {
        {"spark://h:7077", 0, 0, "h:7077/6066/8080 "},
        {"spark://h", 0, 0, "h:7077/6066/8080 "},
        {"spark://h:6066", 0, 0, "h:7077/6066/8080 "},
        {"spark://h:6066", 16066, 0, "h:7077/16066/8080 "},
        {"spark://h:17077", 16066, 18080, "h:17077/16066/18080 "},
        {"spark://h1:7077,h2:7077", 0, 0, "h1:7077/6066/8080 h2:7077/6066/8080 "},
        {"spark://h1:1,h2,h3:6066", 0, 1, "h1:1/6066/1 h2:7077/6066/1 h3:7077/6066/1 "},
        {"spark://[::1]:7077", 0, 0, "[::1]:7077/6066/8080 "},
        {"spark://[::1]", 0, 0, "[::1]:7077/6066/8080 "},
        {"spark://spark-master_1.x:7077", 0, 0, "spark-master_1.x:7077/6066/8080 "},
        {"", 0, 0, NULL},
        {"h:7077", 0, 0, NULL},
        {"http://h:6066", 0, 0, NULL},
        {"yarn", 0, 0, NULL},
        {"local[*]", 0, 0, NULL},
        {"spark://", 0, 0, NULL},
        {"spark://h:", 0, 0, NULL},
        {"spark://:7077", 0, 0, NULL},
        {"spark://h:0", 0, 0, NULL},
        {"spark://h:65536", 0, 0, NULL},
        {"spark://h:7077/", 0, 0, NULL},
        {"spark://h:7077,", 0, 0, NULL},
        {"spark://h@x:7077", 0, 0, NULL},
        {"spark://h h:7077", 0, 0, NULL},
        {"spark://[::1:7077", 0, 0, NULL},
        {"spark://[h]:7077", 0, 0, NULL},
        {"spark://a,b,c,d,e,f,g,h,i", 0, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct spark_masters masters;
        struct error error = {.code = EXIT_OK};
        struct buf found = {0};
        int result = spark_masters_parse(rows[i].text, rows[i].rest, rows[i].ui, &masters, &error);
        CHECK((result == 0) == (rows[i].expected != NULL), rows[i].text);
        CHECK(result == 0 || error.code == EXIT_USAGE, rows[i].text);
        for (int k = 0; result == 0 && k < masters.count; k++)
            buf_format(&found, "%s:%d/%d/%d ", masters.list[k].host, masters.list[k].port,
                       masters.list[k].rest_port, masters.list[k].ui_port);
        if (result == 0)
            assert_string_equal(found.data, rows[i].expected);
        buf_free(&found);
    }
}

static void test_masters_url(void **state)
{
    struct spark_masters masters;
    struct error error;
    char *url;

    (void)state;
    assert_int_equal(spark_masters_parse("spark://a:6066,b", 0, 0, &masters, &error), 0);
    url = spark_masters_url(&masters);
    assert_string_equal(url, "spark://a:7077,b:7077");
    free(url);
}

#define ERROR_TRACE                                                                                \
    "Exception from the cluster:\\njava.nio.file.NoSuchFileException: "                            \
    "/nope.jar\\n\\tjava.base/sun.nio.fs.UnixException.translateToIOException(UnixException.java:" \
    "92)\\n"

static const struct {
    const char *bytes;
    int result;
    bool success, is_error, standby;
    enum spark_driver_state driver;
    const char *id, *worker_id, *reason;
} answers[] = {
    {"{\"action\":\"CreateSubmissionResponse\",\"message\":\"Driver successfully submitted as "
     "driver-20261121121235-0000\",\"serverSparkVersion\":\"4.2.0\",\"submissionId\":\"driver-"
     "20261121121235-0000\",\"success\":true}",
     0, true, false, false, SPARK_NO_STATE, "driver-20261121121235-0000", "",
     "Driver successfully submitted as driver-20261121121235-0000"},
    {"{\"action\":\"SubmissionStatusResponse\",\"driverState\":\"RUNNING\","
     "\"serverSparkVersion\":\"4.2.0\",\"submissionId\":\"d\",\"success\":true,"
     "\"workerHostPort\":\"127.0.0.1:34941\",\"workerId\":\"worker-1\"}",
     0, true, false, false, SPARK_RUNNING, "d", "worker-1", ""},
    {"{\"action\":\"SubmissionStatusResponse\",\"serverSparkVersion\":\"3.5.1\","
     "\"submissionId\":\"driver-none\",\"success\":false}",
     0, false, false, false, SPARK_NO_STATE, "driver-none", "", ""},
    {"{\"action\":\"SubmissionStatusResponse\",\"driverState\":\"ERROR\",\"message\":"
     "\"" ERROR_TRACE "\",\"submissionId\":\"d\",\"success\":true}",
     0, true, false, false, SPARK_ERROR, "d", "",
     "the jar is not on the worker: no file /nope.jar there"},
    {"{\"action\":\"KillSubmissionResponse\",\"message\":\"Driver d has already finished or "
     "does not exist\",\"submissionId\":\"d\",\"success\":false}",
     0, false, false, false, SPARK_NO_STATE, "d", "",
     "Driver d has already finished or does not exist"},
    {"{\"action\":\"CreateSubmissionResponse\",\"message\":\"Current state is not alive: "
     "STANDBY. Can only accept driver submissions in ALIVE state.\",\"success\":false}",
     0, false, false, true, SPARK_NO_STATE, "", "",
     "Current state is not alive: STANDBY. Can only accept driver submissions in ALIVE state."},
    {"{\"action\":\"SubmissionStatusResponse\",\"message\":\"Exception from the "
     "cluster:\\njava.lang.Exception: Current state is not alive: RECOVERING. Can only request "
     "driver status in ALIVE state.\\n\\tx\",\"success\":false}",
     0, false, false, true, SPARK_NO_STATE, "", "",
     "Current state is not alive: RECOVERING. Can only request driver status in ALIVE state."},
    {"{\"action\":\"ErrorResponse\",\"highestProtocolVersion\":\"v1\",\"message\":\"Unknown "
     "protocol version 'v2'.\",\"serverSparkVersion\":\"4.2.0\"}",
     0, false, true, false, SPARK_NO_STATE, "", "", "Unknown protocol version 'v2'."},
    {"{\"action\":\"ErrorResponse\",\"message\":\"Malformed request: "
     "org.apache.spark.deploy.rest.SubmitRestProtocolException: Validation of message "
     "CreateSubmissionRequest failed!\\n\\torg.x(Y.scala:70)\"}",
     0, false, true, false, SPARK_NO_STATE, "", "",
     "Validation of message CreateSubmissionRequest failed!"},
    {"{\"action\":\"X\",\"driverState\":\"PAUSED\"}", 0, false, false, false, SPARK_UNKNOWN, "", "",
     ""},
    {"{\"action\":\"X\",\"message\":7,\"success\":\"true\",\"submissionId\":null}", 0, false, false,
     false, SPARK_NO_STATE, "", "", ""},
    {"{\"message\":\"x\"}", -1, false, false, false, SPARK_NO_STATE, "", "", ""},
    {"{\"action\":1}", -1, false, false, false, SPARK_NO_STATE, "", "", ""},
    {"[]", -1, false, false, false, SPARK_NO_STATE, "", "", ""},
    {"<html>", -1, false, false, false, SPARK_NO_STATE, "", "", ""},
    {"", -1, false, false, false, SPARK_NO_STATE, "", "", ""},
    {"{\"action\":\"X\"} {}", -1, false, false, false, SPARK_NO_STATE, "", "", ""},
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct spark_answer answer = {0};
        int result = spark_answer_read(answers[i].bytes, strlen(answers[i].bytes), &answer);
        char *reason;
        CHECK(result == answers[i].result, answers[i].bytes);
        if (result < 0)
            continue;
        reason = spark_reason(answer.message);
        CHECK(answer.success == answers[i].success, answers[i].bytes);
        CHECK(answer.is_error == answers[i].is_error, answers[i].bytes);
        CHECK(spark_answer_is_standby(&answer) == answers[i].standby, answers[i].bytes);
        CHECK(answer.state == answers[i].driver, answers[i].bytes);
        assert_string_equal(answer.id, answers[i].id);
        assert_string_equal(answer.worker_id, answers[i].worker_id);
        assert_string_equal(reason, answers[i].reason);
        free(reason);
        spark_answer_free(&answer);
    }
}

static void test_titles(void **state)
{
    static const char *const rows[][2] = {
        {"<html>\n<title>Error 500 java.lang.X: Y</title>\n", "Error 500 java.lang.X: Y"},
        {"<title>Spark Master at spark://h:7077</title>", "Spark Master at spark://h:7077"},
        {"<title>never ends", "<title>never ends"},
        {"plain\nmore", "plain"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *title = spark_page_title(rows[i][0], strlen(rows[i][0]));
        assert_string_equal(title, rows[i][1]);
        free(title);
    }
    assert_string_equal(spark_state_name(SPARK_NO_STATE), "NOT_FOUND");
}

static void test_create_message(void **state)
{
    static const char *const arguments[] = {"a b", "\xe5\xa5\xb3\"", "bad\xff", NULL};
    static const struct spark_property properties[] = {{"spark.app.name", "tally-\xe7\x94\xb7"},
                                                       {"spark.cores.max", "2"}};
    const struct spark_submission submission = {.resource = "/x.jar",
                                                .main_class = "a.B",
                                                .arguments = arguments,
                                                .properties = properties,
                                                .property_count = 2};
    char *text = spark_create_message(&submission, false);

    (void)state;
    assert_string_equal(
        text, "{\"action\":\"CreateSubmissionRequest\",\"clientSparkVersion\":\"3.5.1\","
              "\"appResource\":\"/x.jar\",\"mainClass\":\"a.B\",\"appArgs\":[\"a b\","
              "\"\\u5973\\\"\",\"bad\\uFFFD\"],\"environmentVariables\":{\"SPARK_ENV_LOADED\":"
              "\"1\"},\"sparkProperties\":{\"spark.app.name\":\"tally-\\u7537\","
              "\"spark.cores.max\":\"2\"}}");
    free(text);
}

/* From a 4.2.0 master's page; the second worker as 3.5.1 writes it. */
static const char page[] =
    "{\"url\":\"spark://127.0.0.1:17077\",\"workers\":[{\"id\":\"w1\",\"host\":\"127.0.0.1\","
    "\"port\":34941,\"webuiaddress\":\"http://127.0.0.1:18081\",\"cores\":4,\"coresused\":1,"
    "\"coresfree\":3,\"memory\":3072,\"memoryused\":512,\"memoryfree\":2560,\"resources\":{},"
    "\"state\":\"ALIVE\",\"lastheartbeat\":1795263162163},{\"id\":\"w2\",\"host\":\"x\",\"cores\":"
    "8,\"coresfree\":8,\"memory\":9999,\"memoryfree\":9999,\"state\":\"DEAD\"}],\"aliveworkers\":1,"
    "\"cores\":4,\"coresused\":1,\"memory\":3072,\"memoryused\":512,\"activeapps\":[{\"id\":\"app-"
    "1\",\"starttime\":1795263428000,\"name\":\"try\",\"cores\":3,\"user\":\"root\","
    "\"memoryperexecutor\":1024,\"submitdate\":\"x\",\"state\":\"RUNNING\",\"duration\":12}],"
    "\"completedapps\":[{\"id\":\"app-0\",\"starttime\":1795263420000,\"name\":\"try\",\"state\":"
    "\"FINISHED\",\"memoryperslave\":512}],\"activedrivers\":[{\"id\":\"d2\",\"starttime\":"
    "\"1795263155792\",\"state\":\"RUNNING\",\"cores\":1,\"memory\":512,\"submitdate\":\"Sat\","
    "\"worker\":\"w1\",\"mainclass\":\"Try\"}],\"completeddrivers\":[{\"id\":\"d0\",\"starttime\":"
    "\"1795263157911\",\"state\":\"ERROR\",\"worker\":\"None\"},{\"id\":\"d1\",\"starttime\":"
    "\"1795263157968\","
    "\"state\":\"FAILED\"}],\"status\":\"ALIVE\"}";

static void test_page(void **state)
{
    struct spark_state *found = spark_state_read(page, sizeof page - 1);

    (void)state;
    assert_non_null(found);
    assert_string_equal(found->status, "ALIVE");
    assert_string_equal(found->url, "spark://127.0.0.1:17077");
    assert_int_equal(found->worker_count, 2);
    assert_string_equal(spark_find_worker(found, "w1")->web, "http://127.0.0.1:18081");
    assert_null(spark_find_worker(found, "w3"));
    assert_int_equal(found->driver_count, 3);
    assert_string_equal(found->drivers[0].id, "d2");
    assert_string_equal(found->drivers[1].id, "d1"); /* newest first */
    assert_string_equal(found->drivers[2].id, "d0");
    assert_string_equal(found->drivers[0].worker, "w1");
    assert_string_equal(found->drivers[2].worker, ""); /* it never had one */
    assert_true(spark_find_driver(found, "d2")->started == 1795263155792);
    assert_string_equal(spark_find_app(found, "try", 0)->id, "app-1");
    assert_null(spark_find_app(found, "try", 1795263428001));
    assert_int_equal(found->apps[1].memory, 512);
    assert_true(spark_has_room(found, 3, 2560));
    assert_false(spark_has_room(found, 4, 1)); /* a dead worker has no room */
    assert_false(spark_has_room(found, 1, 2561));
    spark_state_free(found);
    assert_null(spark_state_read("{\"status\":\"ALIVE\"}", 18));
    assert_null(spark_state_read("[]", 2));
    assert_null(spark_state_read(NULL, 0));
}

static void test_log(void **state)
{
    static const struct {
        const char *bytes;
        enum spark_log_result result;
        int64_t start, next;
        const char *text;
    } rows[] = {
        {"==== Bytes 0-5 of 100 of /w/d/stderr ====\nhello", SPARK_LOG_PIECE, 0, 5, "hello"},
        {"==== Bytes 40-40 of 40 of /w/d/stdout ====\n", SPARK_LOG_PIECE, 40, 40, ""},
        {"==== Bytes 0-0 of 0 of /w/d/stdout ====\n", SPARK_LOG_PIECE, 0, 0, ""},
        {"==== Bytes 0-0 of 0 of /w/nope/stdout ====\nError: invalid log directory /w/nope/",
         SPARK_LOG_MISSING, 0, 0, ""},
        /* a character of three bytes, cut after one, after two; whole; none */
        {"==== Bytes 0-4 of 100 of f ====\nabc\xef\xbf\xbd", SPARK_LOG_PIECE, 0, 3, "abc"},
        {"==== Bytes 0-5 of 100 of f ====\nabc\xef\xbf\xbd", SPARK_LOG_PIECE, 0, 3, "abc"},
        {"==== Bytes 0-6 of 100 of f ====\nabc\xe5\xa5\xb3", SPARK_LOG_PIECE, 0, 6,
         "abc\xe5\xa5\xb3"},
        /* that byte is in the file: it must not be asked for again and again */
        {"==== Bytes 3-4 of 4 of f ====\n\xef\xbf\xbd", SPARK_LOG_PIECE, 3, 4, "\xef\xbf\xbd"},
        /* others before it: nobody knows how many were cut */
        {"==== Bytes 0-6 of 9 of f ====\n\xef\xbf\xbd\xef\xbf\xbd"
         "abc\xef\xbf\xbd",
         SPARK_LOG_PIECE, 0, 6,
         "\xef\xbf\xbd\xef\xbf\xbd"
         "abc\xef\xbf\xbd"},
        {"==== Bytes 9-9 of 100 of f ====\nabc", SPARK_LOG_NONE, 0, 0, ""},
        {"==== Bytes 5-3 of 100 of f ====\n", SPARK_LOG_NONE, 0, 0, ""},
        {"==== Bytes 0-300 of 100 of f ====\n", SPARK_LOG_NONE, 0, 0, ""},
        {"==== Bytes 0-99999999999999999999 of 1 of f ====\n", SPARK_LOG_NONE, 0, 0, ""},
        {"==== Bytes 0-5 of 100 of f ====", SPARK_LOG_NONE, 0, 0, ""},
        {"==== Bytes 0-5", SPARK_LOG_NONE, 0, 0, ""},
        {"<html>", SPARK_LOG_NONE, 0, 0, ""},
        {"Error: Log directory", SPARK_LOG_NONE, 0, 0, ""},
        {"", SPARK_LOG_NONE, 0, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct spark_log log = {0};
        enum spark_log_result result = spark_log_read(rows[i].bytes, strlen(rows[i].bytes), &log);
        CHECK(result == rows[i].result, rows[i].bytes);
        if (result != SPARK_LOG_PIECE)
            continue;
        CHECK(log.start == rows[i].start && log.next == rows[i].next, rows[i].bytes);
        CHECK(log.length == strlen(rows[i].text) && memcmp(log.text, rows[i].text, log.length) == 0,
              rows[i].bytes);
    }
}

/* A row of 4.2.0's page and one of a finished application's, 3.5.1. */
#define ROW(id, state)                                                                             \
    "<tr>\n<td>" id "</td>\n<td>\n<a href=\"http://127.0.0.1:22081\">worker-1</a>\n</td>\n"        \
    "<td>1</td>\n<td>512</td>\n<td>0</td>\n<td>\n</td>\n<td>" state "</td>\n<td>\n<a "             \
    "href=\"http://127.0.0.1:22081/logPage/?appId=app-1&amp;executorId=" id                        \
    "&amp;logType=stdout\">stdout</a>\n</td>\n</tr>"
#define APP_TITLE "<html><title>Application: words</title>"

static void test_app_page(void **state)
{
    static const struct {
        const char *bytes, *ui, *ids;
        size_t running;
    } rows[] = {
        {APP_TITLE "<a href=\"/\">x</a><strong>\n<a href=\"http://127.0.0.1:22400\">Application "
                   "Detail UI</a></strong><table><tr><th>ExecutorID</th></tr>" ROW("10", "RUNNING")
                       ROW("2", "LAUNCHING") ROW("9", "EXITED") "</table>",
         "http://127.0.0.1:22400", "2 9 10 ", 1},
        {APP_TITLE "<a href=\"/proxy/app-1\">Application Detail UI</a>", "", "", 0},
        {APP_TITLE ROW("0", "KILLED"), "", "0 ", 0},
        {APP_TITLE ROW("x", "RUNNING") ROW("1", "ODD") "<tr><td>1</td></tr><tr>", "", "", 0},
        {"<title>Not Found</title>" ROW("0", "RUNNING"), NULL, NULL, 0},
        {"", NULL, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct spark_app_page *found = spark_app_page_read(rows[i].bytes, strlen(rows[i].bytes));
        struct buf ids = {0};
        CHECK(!found == !rows[i].ui, rows[i].bytes);
        if (!found)
            continue;
        for (size_t n = 0; n < found->count; n++) {
            buf_format(&ids, "%s ", found->executors[n].id);
            assert_string_equal(found->executors[n].worker_id, "worker-1");
        }
        assert_string_equal(found->ui, rows[i].ui);
        assert_string_equal(ids.data ? ids.data : "", rows[i].ids);
        assert_int_equal(found->running, rows[i].running);
        buf_free(&ids);
        spark_app_page_free(found);
    }
}

#define GAUGE(query, name, value)                                                                  \
    "\"app-1.driver.spark.streaming." query "." name "\":{\"value\":" value "}"

static void test_streaming(void **state)
{
    static const struct {
        const char *bytes;
        bool found;
        struct spark_streaming streaming;
    } rows[] = {
        {"{\"gauges\":{" GAUGE("a.b", "inputRate-total", "10.5") "," GAUGE(
             "a.b", "processingRate-total",
             "7") "," GAUGE("a.b", "latency",
                            "875") "," GAUGE("a.b", "eventTime-watermark",
                                             "1795274297273") "," GAUGE("a.b", "states-rowsTotal",
                                                                        "27") "}}",
         true,
         {1, 10.5, 7, 875, 1795274297273, 27}},
        {"{\"gauges\":{" GAUGE("a", "inputRate-total", "1") "," GAUGE(
             "b", "inputRate-total",
             "2") "," GAUGE("a", "latency",
                            "9") "," GAUGE("b", "latency",
                                           "5") "," GAUGE("a", "eventTime-watermark",
                                                          "0") "," GAUGE("b", "eventTime-watermark",
                                                                         "7") "}}",
         true,
         {2, 3, 0, 9, 7, 0}},
        {"{\"gauges\":{" GAUGE("a", "inputRate-total", "\"NaN\"") "," GAUGE(
             "a", "states-rowsTotal", "1e300") "," GAUGE("a", "latency", "-1") "}}",
         true,
         {1, 0, 0, 0, 0, 0}},
        {"{\"gauges\":{\"app-1.driver.jvm\":{\"value\":1}}}", true, {0}},
        {"{\"gauges\":{\"app-10.driver.jvm\":{\"value\":1}}}", false, {0}},
        {"{\"gauges\":[]}", false, {0}},
        {"[]", false, {0}},
        {"<html>", false, {0}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct spark_streaming *wanted = &rows[i].streaming;
        struct spark_streaming got;
        bool found = spark_streaming_read(rows[i].bytes, strlen(rows[i].bytes), "app-1", &got);
        CHECK(found == rows[i].found, rows[i].bytes);
        CHECK(got.queries == wanted->queries && got.batch_ms == wanted->batch_ms, rows[i].bytes);
        CHECK(got.watermark == wanted->watermark && got.state_rows == wanted->state_rows,
              rows[i].bytes);
        CHECK((int)(got.input_rate * 10) == (int)(wanted->input_rate * 10), rows[i].bytes);
        CHECK((int)(got.processing_rate * 10) == (int)(wanted->processing_rate * 10),
              rows[i].bytes);
    }
}

#define WRAPPED                                                                                    \
    "Exception in thread \"main\" java.lang.reflect.InvocationTargetException\n\tat a.B(C.java)\n"
#define PYTHON                                                                                     \
    "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    f(x)\n    ^^\n"
#define RAISED_ON                                                                                  \
    "\nThe above exception was the direct cause of the following exception:\n\n" PYTHON
#define LAUNCHED                                                                                   \
    "Launch Command: \"java\" \"-Dspark.app.name=a name\" "                                        \
    "\"org.apache.spark.deploy.worker.DriverWrapper\" \"spark://Worker@h:1\" \"/x.jar\" "          \
    "\"my.Main\" \"one two\"\n====\n\n"

/* The lines of logs of 4.2.0 and 3.5.1, shortened. */
static const struct {
    const char *lines, *version, *reason; /* how it begins; NULL: there is none */
} failures[] = {
    {"", "", NULL},
    {"\tat x\n\n====\n", "", NULL},
    {"one\ntwo\n\tat x\n", "", "the last line of its log: two"},
    {"x\ntally-job: error: no topic\ntally-job: error: more\n", "", "no topic"},
    {WRAPPED "Caused by: a.X: outer\n\tat y\nCaused by: b.Y: inner\n\t... 6 more\nINFO end\n", "",
     "b.Y: inner (thrown on as a.X: outer)"},
    {"Exception in thread \"main\" a.X: first\nCaused by: b.Y: of it\nException in thread \"t 2\" "
     "c.Z: "
     "last\n",
     "", "c.Z: last"},
    {"Caused by: a.X: no head\n", "", "a.X: no head"},
    {"one\n" PYTHON "ValueError: why\nand more\n", "", "ValueError: why"},
    {PYTHON "KeyError: 'a'\n\nDuring handling of the above exception, another exception "
            "occurred:\n\n" PYTHON "ValueError: why\n",
     "", "ValueError: why"},
    {PYTHON
     "py4j.protocol.Py4JJavaError: An error occurred while calling o1.x.\n: a.X: java\n\tat b\n",
     "",
     "a.X: java (thrown on as py4j.protocol.Py4JJavaError: An error occurred while calling o1.x.)"},
    {WRAPPED "Caused by: a.X: outer\n\tat y\nCaused by: o.PythonException: " PYTHON
             "ValueError: why\n\n\tat z\n",
     "", "ValueError: why (thrown on as a.X: outer)"},
    {"WARN Lost task: o.PythonException: " PYTHON "ValueError: why\n\n\tat z\nINFO end\n", "",
     "the last line of its log: INFO end"},
    {PYTHON "KeyboardInterrupt\n", "", "KeyboardInterrupt"},
    {PYTHON "a.AnalysisException: [X] no.\n" RAISED_ON "RuntimeError: wrapped\n", "4.2.0",
     "a.AnalysisException: [X] no. (thrown on as RuntimeError: wrapped)"},
    {PYTHON "A: root\n" RAISED_ON "B: middle\n" RAISED_ON "C: outer\n", "",
     "A: root (thrown on as C: outer)"},
    {PYTHON "a.PythonException: An exception was thrown from the Python worker:\n" PYTHON
            "KeyError: 'in the task'\n",
     "4.2.0", "KeyError: 'in the task'"},
    {PYTHON, "", NULL},
    {PYTHON LAUNCHED "INFO on\n", "", "the last line of its log: INFO on"},
    {"Exception in thread", "", "the last line of its log: Exception in thread"},
    {LAUNCHED "Exception in thread \"main\" java.lang.ClassNotFoundException: my.Main\n", "4.2.0",
     "the jar has no main class my.Main: see --class: java.lang.Class"},
    {LAUNCHED "Exception in thread \"main\" java.lang.ClassNotFoundException: other.X\n", "4.2.0",
     "java.lang.ClassNotFoundException: other.X"},
    {WRAPPED
     "Caused by: java.lang.NoClassDefFoundError: scala/collection/mutable/ArrayOps$ofInt\n"
     "Caused by: java.lang.ClassNotFoundException: scala.collection.mutable.ArrayOps$ofInt\n",
     "4.2.0", "the jar is built for Scala 2.12, this Spark (4.2.0) has 2.13: take one"},
    {WRAPPED "Caused by: java.lang.ClassNotFoundException: scala.collection.ArrayOps$\n", "3.5.1",
     "the jar is built for Scala 2.13, this Spark (3.5.1) has 2.12: take one"},
    {WRAPPED "Caused by: java.lang.NoSuchMethodError: scala.runtime.ScalaRunTime$.genericWrapArray("
             "Ljava/lang/Object;)Lscala/collection/immutable/ArraySeq;\n",
     "3.5.1", "the jar is built for Scala 2.13, this Spark (3.5.1) has 2.12"},
    {WRAPPED "Caused by: java.lang.NoSuchMethodError: 'scala.collection.mutable.ArrayOps "
             "scala.Predef$.refArrayOps(java.lang.Object[])'\n",
     "3.5.1", "the jar is built for another Scala, this Spark (3.5.1) has its own"},
    {WRAPPED "Caused by: java.lang.ClassNotFoundException: scala.Product$class\n", "",
     "the jar is built for Scala 2.11 or older, this Spark has its own"},
    {WRAPPED
     "Caused by: org.apache.spark.sql.AnalysisException: Failed to find data source: kafka. "
     "Please deploy\n",
     "4.2.0",
     "Spark's Kafka connector is not there: add org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0"},
    {"Exception in thread \"main\" java.lang.UnsupportedClassVersionError: a/B has been compiled "
     "by a "
     "more recent version of the Java Runtime (class file version 65.0), this version of the Java "
     "Runtime only recognizes class file versions up to 61.0\n",
     "4.2.0", "the jar is compiled for Java 21, the worker has Java 17: java.lang."},
    {"Exception in thread \"main\" java.lang.UnsupportedClassVersionError: odd\n", "",
     "java.lang.UnsupportedClassVersionError: odd"},
};

static void take_lines(struct spark_failure *failure, const char *lines)
{
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        char *line = mem_bytes(lines, length);
        spark_failure_take(failure, line);
        free(line);
        lines += length + (lines[length] == '\n');
    }
}

static void test_failures(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(failures); i++) {
        struct spark_failure *failure = spark_failure_new();
        char *reason;
        take_lines(failure, failures[i].lines);
        reason = spark_failure_reason(failure, failures[i].version);
        CHECK(!reason == !failures[i].reason, failures[i].lines);
        if (reason)
            CHECK(strncmp(reason, failures[i].reason, strlen(failures[i].reason)) == 0, reason);
        free(reason);
        spark_failure_free(failure);
    }
}

static void test_launches(void **state)
{
    struct spark_failure *failure = spark_failure_new();

    (void)state;
    take_lines(failure, LAUNCHED);
    assert_string_equal(spark_failure_app_name(failure), "a name");
    assert_null(spark_failure_app_id(failure));
    assert_int_equal(spark_failure_restarts(failure), 0);
    take_lines(failure,
               "x StandaloneSchedulerBackend: Connected to Spark cluster with app ID app-7\n"
               "Launch Command: \"-Dspark.app.name=other");
    assert_string_equal(spark_failure_app_id(failure), "app-7");
    assert_string_equal(spark_failure_app_name(failure), "other");
    assert_int_equal(spark_failure_restarts(failure), 1);
    spark_failure_free(failure);
}

static void test_conf(void **state)
{
    static const char text[] = "# comment\n! another\n\n  spark.master   spark://h:7077 \r\n"
                               "a.b=c = d\nx: y\nlonely\na.b\tlast\n=none\n";
    struct spark_conf *conf = spark_conf_new();
    struct error error;
    size_t count;

    (void)state;
    assert_int_equal(spark_conf_parse(conf, text, sizeof text - 1, &error), 0);
    assert_string_equal(spark_conf_get(conf, "spark.master"), "spark://h:7077");
    assert_string_equal(spark_conf_get(conf, "a.b"), "last");
    assert_string_equal(spark_conf_get(conf, "x"), "y");
    assert_string_equal(spark_conf_get(conf, "lonely"), "");
    spark_conf_list(conf, &count);
    assert_int_equal(count, 4);
    spark_conf_remove(conf, "x");
    assert_null(spark_conf_get(conf, "x"));
    assert_string_equal(spark_conf_list(conf, &count)[2].name, "lonely");
    assert_int_equal(spark_conf_set_pair(conf, "k=v=w", &error), 0);
    assert_string_equal(spark_conf_get(conf, "k"), "v=w");
    assert_int_equal(spark_conf_set_pair(conf, "k", &error), -1);
    assert_int_equal(spark_conf_set_pair(conf, "=v", &error), -1);
    assert_int_equal(spark_conf_set_pair(conf, "a b=v", &error), -1);
    assert_int_equal(error.code, EXIT_USAGE);
    spark_conf_free(conf);
}

static bool is_cut_off(char c)
{
    return (unsigned char)c <= ' ' && c != '\r' && c != '\n';
}

/* "[name|value]", less the blanks around the value, as Spark cuts them off. */
static void add_pair(void *context, const struct buf *name, const struct buf *value)
{
    size_t begin = 0, end = value->length;
    struct buf *text = context;

    while (begin < end && is_cut_off(value->data[begin]))
        begin++;
    while (end > begin && is_cut_off(value->data[end - 1]))
        end--;
    buf_char(text, '[');
    buf_add(text, name->data, name->length);
    buf_char(text, '|');
    buf_add(text, value->data + begin, end - begin);
    buf_char(text, ']');
}

/* What was expected is what Utils.getPropertiesFromFile of 4.2.0 and of 3.5.1
 * gave on Java 17; NULL: it threw. */
static const struct {
    const char *text;
    size_t length;
    const char *expected;
} property_files[] = {
    {"a b", 3, "[a|b]"},
    {"a=b", 3, "[a|b]"},
    {"a:b", 3, "[a|b]"},
    {"a = b", 5, "[a|b]"},
    {"a : b", 5, "[a|b]"},
    {"a  :  = b", 9, "[a|= b]"},
    {"a==b", 4, "[a|=b]"},
    {"a\tb", 3, "[a|b]"},
    {"a\fb", 3, "[a|b]"},
    {"  a b  ", 7, "[a|b]"},
    {"a b \t\f", 6, "[a|b]"},
    {"# a b\nc d", 9, "[c|d]"},
    {"! a b\nc d", 9, "[c|d]"},
    {" \t # a b\nc d", 12, "[c|d]"},
    {"a # b", 5, "[a|# b]"},
    {"a", 1, "[a|]"},
    {"a=", 2, "[a|]"},
    {"=b", 2, "[|b]"},
    {":b", 2, "[|b]"},
    {"a b\\\n   c", 9, "[a|bc]"},
    {"a b\\\r\n   c", 10, "[a|bc]"},
    {"a b\\\rc", 6, "[a|bc]"},
    {"a b\\\\\nc d", 9, "[a|b\\][c|d]"},
    {"a b\\\\\\\nc d", 10, "[a|b\\c d]"},
    {"# x\\\na b", 8, "[a|b]"},
    {"a\\\n b c", 7, "[ab|c]"},
    {"a\\\n=b", 5, "[a|b]"},
    {"a=b\\", 4, "[a|b]"},
    {"a\\", 2, "[a|]"},
    {"a=b\\\n", 5, "[a|b]"},
    {"a=b\\\n\nc=d", 9, "[a|b][c|d]"},
    {"a=b\\\n#c=d", 9, "[a|b#c=d]"},
    {"a=b\\\n   \nc=d", 12, "[a|b][c|d]"},
    {"a\\ b=c", 6, "[a b|c]"},
    {"a\\=b=c", 6, "[a=b|c]"},
    {"a\\:b c", 6, "[a:b|c]"},
    {"a=\\ b", 5, "[a|b]"},
    {"a= \\  b\\ ", 9, "[a|b]"},
    {"a=x\\ty", 6, "[a|x\ty]"},
    {"a=x\\ny", 6, "[a|x\ny]"},
    {"a=x\\ny\\n", 8, "[a|x\ny\n]"},
    {"a=\\n x \\n", 9, "[a|\n x \n]"},
    {"a=x\\ry\\fz", 9, "[a|x\ry\fz]"},
    {"a=\\q\\z\\\"", 8, "[a|qz\"]"},
    {"a=\\u5973", 8, "[a|\xe5\xa5\xb3]"},
    {"a=\\u5973\\u751f x", 16, "[a|\xe5\xa5\xb3\xe7\x94\x9f x]"},
    {"\\u0061=b", 8, "[a|b]"},
    {"a=\\ud83d\\ude00", 14, "[a|\xf0\x9f\x98\x80]"},
    {"a=\\ud83d x", 10, "[a|\xef\xbf\xbd x]"},
    {"a=\\ude00", 8, "[a|\xef\xbf\xbd]"},
    {"a=\\u12", 6, NULL},
    {"a=\\u12g4", 8, NULL},
    {"a=\\U0041", 8, "[a|U0041]"},
    {"a=\\u0041\\u00", 12, NULL},
    {"a=\\u0000b", 9, "[a|b]"},
    {"a=\xe5\xa5\xb3\xe7\x94\x9f", 8, "[a|\xe5\xa5\xb3\xe7\x94\x9f]"},
    {"a b\rc d", 7, "[a|b][c|d]"},
    {"a b\r\nc d\n\r\n\n", 12, "[a|b][c|d]"},
    {"\xef\xbb\xbf"
     "a b",
     6,
     "[\xef\xbb\xbf"
     "a|b]"},
    {"a=\x01"
     "b\x02",
     5, "[a|b]"},
    {"a=\x0b"
     "b\x0b",
     5, "[a|b]"},
    {"a=b\x00", 4, "[a|b]"},
    {"a=\x00"
     "b",
     4, "[a|b]"},
    {"a\\\tb c", 6, "[a\tb|c]"},
    {"", 0, ""},
    {"\\", 1, "[|]"},
    {"\\\n", 2, "[|]"},
    {"\\\na b", 5, "[a|b]"},
    {"a=b c=d", 7, "[a|b c=d]"},
    {"a b=c", 5, "[a|b=c]"},
    {"a:=b", 4, "[a|=b]"},
    {"a=:b", 4, "[a|:b]"},
    {"a b\\\n\\\nc", 8, "[a|bc]"},
    {"a b \\\n  c", 9, "[a|b c]"},
    {"a=\xc2\xa0"
     "b\xc2\xa0",
     7,
     "[a|\xc2\xa0"
     "b\xc2\xa0]"},
    {"a\xc2\xa0"
     "b",
     4,
     "[a\xc2\xa0"
     "b|]"},
    {"\\#a=b", 5, "[#a|b]"},
    {"\\!a b", 5, "[!a|b]"},
    {"a b\\\n! c", 8, "[a|b! c]"},
    {"\x0b a b", 5, "[\x0b|a b]"},
    {"a\x0b"
     "b c",
     5,
     "[a\x0b"
     "b|c]"},
    {"a=\\u000a", 8, "[a|\n]"},
    {"a=x\\u000d\\u0020", 15, "[a|x\r]"},
    {"a\\\r\n\tb=c", 8, "[ab|c]"},
    {"a\n=b", 4, "[a|][|b]"},
    {"a\\n=b", 5, "[a\n|b]"},
    {" a=\xe2\x80\xa8"
     "b\nc=\xc2\x85"
     "d",
     13,
     "[a|\xe2\x80\xa8"
     "b][c|\xc2\x85"
     "d]"},
    {"a=b\x1c\nc=d", 8, "[a|b][c|d]"},
};

static void test_properties(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(property_files); i++) {
        struct buf found = {0};
        struct error error = {.code = EXIT_OK};
        int result = properties_read(property_files[i].text, property_files[i].length, add_pair,
                                     &found, &error);
        buf_text(&found, "");
        CHECK((result == 0) == (property_files[i].expected != NULL), property_files[i].text);
        CHECK(result == 0 || error.code == EXIT_INPUT, property_files[i].text);
        if (result == 0 && property_files[i].expected)
            CHECK(strcmp(found.data, property_files[i].expected) == 0, property_files[i].text);
        buf_free(&found);
    }
}

/* Expected: Utils.memoryStringToMb of 4.2.0 (3.5.1 the same, but for "gib" and
 * its like); 0: it throws, or what it gives is no memory. */
static const struct {
    const char *text;
    int64_t expected;
} memory_sizes[] = {
    {"512m", 512},
    {"2g", 2048},
    {"1G", 1024},
    {"1024", 0},
    {"512", 0},
    {"1048576", 1},
    {"1048575", 0},
    {"0", 0},
    {"0m", 0},
    {"-1g", 0},
    {"1.5g", 0},
    {"1t", 1048576},
    {"1tb", 1048576},
    {"2pb", 0},
    {"1p", 1073741824},
    {"5 g", 0},
    {" 5g ", 5120},
    {"5g\t", 5120},
    {"5gb", 5120},
    {"5GB", 5120},
    {"5mb", 5},
    {"7k", 0},
    {"1023k", 0},
    {"1024k", 1},
    {"1025kb", 1},
    {"3b", 0},
    {"", 0},
    {"g", 0},
    {"m", 0},
    {"1e3m", 0},
    {"9223372036854775807", 0},
    {"9999999999999999999", 0},
    {"9000000000g", 0},
    {"8796093022207m", 0},
    {"8796093022208m", 0},
    {"2147483647m", 2147483647},
    {"2147483648m", 0},
    {"1gib", 1024},
    {"1kib", 0},
    {"+1g", 0},
    {"0x1g", 0},
    {"\xef\xbc\x91g", 0},
    {"512 m", 0},
    {"007m", 7},
    {"1M1", 0},
};

static void test_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(memory_sizes); i++) {
        int64_t mib = 0;
        bool good = spark_memory(memory_sizes[i].text, &mib);
        CHECK(good == (memory_sizes[i].expected > 0), memory_sizes[i].text);
        CHECK(!good || mib == memory_sizes[i].expected, memory_sizes[i].text);
    }
}

static void test_spec_json(void **state)
{
    static const struct {
        const char *spec, *json; /* NULL: refused */
    } rows[] = {
        {"name: gender\nsource: {topic: sex, column: 9}\nwindow: {size: 1s, slide: 500ms, "
         "lateness: 2s}\nlabels: {'0': female, '1': \xe7\x94\xb7, '': female}\nsink: {topic: r}\n"
         "spark: {conf: {spark.cores.max: '2', a.b: c}}\n",
         "{\"name\":\"gender\",\"source\":{\"topic\":\"sex\",\"format\":\"value\",\"column\":9,"
         "\"start\":\"earliest\"},\"window\":{\"size\":1000,\"slide\":500,\"lateness\":2000},"
         "\"series\":[\"female\",\"\\u7537\",\"other\"],\"labels\":{\"0\":0,\"1\":1,\"\":0},"
         "\"sink\":{\"topic\":\"r\"}}"},
        {"name: j\nsource: {topic: t, column: c, format: json, field: a.b, start: latest}\n"
         "window: {size: 1m}\nlabels: {'q\"': x}\nsink: {topic: r}\n",
         "{\"name\":\"j\",\"source\":{\"topic\":\"t\",\"format\":\"json\",\"field\":\"a.b\","
         "\"start\":\"latest\"},\"window\":{\"size\":60000,\"slide\":60000,\"lateness\":0},"
         "\"series\":[\"x\",\"other\"],\"labels\":{\"q\\\"\":0},\"sink\":{\"topic\":\"r\"}}"},
        {"name: j\nsource: {topic: t, column: 0}\nwindow: {size: 1m}\nlabels: {\"a\\0b\": x}\n"
         "sink: {topic: r}\n",
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error error = {.code = EXIT_OK};
        struct spec *spec = spec_parse(rows[i].spec, strlen(rows[i].spec), "x.yaml", &error);
        char *json;
        CHECK(spec, error.text);
        json = spec_json(spec, &error);
        if (rows[i].json) {
            CHECK(json, error.text);
            assert_string_equal(json, rows[i].json);
        } else {
            CHECK(!json && error.code == EXIT_INPUT, rows[i].spec);
        }
        if (i == 0) {
            assert_int_equal(spec->spark_count, 2);
            assert_string_equal(spec->spark[0].name, "spark.cores.max");
            assert_string_equal(spec->spark[1].value, "c");
        }
        free(json);
        spec_free(spec);
    }
}

static void test_rest_port(void **state)
{
    static const struct {
        const char *page;
        int port;
    } rows[] = {
        {"<strong>REST URL:</strong> spark://127.0.0.1:21066\n  <span>", 21066}, /* 4.2.0 */
        {"<strong>REST URL:</strong>spark://[::1]:6066<span>", 6066},
        {"<strong>URL:</strong> spark://127.0.0.1:7077<", 0}, /* it is off */
        {"REST URL: spark://h", 0},
        {"REST URL: spark://:x", 0},
        {"REST URL: spark://h:99999", 0},
        {"REST URL: spark://h:99999999999999999999", 0},
        {"REST URL: ", 0},
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(spark_page_rest_port(rows[i].page, strlen(rows[i].page)) == rows[i].port,
              rows[i].page);
    assert_int_equal(spark_page_rest_port(NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_addresses),
                                       cmocka_unit_test(test_masters_url),
                                       cmocka_unit_test(test_answers),
                                       cmocka_unit_test(test_titles),
                                       cmocka_unit_test(test_create_message),
                                       cmocka_unit_test(test_page),
                                       cmocka_unit_test(test_log),
                                       cmocka_unit_test(test_app_page),
                                       cmocka_unit_test(test_streaming),
                                       cmocka_unit_test(test_failures),
                                       cmocka_unit_test(test_launches),
                                       cmocka_unit_test(test_conf),
                                       cmocka_unit_test(test_properties),
                                       cmocka_unit_test(test_memory),
                                       cmocka_unit_test(test_spec_json),
                                       cmocka_unit_test(test_rest_port)};
    return cmocka_run_group_tests_name("spark", tests, NULL, NULL);
}
