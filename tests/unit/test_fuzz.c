/* Every parser of bytes from outside, on mutations of good input, with a fixed
 * seed; under the sanitizers this finds what reads or writes where it must not.
 * What can be said of any input is checked too. TALLY_FUZZ sets the rounds. */
#include "tests/unit/unit.h"

#include <jansson.h>

#include <unistd.h>
#include <zip.h>

#include "cluster/base/buf.h"
#include "cluster/docker_message.h"
#include "cluster/file_server.h"
#include "cluster/jar.h"
#include "cluster/jws.h"
#include "cluster/spark_address.h"
#include "cluster/spark_app_page.h"
#include "cluster/spark_conf.h"
#include "cluster/spark_failure.h"
#include "cluster/spark_log.h"
#include "cluster/spark_message.h"
#include "cluster/spark_state.h"
#include "cluster/spark_streaming.h"
#include "cluster/statistics.h"
#include "cluster/tar.h"
#include "jobs/csv.h"
#include "jobs/json_field.h"
#include "jobs/points.h"
#include "jobs/record.h"
#include "jobs/spec.h"

static uint64_t random_state = 20151111;

/* xorshift64* */
static uint32_t random_number(uint32_t below)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * 2685821657736338717u) >> 32) % below;
}

static int rounds(void)
{
    const char *text = getenv("TALLY_FUZZ");

    return text ? atoi(text) : 100000;
}

/* Changes a few bytes, from an alphabet that the formats care for. */
static void mutate(struct buf *buf)
{
    static const char special[] = "\"',\n\r\0{}[]:\\\t -#&*0123456789.eEu\xef\xbb\xbf\xff";

    for (uint32_t i = random_number(6); i > 0 && buf->length > 0; i--) {
        uint32_t at = random_number((uint32_t)buf->length);
        switch (random_number(4)) {
        case 0:
            buf->data[at] = special[random_number(sizeof special - 1)];
            break;
        case 1:
            buf->data[at] = (char)random_number(256);
            break;
        case 2:
            memmove(buf->data + at, buf->data + at + 1, buf->length - at - 1);
            buf->length--;
            break;
        default:
            buf_char(buf, 'x');
            memmove(buf->data + at + 1, buf->data + at, buf->length - at - 1);
            buf->data[at] = special[random_number(sizeof special - 1)];
        }
    }
}

static void seed_bytes(struct buf *buf, const char *bytes, size_t length)
{
    buf->length = 0;
    buf_add(buf, bytes, length);
    mutate(buf);
}

static void seed(struct buf *buf, const char *const *texts, uint32_t count)
{
    const char *text = texts[random_number(count)];

    seed_bytes(buf, text, strlen(text));
}

/* An exact copy: the sanitizer then sees every byte read beyond it. */
static char *exact(const struct buf *buf, size_t padding)
{
    char *copy = malloc(buf->length + padding + (buf->length + padding == 0));

    memcpy(copy, buf->data, buf->length);
    memset(copy + buf->length, 'Z', padding);
    return copy;
}

static void list_rows(const char *data, size_t length, size_t step, struct buf *out)
{
    static const size_t columns[] = {1, 0};
    struct csv *csv = csv_new(columns, 2);
    size_t used = 0, given = 0;
    struct csv_row row;

    do {
        enum csv_result result;
        given = given + step < length ? given + step : length;
        csv_give(csv, data + used, given - used, given == length);
        while ((result = csv_next(csv, &row)) != CSV_MORE) {
            buf_format(out, "%d:", result == CSV_REJECT ? (int)row.reject : -1);
            for (int i = 0; result == CSV_ROW && i < 2; i++)
                buf_add(out, row.fields[i].data, row.fields[i].length);
            buf_char(out, ';');
        }
        used += csv_used(csv);
    } while (given < length);
    csv_free(csv);
}

