/* Every parser of bytes from outside, on mutations of good input, with a fixed
 * seed; under the sanitizers this finds what reads or writes where it must not.
 * What can be said of any input is checked too. TALLY_FUZZ sets the rounds. */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "cluster/base/buf.h"
#include "cluster/spark_address.h"
#include "cluster/jws.h"
#include "cluster/spark_conf.h"
#include "cluster/spark_log.h"
#include "cluster/spark_message.h"
#include "cluster/spark_state.h"
#include "cluster/statistics.h"
#include "jobs/csv.h"
#include "jobs/json_field.h"
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

static void seed(struct buf *buf, const char *const *texts, uint32_t count)
{
    buf->length = 0;
    buf_text(buf, texts[random_number(count)]);
    mutate(buf);
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

static void test_statistics(void **state)
{
    static const char *const texts[] = {
        "{\"brokers\":{\"b:1/"
        "1\":{\"nodeid\":1,\"state\":\"UP\",\"rxidle\":1000}},\"topics\":{\"sex\":"
        "{\"partitions\":{\"0\":{\"partition\":0,\"leader\":1},\"-1\":{\"partition\":-1}}}}}"};
    struct buf buf = {0};
    bool live[2];

    (void)state;
    assert_true(statistics_read(texts[0], strlen(texts[0]), "sex", live, 2).connected);
    assert_true(live[0] && !live[1]);
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
        free(data);
    }
    buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),        cmocka_unit_test(test_json_field),
        cmocka_unit_test(test_spec),       cmocka_unit_test(test_record),
        cmocka_unit_test(test_statistics), cmocka_unit_test(test_spark)};
    return cmocka_run_group_tests_name("fuzz", tests, NULL, NULL);
}
