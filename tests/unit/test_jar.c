/* Jars, made here with libzip, and what stands in them. */
#include "tests/unit/unit.h"

#include <unistd.h>
#include <zip.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/jar.h"

/* A class file whose constant pool has these names, as javac and scalac write
 * it up to there, and other constants between. */
static void make_class(struct buf *class, const char *const *names, size_t count)
{
    static const char more[] = "\x05\0\0\0\0\0\0\0\1\x0a\0\1\0\2\x12\0\0\0\1\x0f\1\0\1";

    class->length = 0;
    buf_add(class, "\xca\xfe\xba\xbe\0\0\0\x34\0", 9);
    buf_char(class, (char)(count + 6));
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]);
        if (i == 1)
            buf_add(class, more, sizeof more - 1);
        buf_char(class, 1);
        buf_char(class, (char)(length >> 8));
        buf_char(class, (char)length);
        buf_text(class, names[i]);
    }
    if (count < 2)
        buf_add(class, more, sizeof more - 1);
}

static const struct {
    const char *name;
    const char *constants[3];
    enum jar_scala scala;
} classes[] = {
    {"Java", {"my/Main", "java/io/Serializable"}, JAR_SCALA_NONE},
    {"case class of 2.12", {"my/Main", "scala/Serializable"}, JAR_SCALA_212},
    {"varargs of 2.12",
     {"x", "wrapRefArray", "([Ljava/lang/Object;)Lscala/collection/mutable/WrappedArray;"},
     JAR_SCALA_212},
    {"varargs of 2.13",
     {"x", "wrapRefArray", "([Ljava/lang/Object;)Lscala/collection/immutable/ArraySeq;"},
     JAR_SCALA_213},
    {"of 2.11", {"x", "y", "scala/Product$class"}, JAR_SCALA_212},
    {"compat library of 2.12",
     {"x", "scala/collection/compat/immutable/ArraySeq",
      "scala/collection/compat/immutable/LazyList"},
     JAR_SCALA_NONE},
    {"text of a log", {"x", "no scala/Serializable here", "y"}, JAR_SCALA_NONE},
    {"longer name", {"x", "Lscala/SerializableThing;", "scala/Serializable2"}, JAR_SCALA_NONE},
    {"both", {"x", "scala/Serializable", "scala/collection/IterableOnce"}, JAR_SCALA_NONE},
};

static size_t constants_of(size_t row)
{
    size_t count = 0;

    while (count < 3 && classes[row].constants[count])
        count++;
    return count;
}

static void test_class(void **state)
{
    struct buf class = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(classes); i++) {
        make_class(&class, classes[i].constants, constants_of(i));
        CHECK(jar_class_scala(class.data, class.length) == classes[i].scala, classes[i].name);
        class.data[0] = 'x';
        CHECK(jar_class_scala(class.data, class.length) == JAR_SCALA_NONE, classes[i].name);
    }
    assert_int_equal(jar_class_scala("", 0), JAR_SCALA_NONE);
    buf_free(&class);
}

