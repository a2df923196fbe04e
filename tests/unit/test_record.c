#include "tests/unit/unit.h"

#include "jobs/record.h"

static struct spec_series series[] = {
    {.name = (char[]){"female"}}, {.name = (char[]){"ma\"le"}}, {.name = (char[]){"other"}}};
static struct spec spec = {
    .name = (char[]){"gender"}, .size = 1000, .slide = 1000, .series = series, .series_count = 3};

#define GOOD                                                                                       \
    "{\"job\":\"gender\",\"start\":1000,\"end\":2000,\"counts\":{\"female\":8,\"ma\\\"le\":5,"     \
    "\"other\":0},\"total\":13}"

static void test_write(void **state)
{
    uint64_t counts[] = {8, 5, 0};
    struct record record = {.start = 1000, .end = 2000, .counts = counts};
    struct record_writer *writer = record_writer_new(&spec);
    struct buf value = {0}, key = {0};

    (void)state;
    record_write(writer, &record, &value);
    record_write_key(writer, &record, &key);
    assert_string_equal(value.data, GOOD);
    assert_string_equal(key.data, "gender/1000");
    buf_free(&value);
    buf_free(&key);
    record_writer_free(writer);
}

static void test_read(void **state)
{
    static const struct {
        const char *name, *text;
        bool sound;
    } rows[] = {
        {"as written", GOOD, true},
        {"another order, a series absent",
         "{\"total\":3,\"counts\":{\"other\":3},\"end\":2000,\"start\":1000,\"job\":\"gender\"}",
         true},
        {"an unknown key more",
         "{\"job\":\"gender\",\"start\":1,\"end\":2,\"counts\":{},\"total\":0,\"x\":1}", true},
        {"another job", "{\"job\":\"age\",\"start\":1,\"end\":2,\"counts\":{},\"total\":0}", false},
        {"unknown series",
         "{\"job\":\"gender\",\"start\":1,\"end\":2,\"counts\":{\"x\":1},\"total\":1}", false},
        {"as written, and more", GOOD "}", false},
        {"as written, and a blank", GOOD " ", true},
        {"as written, one byte short",
         "{\"job\":\"gender\",\"start\":1000,\"end\":2000,\"counts\":{\"female\":8,\"ma\\\"le\":5,"
         "\"other\":0},\"total\":13",
         false},
        {"wrong total",
         "{\"job\":\"gender\",\"start\":1,\"end\":2,\"counts\":{\"female\":1},\"total\":2}", false},
        {"negative",
         "{\"job\":\"gender\",\"start\":1,\"end\":2,\"counts\":{\"female\":-1},\"total\":-1}",
         false},
        {"a fraction",
         "{\"job\":\"gender\",\"start\":1,\"end\":2,\"counts\":{\"female\":1.5},\"total\":1}",
         false},
        {"a text",
         "{\"job\":\"gender\",\"start\":1,\"end\":2,\"counts\":{\"female\":\"1\"},\"total\":1}",
         false},
        {"end before start", "{\"job\":\"gender\",\"start\":2,\"end\":1,\"counts\":{},\"total\":0}",
         false},
        {"a time too far",
         "{\"job\":\"gender\",\"start\":2,\"end\":9223372036854775807,\"counts\":{},\"total\":0}",
         false},
        {"overflow",
         "{\"job\":\"gender\",\"start\":1,\"end\":2,\"counts\":{\"female\":9223372036854775808},"
         "\"total\":1}",
         false},
        {"no counts", "{\"job\":\"gender\",\"start\":1,\"end\":2,\"total\":0}", false},
        {"twice",
         "{\"job\":\"gender\",\"job\":\"gender\",\"start\":1,\"end\":2,\"counts\":{},\"total\":0}",
         false},
        {"the tutorial's", "[{\"0\":1},{\"2\":3}]", false},
        {"no JSON", "{", false},
        {"nothing", "", false},
    };
    uint64_t counts[3];
    struct record record = {.counts = counts};
    struct error error;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK((record_read(&spec, rows[i].text, strlen(rows[i].text), &record, &error) == 0) ==
                  rows[i].sound,
              rows[i].name);
    assert_int_equal(record_read(&spec, GOOD, strlen(GOOD), &record, &error), 0);
    assert_int_equal(counts[0], 8);
    assert_int_equal(counts[1], 5);
    assert_int_equal(counts[2], 0);
    assert_int_equal(record.total, 13);
}