/* However the bytes are cut, the rows are the same. */
static void test_csv(void **state)
{
    static const char *const texts[] = {"a,b,c\n1,2,3\n", "\"a\",\"b\"\"c\"\r\n\"x\ny\",z\r\n",
                                        "\xef\xbb\xbf"
                                        "a,b\n,\n\n\"\",\"\"",
                                        "328862,833323,1671,2882,661,08,29,0,0,1,四川\n328862,"
                                        "844400,1271,2882,661,08,29,0,1,1,x\n"};
    struct buf buf = {0};

    (void)state;
    for (int i = 0; i < rounds(); i++) {
        struct buf whole = {0}, cut = {0};
        char *data;
        seed(&buf, texts, COUNT(texts));
        data = exact(&buf, CSV_PADDING);
        buf_reserve(&whole, 1);
        buf_reserve(&cut, 1);
        list_rows(data, buf.length, buf.length + 1, &whole);
        list_rows(data, buf.length, 1 + random_number(9), &cut);
        if (whole.length != cut.length || memcmp(whole.data, cut.data, whole.length) != 0)
            fail_msg("cut differently, other rows: %s", buf.data);
        free(data);
        buf_free(&whole);
        buf_free(&cut);
    }
    buf_free(&buf);
}

static void fail_with_bytes(const struct buf *buf, const char *verdict)
{
    struct buf text = {0};

    buf_json_string(&text, buf->data, buf->length);
    fail_msg("%s: jansson says %s", text.data, verdict);
}

/* jansson must agree on what is JSON, where it can tell: it has limits of its
 * own for numbers and for NUL in names, and takes a NUL behind a number for
 * a blank, which RFC 8259 does not. */
static void test_json_field(void **state)
{
    static const char *const texts[] = {
        "{\"a\":{\"b\":\"x\"}}", "{\"a\":{\"b\":-1.5e3},\"c\":[1,2,{\"d\":null}]}",
        "{\"\\u0061\":{\"b\":\"\\ud83d\\ude00\\n\"}}", "[true,false,null]"};
    struct buf buf = {0};

    (void)state;
    for (int i = 0; i < rounds(); i++) {
        struct buf scratch = {0};
        const char *value;
        size_t length;
        json_error_t why;
        json_t *root, *node;
        char *data;
        bool sound;
        seed(&buf, texts, COUNT(texts));
        data = exact(&buf, 0);
        sound = json_field(data, buf.length, "a.b", &scratch, &value, &length);
        root = json_loadb(data, buf.length,
                          JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &why);
        node = json_object_get(json_object_get(root, "a"), "b");
        if (sound != (root && !json_is_object(node) && !json_is_array(node)) &&
            !memchr(data, 0, buf.length) && json_error_code(&why) != json_error_numeric_overflow &&
            json_error_code(&why) != json_error_null_byte_in_key)
            fail_with_bytes(&buf, root ? "sound" : why.text);
        if (sound && json_is_string(node) &&
            (json_string_length(node) != length ||
             memcmp(json_string_value(node), value, length) != 0))
            fail_msg("%s: another text", buf.data);
        json_decref(root);
        buf_free(&scratch);
        free(data);
    }
    buf_free(&buf);
}

static const char good_spec[] =
    "name: gender\nsource: {topic: sex, column: 9, format: value}\n"
    "window: {size: 1s, slide: 1s, lateness: 1s}\nlabels:\n  \"0\": {name: female, zh: x}\n"
    "  \"1\": &a {name: male}\n  \"2\": unknown\nsink: {topic: result}\n"
    "spark: {conf: {a.b: \"1\"}}\n";

static void test_spec(void **state)
{
    static const char *const texts[] = {good_spec};
    struct buf buf = {0};

    (void)state;
    for (int i = 0; i < rounds() / 4; i++) {
        struct error error = {.code = EXIT_OK};
        struct spec *spec;
        char *data;
        seed(&buf, texts, 1);
        data = exact(&buf, 0);
        spec = spec_parse(data, buf.length, "fuzz.yaml", &error);
        if (!spec && (error.code != EXIT_INPUT || strncmp(error.text, "fuzz.yaml:", 10) != 0))
            fail_msg("an error without its place: %s", error.text);
        if (spec)
            assert_string_equal(spec->series[spec->series_count - 1].name, "other");
        spec_free(spec);
        free(data);
    }
    buf_free(&buf);
}

