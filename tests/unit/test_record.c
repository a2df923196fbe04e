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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_write), cmocka_unit_test(test_read)};
    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
