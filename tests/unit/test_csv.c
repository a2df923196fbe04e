#include "tests/unit/unit.h"

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "jobs/csv.h"
#include "jobs/csv_block.h"

/* What reading gave: "value|" for a row, "!reason|" for a reject. */
static void read_all(const char *text, size_t length, size_t column, size_t step, struct buf *out)
{
    struct csv *csv = csv_new(&column, 1);
    char *copy = mem_alloc(length + CSV_PADDING, 1);
    size_t given = 0, used = 0;
    struct csv_row row;

    memcpy(copy, text, length);
    for (;;) {
        enum csv_result result;
        given = given + step < length ? given + step : length;
        csv_give(csv, copy + used, given - used, given == length);
        while ((result = csv_next(csv, &row)) != CSV_MORE) {
            if (result == CSV_REJECT)
                buf_format(out, "!%s|", reject_name(row.reject));
            else {
                buf_add(out, row.fields[0].data, row.fields[0].length);
                buf_char(out, '|');
            }
        }
        used += csv_used(csv);
        if (given == length)
            break;
    }
    csv_free(csv);
    free(copy);
}

#define TEXT(s) s, sizeof(s) - 1

static const struct {
    const char *name;
    const char *text;
    size_t length;
    size_t column;
    const char *expected;
} rows[] = {
    {"plain", TEXT("a,b,c\nd,e,f\n"), 1, "b|e|"},
    {"first column", TEXT("a,b\nc,d\n"), 0, "a|c|"},
    {"last column", TEXT("a,b\nc,d\n"), 1, "b|d|"},
    {"no last newline", TEXT("a,b\nc,d"), 1, "b|d|"},
    {"CRLF", TEXT("a,b\r\nc,d\r\n"), 1, "b|d|"},
    {"CRLF, first column alone", TEXT("a\r\nb\r\n"), 0, "a|b|"},
    {"CR at the very end", TEXT("a,b\r"), 1, "b|"},
    {"a lone CR is data", TEXT("a\rb,c\n"), 0, "a\rb|"},
    {"byte order mark",
     TEXT("\xef\xbb\xbf"
          "a,b\n"),
     0, "a|"},
    {"a mark later is data",
     TEXT("a\n\xef\xbb\xbf"
          "b\n"),
     0,
     "a|\xef\xbb\xbf"
     "b|"},
    {"only a mark", TEXT("\xef\xbb\xbf"), 0, ""},
    {"empty", TEXT(""), 0, ""},
    {"empty fields", TEXT(",,\n"), 1, "|"},
    {"empty last field", TEXT("a,\n"), 1, "|"},
    {"blanks are data", TEXT(" a , b \n"), 1, " b |"},
    {"empty line", TEXT("a,b\n\nc,d\n"), 1, "b|!short row|d|"},
    {"empty line, one column", TEXT("a\n\nb\n"), 0, "a|!short row|b|"},
    {"empty CRLF line", TEXT("a\r\n\r\nb\r\n"), 0, "a|!short row|b|"},
    {"short row", TEXT("a,b,c\nd\ne,f,g\n"), 2, "c|!short row|g|"},
    {"long row of columns", TEXT("a,b,c,d,e\n"), 1, "b|"},
    {"quotes", TEXT("\"a\",\"b\"\n"), 1, "b|"},
    {"quoted comma", TEXT("\"a,x\",b\n"), 0, "a,x|"},
    {"comma in quotes before the column", TEXT("\"a,x\",b\n"), 1, "b|"},
    {"doubled quotes", TEXT("\"a\"\"b\",c\n"), 0, "a\"b|"},
    {"only doubled quotes", TEXT("\"\"\"\"\n"), 0, "\"|"},
    {"empty quotes", TEXT("\"\",b\n"), 0, "|"},
    {"newline in quotes", TEXT("\"a\nb\",c\nd,e\n"), 1, "c|e|"},
    {"CRLF in quotes", TEXT("\"a\r\nb\",c\r\n"), 0, "a\r\nb|"},
    {"quoted, CRLF", TEXT("a,\"b\"\r\nc,d\r\n"), 1, "b|d|"},
    {"quoted, no last newline", TEXT("a,\"b\""), 1, "b|"},
    {"quoted, CR at the end", TEXT("a,\"b\"\r"), 1, "b|"},
    {"a quote inside is data", TEXT("a\"b,c\n"), 0, "a\"b|"},
    {"quote at the end of a field is data", TEXT("ab\",c\n"), 1, "c|"},
    {"text behind a quote", TEXT("\"a\"b,c\nd,e\n"), 1, "!bad quoting|e|"},
    {"stray quote costs one line", TEXT("\"a,b\nc,d\ne,f\n"), 1, "!bad quoting|d|f|"},
    {"stray quote before another", TEXT("\"a,b\nc,d\n\"e\",f\n"), 1, "!bad quoting|d|f|"},
    {"stray quote at the end", TEXT("a,b\n\"c"), 0, "a|!bad quoting|"},
    {"short quoted row", TEXT("\"a\"\nb,c\n"), 1, "!short row|c|"},
    {"NUL", TEXT("a,b\nc\0,d\ne,f\n"), 1, "b|!NUL byte|f|"},
    {"NUL in another column", TEXT("\0,b\nc,d\n"), 1, "!NUL byte|d|"},
    {"NUL in quotes", TEXT("\"a\0b\",c\nd,e\n"), 1, "!NUL byte|e|"},
    {"UTF-8", TEXT("a,女生\n"), 1, "女生|"},
    {"no UTF-8", TEXT("a,\xff\xfe\n"), 1, "\xff\xfe|"},
};