static void test_record(void **state)
{
    static const char *const texts[] = {
        "{\"job\":\"gender\",\"start\":1000,\"end\":2000,\"counts\":{\"female\":8,\"male\":5,"
        "\"unknown\":0,\"other\":0},\"total\":13}"};
    struct error error;
    struct spec *spec = spec_parse(good_spec, strlen(good_spec), "good", &error);
    struct record record;
    struct buf buf = {0};

    (void)state;
    assert_non_null(spec);
    record.counts = mem_alloc(spec->series_count, sizeof *record.counts);
    for (int i = 0; i < rounds(); i++) {
        uint64_t sum = 0;
        char *data;
        seed(&buf, texts, 1);
        data = exact(&buf, 0);
        if (record_read(spec, data, buf.length, &record, &error) == 0) {
            for (size_t k = 0; k < spec->series_count; k++)
                sum += record.counts[k];
            assert_true(sum == record.total);
        }
        free(data);
    }
    free(record.counts);
    buf_free(&buf);
    spec_free(spec);
}

static void count_point(void *context, const struct record *record)
{
    (*(uint64_t *)context) += record->total;
}

static bool every_third(void *context, int64_t time)
{
    (void)context;
    return time % 3 == 0;
}

static void test_points(void **state)
{
    static const char *const texts[] = {
        "[{\"0\": \"5\"}]", "[{\"0\":1},{\"2\":3},{\"1\":6}]",
        "[{\"0\":1,\"NULL\":\"2\"},{\"\":0},{\"\\u5973\":99999999999999}]"};
    struct error error;
    struct spec *spec = spec_parse(good_spec, strlen(good_spec), "good", &error);
    uint64_t counted = 0;
    const struct points_calls calls = {count_point, every_third, &counted};
    struct points *points = points_new(spec, &calls);
    struct buf buf = {0};

    (void)state;
    for (int i = 0; i < rounds(); i++) {
        uint64_t before = counted;
        char *data;
        seed(&buf, texts, 3);
        data = exact(&buf, 0);
        if (points_read(points, random_number(1000), data, buf.length, &error) < 0)
            assert_true(counted == before);
        else
            assert_true(points_is_list(data, buf.length));
        free(data);
    }
    points_free(points);
    buf_free(&buf);
    spec_free(spec);
}

static void test_statistics(void **state)
{
    static const char *const texts[] = {
        "{\"brokers\":{\"b:1/"
        "1\":{\"nodeid\":1,\"state\":\"UP\",\"rxidle\":1000}},\"topics\":{\"sex\":"
        "{\"partitions\":{\"0\":{\"partition\":0,\"leader\":1},\"-1\":{\"partition\":-1}}}}}"};
    static const struct {
        const char *name, *broker, *partition;
        bool connected, live, missing;
        int32_t known;
    } rows[] = {
        {"all is well", "\"state\":\"UP\",\"rxidle\":1000", "", true, true, false, 1},
        {"idle", "\"state\":\"UP\",\"rxidle\":9000000", "", true, true, false, 1},
        {"waits", "\"state\":\"UP\",\"rxidle\":1300000,\"waitresp_cnt\":1", "", true, true, false,
         1},
        {"hangs", "\"state\":\"UP\",\"rxidle\":1500000,\"waitresp_cnt\":1", "", false, false, false,
         1},
        {"down", "\"state\":\"CONNECT\",\"rxidle\":1000", "", false, false, false, 1},
        {"the topic is gone", "\"state\":\"UP\"", ",\"unknown\":true", true, true, true, 0},
    };
    struct buf buf = {0};
    bool live[2];

    (void)state;
    assert_true(statistics_read(texts[0], strlen(texts[0]), "sex", live, 2).connected);
    assert_true(live[0] && !live[1]);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf text = {0};
        struct statistics read;
        buf_format(&text,
                   "{\"brokers\":{\"b:1/1\":{\"nodeid\":1,%s}},\"topics\":{\"sex\":{"
                   "\"partitions\":{\"0\":{\"partition\":0,\"leader\":1%s}}}}}",
                   rows[i].broker, rows[i].partition);
        read = statistics_read(text.data, text.length, "sex", live, 2);
        CHECK(read.connected == rows[i].connected && live[0] == rows[i].live &&
                  read.topic_missing == rows[i].missing && read.known_count == rows[i].known,
              rows[i].name);
        buf_free(&text);
    }
    for (int i = 0; i < rounds() / 4; i++) {
        char *data;
        seed(&buf, texts, 1);
        data = exact(&buf, 0);
        statistics_read(data, buf.length, "sex", live, 2);
        free(data);
    }
    buf_free(&buf);
}