static struct spec_series plain[] = {{.name = (char[]){"女"}}, {.name = (char[]){"other"}}};
static const struct spec job = {
    .name = (char[]){"gender"}, .size = 1000, .slide = 1000, .series = plain, .series_count = 2};

/* Series whose names JSON writes as they are, so that all of a record is in the form it was written
 * in. */
static void test_read_as_written(void **state)
{
#define OF(start, end, counts, total)                                                              \
    "{\"job\":\"gender\",\"start\":" start ",\"end\":" end ",\"counts\":{" counts                  \
    "},\"total\":" total "}"
    static const struct {
        const char *name, *text;
        bool sound;
        uint64_t first, total;
    } rows[] = {
        {"as written", OF("1", "2", "\"女\":8,\"other\":5", "13"), true, 8, 13},
        {"zeros", OF("0", "1000", "\"女\":0,\"other\":0", "0"), true, 0, 0},
        {"before 1970", OF("-2000", "-1000", "\"女\":1,\"other\":0", "1"), true, 1, 1},
        {"18 digits", OF("1", "2", "\"女\":999999999999999999,\"other\":0", "999999999999999999"),
         true, 999999999999999999u, 999999999999999999u},
        {"19 digits", OF("1", "2", "\"女\":1000000000000000000,\"other\":0", "1000000000000000000"),
         true, 1000000000000000000u, 1000000000000000000u},
        {"20 digits",
         OF("1", "2", "\"女\":10000000000000000000,\"other\":0", "10000000000000000000"), false, 0,
         0},
        {"a zero in front", OF("1", "2", "\"女\":08,\"other\":5", "13"), false, 0, 0},
        {"a zero before the time", OF("01", "2", "\"女\":8,\"other\":5", "13"), false, 0, 0},
        {"a number missing", OF("1", "2", "\"女\":,\"other\":5", "5"), false, 0, 0},
        {"the other order", OF("1", "2", "\"other\":5,\"女\":8", "13"), true, 8, 13},
        {"the first is absent", OF("1", "2", "\"other\":5", "5"), true, 0, 5},
        {"the last is absent", OF("1", "2", "\"女\":8", "8"), true, 8, 8},
        {"a blank", OF("1", " 2", "\"女\":8,\"other\":5", "13"), true, 8, 13},
        {"escaped", OF("1", "2", "\"\\u5973\":8,\"other\":5", "13"), true, 8, 13},
        {"a series twice", OF("1", "2", "\"女\":8,\"女\":8,\"other\":5", "21"), false, 0, 0},
        {"a series more", OF("1", "2", "\"女\":8,\"other\":5,\"x\":0", "13"), false, 0, 0},
        {"wrong total", OF("1", "2", "\"女\":8,\"other\":5", "14"), false, 0, 0},
        {"empty window", OF("2", "2", "\"女\":8,\"other\":5", "13"), false, 0, 0},
        {"after the year 9999", OF("2", "253402300800000", "\"女\":8,\"other\":5", "13"), false, 0,
         0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t counts[2];
        struct record record = {.counts = counts};
        struct error error;
        bool sound = record_read(&job, rows[i].text, strlen(rows[i].text), &record, &error) == 0;
        CHECK(sound == rows[i].sound, rows[i].name);
        CHECK(!sound || (counts[0] == rows[i].first && record.total == rows[i].total),
              rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_write), cmocka_unit_test(test_read),
                                       cmocka_unit_test(test_read_as_written)};
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