static void test_manifest(void **state)
{
    static const struct {
        const char *text, *main_class;
    } rows[] = {
        {"Manifest-Version: 1.0\r\nMain-Class: my.Main\r\n\r\n", "my.Main"},
        {"main-class:my.Main", "my.Main"},
        {"Main-Class: my.very.lo\r\n ng.Main  \r\n", "my.very.long.Main"},
        {"A: b\rMain-Class: x\r", "x"},
        {"A: b\n\nName: y\nMain-Class: x\n", NULL},
        {"A: b\r\n\r\nMain-Class: x\n", NULL},
        {"Main-Class:  \n", NULL},
        {"XMain-Class: x\n", NULL},
        {" ", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *found = jar_manifest_main_class(rows[i].text, strlen(rows[i].text));
        CHECK(!found == !rows[i].main_class, rows[i].text);
        CHECK(!found || strcmp(found, rows[i].main_class) == 0, rows[i].text);
        free(found);
    }
}

static void add_entry(zip_t *zip, const char *name, const char *bytes, size_t length)
{
    zip_source_t *source = zip_source_buffer(zip, bytes, length, 0);

    assert_true(zip_file_add(zip, name, source, 0) >= 0);
}

static char jar_path[64];

static zip_t *new_jar(void)
{
    int code;
    zip_t *zip;

    snprintf(jar_path, sizeof jar_path, "/tmp/tally-unit-%d.jar", (int)getpid());
    zip = zip_open(jar_path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    assert_non_null(zip);
    return zip;
}

/* The main class and a helper of the same package, which may prove something;
 * a class of another package, which does not matter. */
static void make_jar(size_t row)
{
    struct buf class = {0}, other = {0}, plain = {0};
    zip_t *zip = new_jar();

    make_class(&plain, classes[0].constants, constants_of(0));
    make_class(&class, classes[row].constants, constants_of(row));
    make_class(&other, classes[row == 3 ? 1 : 3].constants, 3 - (row == 3));
    add_entry(zip, "META-INF/MANIFEST.MF", "Main-Class: my.Main\n", 20);
    add_entry(zip, "my/Main.class", plain.data, plain.length);
    add_entry(zip, "my/Main$Helper.class", class.data, class.length);
    add_entry(zip, "my/lib/Other.class", other.data, other.length);
    assert_int_equal(zip_close(zip), 0);
    buf_free(&class);
    buf_free(&other);
    buf_free(&plain);
}

static void test_check(void **state)
{
    static const struct {
        size_t class; /* its row above */
        const char *main_class, *version;
        bool others;
        const char *wrong; /* a part of the error; NULL: none */
    } rows[] = {
        {0, "my.Main", "4.2.0", false, NULL},
        {0, "my.Main$Helper", "4.2.0", false, NULL},
        {0, "org.apache.spark.deploy.SparkSubmit", "4.2.0", false, NULL},
        {0, "Other", "4.2.0", false, "is it my.lib.Other?"},
        {0, "a.Main", "4.2.0", false, "is it my.Main?"},
        {0, "a.Nope", "4.2.0", false, "there is no class a.Nope in "},
        {0, "a.Nope", "4.2.0", true, NULL},
        {1, "my.Main", "4.2.0", false, "Scala 2.12"},
        {4, "my.Main", "5.0.0-SNAPSHOT", false, "Scala 2.12"},
        {1, "my.Main", "3.5.1", false, NULL},
        {1, "my.Main", "", false, NULL},
        {3, "my.Main", "4.2.0", false, NULL},
        {3, "my.Main", "3.5.1", false, NULL},
        {3, "my.Main", "3.2.0", false, NULL},
        {3, "my.Main", "3.1.3", false, "Scala 2.13"},
        {3, "my.Main", "2.4.8", false, "Scala 2.13"},
        {8, "my.Main", "4.2.0", false, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error error = {.text = ""};
        int result;
        make_jar(rows[i].class);
        result = jar_check(jar_path, rows[i].main_class, rows[i].version, rows[i].others, &error);
        if (result != (rows[i].wrong ? -1 : 0) ||
            (rows[i].wrong && !strstr(error.text, rows[i].wrong)))
            fail_msg("row %zu: %d %s", i, result, error.text);
        if (rows[i].wrong)
            assert_int_equal(error.code, EXIT_REFUSED);
    }
    unlink(jar_path);
}

static void put_file(const char *bytes, size_t length)
{
    FILE *file = fopen(jar_path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static void test_no_jar(void **state)
{
    /* The end record alone, with a directory of no entry; of one that is not there; too long. */
    static const char *const ends[] = {
        "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        "PK\5\6\0\0\0\0\1\0\1\0\x2e\0\0\0\0\0\0\0\0\0",
        "PK\5\6\0\0\0\0\1\0\1\0\0\0\0\x7f\0\0\0\0\0\0",
        "PK\5\6\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0",
    };
    struct error error;

    (void)state;
    zip_discard(new_jar()); /* names it */
    assert_null(jar_open("/nope", &error));
    assert_int_equal(error.code, EXIT_INPUT);
    for (size_t length = 0; length < 3; length++) {
        put_file("no jar", length * 3);
        assert_null(jar_open(jar_path, &error));
        assert_int_equal(error.code, EXIT_INPUT);
    }
    for (size_t i = 1; i < COUNT(ends); i++) {
        put_file(ends[i], 22);
        assert_null(jar_open(jar_path, &error));
        assert_int_equal(error.code, EXIT_INPUT);
        if (i > 1)
            assert_non_null(strstr(error.text, "longer than"));
    }
    unlink(jar_path);
}

/* An entry that unpacks to more than the limit is left alone: 64 MiB of zeros take 64 KiB. */
static void test_bomb(void **state)
{
    size_t length = 64 << 20;
    char *zeros = mem_alloc(length, 1);
    struct error error;
    struct jar *jar;
    zip_t *zip = new_jar();

    (void)state;
    memcpy(zeros, "\xca\xfe\xba\xbe", 4);
    add_entry(zip, "my/Main.class", zeros, length);
    add_entry(zip, "META-INF/MANIFEST.MF", zeros, length);
    assert_int_equal(zip_close(zip), 0);
    jar = jar_open(jar_path, &error);
    assert_non_null(jar);
    assert_true(jar_has_class(jar, "my.Main"));
    assert_null(jar_main_class(jar));
    assert_int_equal(jar_scala(jar, "my.Main"), JAR_SCALA_NONE);
    jar_close(jar);
    jar_close(NULL);
    free(zeros);
    unlink(jar_path);
}

/* What comes behind so many classes that prove nothing is not looked at. */
static void test_class_limit(void **state)
{
    struct buf plain = {0}, telling = {0};
    char names[LIMIT_JAR_CLASSES][32];
    struct error error;

    (void)state;
    make_class(&plain, classes[0].constants, constants_of(0));
    make_class(&telling, classes[1].constants, constants_of(1));
    for (int less = 0; less < 2; less++) {
        zip_t *zip = new_jar();
        struct jar *jar;
        for (int i = less; i < LIMIT_JAR_CLASSES; i++) {
            snprintf(names[i], sizeof names[i], "my/Main$%d.class", i);
            add_entry(zip, names[i], plain.data, plain.length);
        }
        add_entry(zip, "my/Main.class", telling.data, telling.length);
        assert_int_equal(zip_close(zip), 0);
        jar = jar_open(jar_path, &error);
        assert_int_equal(jar_scala(jar, "my.Main"), less ? JAR_SCALA_212 : JAR_SCALA_NONE);
        jar_close(jar);
    }
    buf_free(&plain);
    buf_free(&telling);
    unlink(jar_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_class), cmocka_unit_test(test_manifest),
        cmocka_unit_test(test_check), cmocka_unit_test(test_no_jar),
        cmocka_unit_test(test_bomb),  cmocka_unit_test(test_class_limit)};
    return cmocka_run_group_tests_name("jar", tests, NULL, NULL);
}