static void fuzz_answer(const char *data, size_t length)
{
    struct spark_answer answer;
    char *title = spark_page_title(data, length);

    free(title);
    if (spark_answer_read(data, length, &answer) < 0)
        return;
    title = spark_reason(answer.message);
    assert_null(strchr(title, '\n'));
    assert_non_null(spark_state_name(answer.state));
    free(title);
    spark_answer_free(&answer);
}

static void fuzz_log(const char *data, size_t length)
{
    struct spark_log log;

    if (spark_log_read(data, length, &log) != SPARK_LOG_PIECE)
        return;
    assert_true(log.next >= log.start && log.next <= log.total);
    assert_true(log.length == 0 || log.next > log.start || log.total == log.start);
    assert_true(log.text >= data && log.text + log.length <= data + length);
}

static void fuzz_address(const char *data, size_t length)
{
    char *text = mem_bytes(data, length);
    struct spark_masters masters;
    struct error error;

    if (spark_masters_parse(text, 0, 0, &masters, &error) == 0) {
        assert_true(masters.count >= 1 && masters.count <= LIMIT_MASTERS);
        free(spark_masters_url(&masters));
    }
    free(text);
}

static void fuzz_conf(const char *data, size_t length)
{
    struct spark_conf *conf = spark_conf_new();
    struct error error;

    spark_conf_parse(conf, data, length, &error);
    spark_conf_free(conf);
}

static void fuzz_app_page(const char *data, size_t length)
{
    spark_app_page_free(spark_app_page_read(data, length));
}

static void fuzz_streaming(const char *data, size_t length)
{
    struct spark_streaming streaming;

    spark_streaming_read(data, length, "app-1", &streaming);
    assert_true(streaming.input_rate >= 0 && streaming.watermark >= 0);
}

static void fuzz_failure(const char *data, size_t length)
{
    struct spark_failure *failure = spark_failure_new();
    char *text = mem_bytes(data, length), *at = text, *line;

    while ((line = strsep(&at, "\n")))
        spark_failure_take(failure, line);
    free(spark_failure_reason(failure, "4.2.0"));
    free(text);
    spark_failure_free(failure);
}

static void fuzz_key(const char *data, size_t length)
{
    char *text = mem_bytes(data, length);
    unsigned char *key;
    size_t key_length;
    struct error error;

    if (jws_key(text, &key, &key_length, &error) == 0) {
        char *bearer = jws_bearer(key, key_length, 0);
        assert_true(strlen(bearer) > 100);
        free(bearer);
        free(key);
    }
    free(text);
}

static void fuzz_url(const char *data, size_t length)
{
    char *text = mem_bytes(data, length);
    struct spark_masters masters = {.count = 0};
    struct error error;
    int64_t mib;

    if (spark_masters_behind(text, text, &masters, &error) == 0)
        assert_true(masters.count == 1 && *masters.list[0].host);
    if (spark_memory(text, &mib))
        assert_true(mib > 0);
    free(text);
}

