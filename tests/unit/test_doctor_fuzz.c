/* The doctor over mutations of the rules' examples: read, examined, corrected,
 * the difference shown. TALLY_FUZZ sets the rounds, TALLY_FUZZ_FROM the first. */
#include "tests/unit/doctor.h"

#include <time.h>

#include "cluster/doctor/correct.h"

static uint64_t random_state;
static char name[32]; /* of the round */

/* xorshift64* */
static uint32_t random_number(uint32_t below)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * 2685821657736338717u) >> 32) % below;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void cut(struct buf *buf, size_t at, size_t length)
{
    length = least(length, buf->length - at);
    memmove(buf->data + at, buf->data + at + length, buf->length - at - length);
    buf->length -= length;
}

static void put(struct buf *buf, size_t at, const char *bytes, size_t length)
{
    buf_reserve(buf, length);
    memmove(buf->data + at + length, buf->data + at, buf->length - at);
    memcpy(buf->data + at, bytes, length);
    buf->length += length;
}

/* Where the line that has this byte begins. */
static size_t line_start(const struct buf *buf, size_t at)
{
    while (at && buf->data[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_length(const struct buf *buf, size_t start)
{
    const char *end = memchr(buf->data + start, '\n', buf->length - start);

    return end ? (size_t)(end - buf->data) + 1 - start : buf->length - start;
}

/* A line of this or another example to any place: what real mistakes are made of. */
static void copy_line(struct buf *buf, const char *other, size_t at)
{
    struct buf from = {0};
    size_t start, length;

    buf_text(&from, other);
    start = line_start(&from, random_number((uint32_t)from.length));
    length = line_length(&from, start);
    put(buf, line_start(buf, at), from.data + start, length);
    buf_free(&from);
}

static void add_piece(struct buf *buf, size_t at)
{
    static const char *const pieces[] = {",",
                                         "://",
                                         ":",
                                         ":9092",
                                         ":9093",
                                         "localhost",
                                         "0.0.0.0",
                                         "127.0.0.1",
                                         "192.168.1.10",
                                         "[::1]",
                                         "kafka",
                                         "HOST",
                                         "CONTROLLER",
                                         "PLAINTEXT",
                                         "SASL_SSL",
                                         "${",
                                         "}",
                                         "${A}",
                                         "${A:-b}",
                                         "$",
                                         "<ip>",
                                         "\"",
                                         "'",
                                         "&a ",
                                         "*a",
                                         "<<: *a",
                                         "{",
                                         "[",
                                         "]",
                                         "- ",
                                         "|\n",
                                         ">-\n",
                                         "\n",
                                         "\r\n",
                                         "\t",
                                         "\0",
                                         "#",
                                         "~",
                                         "=",
                                         "@",
                                         "1@",
                                         "65536",
                                         "99999999999999999999",
                                         "-1",
                                         "\xe5\xa5\xb3",
                                         "\xff",
                                         "redpandadata/redpanda",
                                         "bitnami/kafka",
                                         "KAFKA_CFG_"};
    const char *piece = pieces[random_number(COUNT(pieces))];

    put(buf, at, piece, *piece ? strlen(piece) : 1);
}

static void mutate(struct buf *buf, const char *other)
{
    for (uint32_t i = 1 + random_number(6); i > 0 && buf->length > 0; i--) {
        size_t at = random_number((uint32_t)buf->length), start = line_start(buf, at);
        switch (random_number(6)) {
        case 0:
            cut(buf, at, random_number(20));
            break;
        case 1:
            cut(buf, start, line_length(buf, start));
            break;
        case 2:
        case 3:
            copy_line(buf, other, at);
            break;
        default:
            add_piece(buf, at);
        }
    }
}

static void check_findings(const struct diagnosis *diagnosis)
{
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct finding *finding = &diagnosis->findings[i];
        struct buf change = {0};

        CHECK(*finding->message && !strchr(finding->message, '\n'), name);
        for (size_t k = 0; k < finding->edit_count; k++)
            CHECK(finding->edits[k].start <= finding->edits[k].end &&
                      finding->edits[k].end <= finding->edits[k].source->length,
                  name);
        correct_change(&change, finding);
        buf_free(&change);
    }
}

static void look_at(const char *path)
{
    const char *files[] = {path, NULL};
    struct compose_request request = {.files = files};
    struct corrections corrections;
    struct error error = {0};

    if (examine(&request, &corrections, &error) < 0) {
        CHECK(error.code == EXIT_INPUT && !strchr(error.text, '\n'), name);
        return;
    }
    correct(&request, &corrections);
    check_findings(corrections.before);
    check_findings(corrections.after);
    /* A correction does not make it worse. */
    CHECK(corrections.after->verdict <= corrections.before->verdict, name);
    for (size_t i = 0; i < corrections.count; i++) {
        struct buf diff = {0};
        correct_diff(&diff, corrections.list[i].before, corrections.list[i].after, "after.yaml");
        CHECK(diff.length > 0, name);
        buf_free(&diff);
    }
    corrections_free(&corrections);
}

static size_t rule_count(void)
{
    size_t count = 0;

    while (rules[count].id)
        count++;
    return count;
}

static const char *wrong_example(size_t index)
{
    return rule_example(&rules[index % rule_count()])->wrong;
}

static void test_doctor(void **state)
{
    const char *rounds = getenv("TALLY_FUZZ"), *from = getenv("TALLY_FUZZ_FROM");
    size_t first = from ? strtoul(from, NULL, 10) : 0;
    size_t last = first + (rounds ? strtoul(rounds, NULL, 10) : 600);
    struct buf buf = {0};
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/compose.yaml", doctor_folder);
    for (size_t i = first; i < last; i++) {
        clock_t start = clock();

        snprintf(name, sizeof name, "round %zu", i);
        random_state = (i + 1) * 0x9e3779b97f4a7c15u; /* each round can be had alone */
        buf.length = 0;
        buf_text(&buf, wrong_example(i));
        mutate(&buf, wrong_example(random_number((uint32_t)rule_count())));
        doctor_write("compose.yaml", buf.data, buf.length);
        look_at(path);
        CHECK(clock() - start < CLOCKS_PER_SEC, name);
    }
    buf_free(&buf);
}

#define AT_ONCE_S 10 /* with the sanitizers, too */

/* As much as a value may hold, in each of many services. */
static void test_long_values(void **state)
{
    static const struct {
        const char *variable, *item;
        int items;
    } rows[] = {
        {"KAFKA_ADVERTISED_LISTENERS", "A://h:1,", 16000},
        {"KAFKA_LISTENERS", "A://h:1,", 16000},
        {"KAFKA_LISTENERS", "A:\\x2f/h:1,", 10000}, /* not as the file has it */
        {"KAFKA_BOOTSTRAP_SERVERS", "kafka:9092,", 11000},
        {"KAFKA_BOOTSTRAP_SERVERS", "# a:1\\n", 16000},
    };
    struct buf buf = {0};
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/compose.yaml", doctor_folder);
    for (size_t i = 0; i < COUNT(rows); i++) {
        clock_t start = clock();
        const char *image = strstr(rows[i].variable, "BOOTSTRAP") ? "x" : "apache/kafka:3.9.0";

        snprintf(name, sizeof name, "long value %zu", i);
        buf.length = 0;
        buf_text(&buf, "services:\n  kafka: {image: apache/kafka:3.9.0}\n");
        for (int k = 0; k < 8; k++) {
            buf_format(&buf, "  s%d: {image: \"%s\", environment: {%s: \"", k, image,
                       rows[i].variable);
            for (int n = 0; n < rows[i].items; n++)
                buf_text(&buf, rows[i].item);
            buf_text(&buf, "\"}}\n");
        }
        doctor_write("compose.yaml", buf.data, buf.length);
        look_at(path);
        CHECK((clock() - start) / CLOCKS_PER_SEC < AT_ONCE_S, name);
    }
    buf_free(&buf);
}

/* What correct() makes of a verdict. */
static void test_correct(void **state)
{
    static const struct {
        const char *name, *file;
        enum verdict before, after;
    } rows[] = {
        {"a variable's right name makes it count, and its value is wrong: the file stays",
         "services:\n"
         "  kafka:\n"
         "    image: confluentinc/cp-kafka:7.9.0\n"
         "    ports: [\"9092:9092\"]\n"
         "    environment:\n"
         "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
         "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
         "      KAFKA_LISTENER: PLA\n",
         VERDICT_SUSPICIOUS, VERDICT_SUSPICIOUS},
        {"the same, and another suspicion that can be corrected",
         "services:\n"
         "  kafka:\n"
         "    image: confluentinc/cp-kafka:7.9.0\n"
         "    ports: [\"9092\"]\n"
         "    environment:\n"
         "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
         "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
         "      KAFKA_LISTENER: PLA\n",
         VERDICT_SUSPICIOUS, VERDICT_SUSPICIOUS},
        {"a variable's right name shows what is wrong, and that can be corrected",
         "services:\n"
         "  kafka:\n"
         "    image: confluentinc/cp-kafka:7.9.0\n"
         "    ports: [\"9092:9092\"]\n"
         "    environment:\n"
         "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
         "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
         "      KAFKA_LISTENER: 192.168.1.10:9092\n",
         VERDICT_SUSPICIOUS, VERDICT_OK},
        {"two listeners on a port: only that is corrected, and no third is added",
         "services:\n"
         "  kafka:\n"
         "    image: confluentinc/cp-kafka:7.9.0\n"
         "    ports: [\"9092:9092\"]\n"
         "    environment:\n"
         "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
         "      KAFKA_LISTENERS: PLAINTEXT://:9092,HOST://:9092\n"
         "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,HOST://localhost:9092\n"
         "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT\n",
         VERDICT_BROKEN, VERDICT_OK},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char path[128];
        const char *files[] = {path, NULL};
        struct compose_request request = {.files = files};
        struct corrections corrections;
        struct error error = {0};

        snprintf(path, sizeof path, "%s/compose.yaml", doctor_folder);
        doctor_write("compose.yaml", rows[i].file, strlen(rows[i].file));
        CHECK(examine(&request, &corrections, &error) == 0, rows[i].name);
        correct(&request, &corrections);
        CHECK(corrections.before->verdict == rows[i].before, rows[i].name);
        CHECK(corrections.after->verdict == rows[i].after, rows[i].name);
        CHECK((corrections.count > 0) == (i > 0), rows[i].name);
        corrections_free(&corrections);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_correct),
                                       cmocka_unit_test(test_long_values),
                                       cmocka_unit_test(test_doctor)};

    return cmocka_run_group_tests(tests, doctor_open, doctor_close);
}