/* Every way to cut the bytes gives the same. */
static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t step = 1; step <= rows[i].length + 1; step++) {
            struct buf out = {0};
            buf_reserve(&out, 1);
            read_all(rows[i].text, rows[i].length, rows[i].column, step, &out);
            CHECK(strcmp(out.data, rows[i].expected) == 0, rows[i].name);
            buf_free(&out);
        }
}

/* The reader goes by blocks of 64 bytes: everything that ends or breaks a row at
 * every place of a block, up to three blocks in. */
static void test_edges_of_blocks(void **state)
{
    static const struct {
        const char *name, *tail;
        size_t length;
        const char *expected;
    } cases[] = {
        {"LF", TEXT(",v\n"), "v|b|"},
        {"CRLF", TEXT(",v\r\n"), "v|b|"},
        {"more columns", TEXT(",v,w\n"), "v|b|"},
        {"an empty value", TEXT(",\n"), "|b|"},
        {"short row", TEXT("\n"), "!short row|b|"},
        {"quotes", TEXT(",\"v\"\n"), "v|b|"},
        {"quotes behind the value", TEXT(",v,\",\"\n"), "v|b|"},
        {"a quote that never closes", TEXT(",v,\"w\n"), "!bad quoting|b|"},
        {"NUL", TEXT(",v,\0\n"), "!NUL byte|b|"},
        {"a quote in the next row", TEXT(",v\n\"q\",w\n"), "v|w|b|"},
        {"a NUL in the next row", TEXT(",v\n\0,w\n"), "v|!NUL byte|b|"},
    };
    static const size_t steps[] = {1, 7, 63, 64, 65, 1000};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t before = 0; before <= (size_t)3 * CSV_BLOCK; before++)
            for (size_t step = 0; step < COUNT(steps); step++) {
                struct buf text = {0}, out = {0};
                for (size_t x = 0; x < before; x++)
                    buf_char(&text, 'x');
                buf_add(&text, cases[i].tail, cases[i].length);
                buf_text(&text, "a,b\n");
                buf_reserve(&out, 1);
                read_all(text.data, text.length, 1, steps[step], &out);
                CHECK(strcmp(out.data, cases[i].expected) == 0, cases[i].name);
                buf_free(&text);
                buf_free(&out);
            }
}

static struct csv_bits look(const char *bytes)
{
    struct csv_bits bits = {0, 0, 0};

    for (int i = 0; i < CSV_BLOCK; i++) {
        bits.commas |= (uint64_t)(bytes[i] == ',') << i;
        bits.newlines |= (uint64_t)(bytes[i] == '\n') << i;
        bits.specials |= (uint64_t)(bytes[i] == '"' || bytes[i] == 0) << i;
    }
    return bits;
}

static void check_bits(struct csv_bits found, struct csv_bits expected)
{
    assert_true(found.commas == expected.commas);
    assert_true(found.newlines == expected.newlines);
    assert_true(found.specials == expected.specials);
}

/* Every byte at every place of a block, among others that nearly are one of those
 * looked for, as this machine reads blocks and as any does. */