/* What Spark's masters and workers say. */
static void test_spark(void **state)
{
    static const struct {
        const char *text;
        void (*read)(const char *data, size_t length);
    } rows[] = {
        {"{\"action\":\"SubmissionStatusResponse\",\"driverState\":\"RUNNING\",\"message\":"
         "\"Exception from the cluster:\\njava.lang.Exception: x\",\"success\":true}",
         fuzz_answer},
        {"<title>Error 500</title>", fuzz_answer},
        {"==== Bytes 0-9 of 100 of /work/stderr ====\nabc\xe5\xa5\xb3 \xef\xbf\xbd", fuzz_log},
        {"<title>Application: a</title><a href=\"http://h:1\">Application Detail "
         "UI</a><tr><td>0</td>"
         "<td><a href=\"x\">w</a></td><td>RUNNING</td></tr>",
         fuzz_app_page},
        {"{\"gauges\":{\"app-1.driver.spark.streaming.q.inputRate-total\":{\"value\":1.5},"
         "\"app-1.driver.spark.streaming.q.eventTime-watermark\":{\"value\":12}}}",
         fuzz_streaming},
        {"Launch Command: \"java\" \"-Dspark.app.name=a\" "
         "\"org.apache.spark.deploy.worker.DriverWrapper\" \"w\" \"j\" \"m.M\"\nException in "
         "thread "
         "\"main\" java.lang.UnsupportedClassVersionError: (class file version 65.0), class file "
         "versions up to 61.0\nCaused by: java.lang.ClassNotFoundException: m.M\n",
         fuzz_failure},
        {"spark://host:7077,[::1]:6066", fuzz_address},
        {"# c\nspark.master  spark://h:7077\r\na=b\nx: y\\\n \\u5973\\ud83d\\ude00\\\\\n",
         fuzz_conf},
        {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJw==", fuzz_key},
        {"https://[::1]:8443/path/to", fuzz_url},
        {"1024mb", fuzz_url},
    };
    static const char *const pages[] = {
        "{\"url\":\"u\",\"workers\":[{\"id\":\"w\",\"cores\":4,\"state\":\"ALIVE\"}],"
        "\"activeapps\":[{\"id\":\"a\",\"starttime\":12}],\"activedrivers\":[{\"id\":\"d\","
        "\"starttime\":\"12\"}],\"completeddrivers\":[{}],\"status\":\"ALIVE\"}"};
    struct buf buf = {0};
    char *data;

    (void)state;
    for (int i = 0; i < rounds(); i++) {
        size_t row = random_number(COUNT(rows));
        seed(&buf, &rows[row].text, 1);
        data = exact(&buf, 0);
        rows[row].read(data, buf.length);
        free(data);
    }
    for (int i = 0; i < rounds() / 4; i++) {
        seed(&buf, pages, 1);
        data = exact(&buf, 0);
        spark_state_free(spark_state_read(data, buf.length));
        spark_page_rest_port(data, buf.length);
        free(data);
    }
    buf_free(&buf);
}

/* ---- What the Docker engine, workers that fetch files, and jars hold */

static void fuzz_containers(const char *data, size_t length)
{
    struct docker_containers containers;
    char *reason = docker_reason(data, length);

    assert_null(strchr(reason, '\n'));
    free(reason);
    if (docker_containers_read(data, length, &containers) < 0)
        return;
    docker_find_host(&containers, "spark-worker-1");
    assert_null(docker_find_port(&containers, 0));
    docker_containers_free(&containers);
}

static void fuzz_stat(const char *data, size_t length)
{
    char *header = mem_bytes(data, length);

    assert_true(docker_file_size(header) >= -1);
    free(header);
}

static void fuzz_request(const char *data, size_t length)
{
    const char *path;
    size_t path_length;
    enum file_request kind = file_request_read(data, length, &path, &path_length);

    if (kind == FILE_REQUEST_GET || kind == FILE_REQUEST_HEAD) {
        assert_true(path >= data && path + path_length <= data + length);
        assert_null(memchr(path, ' ', path_length));
    }
}

static void fuzz_manifest(const char *data, size_t length)
{
    char *name = jar_manifest_main_class(data, length);

    assert_true(!name || (*name && !strpbrk(name, " \r\n")));
    free(name);
}

static void fuzz_class(const char *data, size_t length)
{
    jar_class_scala(data, length);
}

static void fuzz_tar(const char *data, size_t length)
{
    uint64_t size;
    size_t at;

    if (tar_first_file(data, length, &at, &size) == TAR_FILE)
        assert_true(at >= 512 && at <= length);
}

/* A header with its sum made right, or nothing but the sum would be tried. */
static void fuzz_summed_tar(const char *data, size_t length)
{
    char *copy = mem_bytes(data, length), *exact_copy;

    for (size_t at = 0; at + 512 <= length; at += 512) {
        unsigned sum = 8 * ' ';
        for (size_t i = 0; i < 512; i++)
            sum += i < 148 || i >= 156 ? (unsigned char)copy[at + i] : 0;
        snprintf(copy + at + 148, 8, "%06o", sum);
    }
    exact_copy = malloc(length + (length == 0));
    memcpy(exact_copy, copy, length);
    fuzz_tar(exact_copy, length);
    free(exact_copy);
    free(copy);
}

#define TEXT(text) (text), sizeof(text) - 1
#define POOL                                                                                       \
    "\xca\xfe\xba\xbe\0\0\0\x34\0\x08\1\0\x12scala/Serializable\5\0\0\0\0\0\0\0\1\x0a\0\1\0\2"     \
    "\1\0\x16(I)Lscala/Serializable;\x0f\1\0\1"

static void test_outside(void **state)
{
    static char tar[3 * 512] = "././@LongLink"; /* a long name in a block, then the file's header */
    static const struct {
        const char *bytes;
        size_t length;
        void (*read)(const char *data, size_t length);
    } rows[] = {
        {TEXT("[{\"Id\":\"12\",\"Names\":[\"/x\"],\"Ports\":[{\"PublicPort\":80,\"Type\":\"tcp\"}],"
              "\"Labels\":{},\"NetworkSettings\":{\"Networks\":{\"n\":{\"Gateway\":\"1\"}}}}]"),
         fuzz_containers},
        {TEXT("{\"message\":\"no such\\ncontainer\"}"), fuzz_containers},
        {TEXT("eyJzaXplIjoyNywibW9kZSI6NDIwfQ=="), fuzz_stat},
        {TEXT("GET /0123456789abcdef/my.jar HTTP/1.1\r\nHost: x\r\n\r\n"), fuzz_request},
        {TEXT("HEAD / HTTP/1.0\r\n\r\n"), fuzz_request},
        {TEXT("Manifest-Version: 1.0\r\nMain-Class: my.lo\r\n ng.Main\r\n\r\nName: x\r\n"),
         fuzz_manifest},
        {TEXT(POOL), fuzz_class},
        {tar, sizeof tar, fuzz_tar},
        {tar, sizeof tar, fuzz_summed_tar},
    };
    struct buf buf = {0};

    (void)state;
    memcpy(tar + 124, "00000000011", 11);
    tar[156] = 'L';
    memcpy(tar + 1024 + 124, "00000000000", 11);
    tar[1024 + 156] = '0';
    for (int i = 0; i < rounds(); i++) {
        size_t row = random_number(COUNT(rows));
        char *data;
        seed_bytes(&buf, rows[row].bytes, rows[row].length);
        data = exact(&buf, 0);
        rows[row].read(data, buf.length);
        free(data);
    }
    buf_free(&buf);
}

static void make_jar(const char *path)
{
    int code;
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);

    assert_non_null(zip);
    zip_file_add(zip, "META-INF/MANIFEST.MF",
                 zip_source_buffer(zip, TEXT("Main-Class: my.Main\n"), 0), 0);
    zip_file_add(zip, "my/Main.class", zip_source_buffer(zip, TEXT(POOL), 0), 0);
    assert_int_equal(zip_close(zip), 0);
}

static void read_file(const char *path, struct buf *bytes)
{
    FILE *file = fopen(path, "r");
    char piece[4096];
    size_t got = fread(piece, 1, sizeof piece, file);

    fclose(file);
    assert_true(got > 0 && got < sizeof piece);
    buf_add(bytes, piece, got);
}

/* Whole jars: their lists of entries and what is packed. */
static void test_jar(void **state)
{
    struct buf good = {0}, buf = {0};
    char path[64];

    (void)state;
    snprintf(path, sizeof path, "/tmp/tally-fuzz-%d.jar", (int)getpid());
    make_jar(path);
    read_file(path, &good);
    for (int i = 0; i < rounds() / 50; i++) {
        struct error error = {.code = EXIT_OK};
        FILE *file = fopen(path, "w");
        struct jar *jar;
        seed_bytes(&buf, good.data, good.length);
        fwrite(buf.data, 1, buf.length, file);
        fclose(file);
        jar = jar_open(path, &error);
        assert_true(jar || error.code == EXIT_INPUT);
        if (jar) {
            free(jar_main_class(jar));
            jar_scala(jar, "my.Main");
        }
        jar_close(jar);
        if (jar_check(path, "a.Main", "4.2.0", false, &error) < 0)
            assert_null(strchr(error.text, '\n'));
    }
    unlink(path);
    buf_free(&good);
    buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),    cmocka_unit_test(test_json_field),
        cmocka_unit_test(test_spec),   cmocka_unit_test(test_record),
        cmocka_unit_test(test_points), cmocka_unit_test(test_statistics),
        cmocka_unit_test(test_spark),  cmocka_unit_test(test_outside),
        cmocka_unit_test(test_jar)};
    return cmocka_run_group_tests_name("fuzz", tests, NULL, NULL);
}