static void test_bits_of_blocks(void **state)
{
    static const char others[] = {',', '\n', '"', 0, 1, 0x7f, (char)0x80, (char)0xac};

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++)
        for (int value = 0; value < 256 * CSV_BLOCK; value++) {
            char bytes[CSV_BLOCK];
            memset(bytes, others[i], sizeof bytes);
            bytes[value / 256] = (char)value;
            check_bits(csv_bits(bytes), look(bytes));
            check_bits(csv_bits_of_words(bytes), look(bytes));
        }
}

static char *repeat(const char *text, char c, size_t count, const char *end, size_t *length)
{
    size_t before = strlen(text);
    char *all = mem_alloc(before + count + strlen(end) + 1, 1);

    memcpy(all, text, before);
    memset(all + before, c, count);
    memcpy(all + before + count, end, strlen(end));
    *length = before + count + strlen(end);
    return all;
}

/* Rows at the limit and one byte beyond; the step is what a reader gives. */
static void test_long_rows(void **state)
{
    static const struct {
        const char *name, *before, *end, *expected;
        size_t count;
        bool only_rejects;
    } cases[] = {
        {"at the limit", "a,", "\nb,c\n", "c|", LIMIT_CSV_ROW - 2, false},
        {"one beyond", "a,", "\nb,c\n", "!over-long row|c|", LIMIT_CSV_ROW - 1, true},
        {"far beyond", "a,", "\nb,c\n", "!over-long row|c|", 5 * LIMIT_CSV_ROW, true},
        {"beyond, unended", "a,", "", "!over-long row|", 3 * LIMIT_CSV_ROW, true},
        {"beyond, with a quote", "\"a,", "\nb,c\n", "!over-long row|c|", 3 * LIMIT_CSV_ROW, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf out = {0};
        size_t length;
        char *text = repeat(cases[i].before, 'x', cases[i].count, cases[i].end, &length);
        read_all(text, length, 1, 4 * LIMIT_CSV_ROW, &out);
        if (cases[i].only_rejects)
            CHECK(strcmp(out.data, cases[i].expected) == 0, cases[i].name);
        else
            CHECK(out.length == cases[i].count + 3, cases[i].name);
        buf_free(&out);
        free(text);
    }
}

/* Every line opens a quote that closes only in the next: each is rejected for
 * itself, and looking for the end stays within the limit of lines. */
static void test_quotes_that_never_close(void **state)
{
    struct buf text = {0}, out = {0};
    size_t rejects = 0;

    (void)state;
    for (int i = 0; i < 20000; i++)
        buf_text(&text, "x\",\"\n");
    read_all(text.data, text.length, 0, 4 * LIMIT_CSV_ROW, &out);
    for (const char *at = out.data; (at = strstr(at, "!bad quoting|")); at++)
        rejects++;
    assert_true(rejects > 19000);
    buf_free(&text);
    buf_free(&out);
}

static void test_two_columns(void **state)
{
    static const size_t backwards[] = {2, 0}, same[] = {1, 1};
    const char text[64 + 64] = "a,b,c\n";
    struct csv_row row;
    struct csv *csv = csv_new(backwards, 2);

    (void)state;
    csv_give(csv, text, 6, true);
    assert_int_equal(csv_next(csv, &row), CSV_ROW);
    assert_memory_equal(row.fields[0].data, "c", 1);
    assert_memory_equal(row.fields[1].data, "a", 1);
    csv_want(csv, same, 2);
    csv_give(csv, text, 6, true);
    assert_int_equal(csv_next(csv, &row), CSV_ROW);
    assert_memory_equal(row.fields[0].data, "b", 1);
    assert_memory_equal(row.fields[1].data, "b", 1);
    csv_free(csv);
}

static void test_header(void **state)
{
    static const struct {
        const char *name, *header, *column;
        int expected;
    } cases[] = {
        {"first", "a,b,c", "a", 0},
        {"last", "a,b,c", "c", 2},
        {"quoted", "a,\"b,c\",d", "d", 2},
        {"with a comma", "a,\"b,c\",d", "b,c", 1},
        {"doubled quote", "\"a\"\"\"", "a\"", 0},
        {"none", "a,b", "c", -1},
        {"not a part", "ab,c", "a", -1},
        {"twice: the first", "a,b,a", "a", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        CHECK(csv_find_column(cases[i].header, strlen(cases[i].header), cases[i].column) ==
                  cases[i].expected,
              cases[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_edges_of_blocks),
        cmocka_unit_test(test_bits_of_blocks),
        cmocka_unit_test(test_long_rows),
        cmocka_unit_test(test_quotes_that_never_close),
        cmocka_unit_test(test_two_columns),
        cmocka_unit_test(test_header),
    };
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
