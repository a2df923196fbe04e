/* Kafka's protocol as the listener probe speaks it: what is asked, byte for
 * byte, what comes back, cut and changed in every place; and where Docker's
 * containers say that brokers are. */
#include "tests/unit/unit.h"

#include "cluster/base/limits.h"
#include "cluster/broker.h"
#include "cluster/probe/explain.h"
#include "cluster/probe/live.h"
#include "cluster/probe/places.h"
#include "cluster/probe/wire.h"

/* As Kafka 4.1.1 sent them, behind the length; the ApiVersions of one with three. */
static const char versions[] =
    "\0\0\0\x12\0\0\0\0\0\x03\0\x03\0\0\0\x0d\0\x12\0\0\0\x04\0\x20\0\x01\0\x04";
static const char metadata[] =
    "\0\0\0\x03\0\0\0\0\0\0\0\x02\0\0\0\x01\0\x06kafka1\0\0\x23\x84\xff\xff"
    "\0\0\0\x02\0\x09localhost\0\0\x23\x85\0\x01r\0\x03XYZ\0\0\0\x01\0\0\0\0";
static const char identity[] =
    "\0\0\0\x20\0\0\0\0\0\0\0\x02\0\x2a\0\x2bUnexpected broker id, expected 2 or empty..\x04\0\x01"
    "1\0\0\0\0\0\0\xff\xff\x04\0\x01"
    "2\0\0\0\x01\0\x09"
    "broker.id\0\x01"
    "2\1\4\0\0\0\0\1\0\1x\xff\xff\4";
static const char mechanisms[] = "\0\0\0\x11\0\x21\0\0\0\x02\0\x05PLAIN\0\x0dSCRAM-SHA-256";
static const char no_sasl[] = "\0\0\0\x11\0\x22\0\0\0\0";

static void check_request(const struct buf *request, const char *bytes, size_t length)
{
    assert_int_equal(request->length, length);
    assert_memory_equal(request->data, bytes, length);
}

#define CHECK_REQUEST(request, bytes) check_request(request, bytes, sizeof bytes - 1)

static void test_requests(void **state)
{
    char host[] = "h";
    struct wire_node nodes[] = {{7, host, 1}, {10, host, 2}};
    const struct wire_metadata told = {nodes, 2, host};
    struct buf asked[5] = {{0}};

    (void)state;
    wire_ask_versions(&asked[0]);
    CHECK_REQUEST(&asked[0], "\0\0\0\x16\0\x12\0\0\0\0\0\x12\0\x0ctally-doctor");
    wire_ask_metadata(&asked[1], 1);
    CHECK_REQUEST(&asked[1], "\0\0\0\x1a\0\x03\0\x01\0\0\0\x03\0\x0ctally-doctor\0\0\0\0");
    wire_ask_metadata(&asked[2], 4);
    CHECK_REQUEST(&asked[2], "\0\0\0\x1b\0\x03\0\x04\0\0\0\x03\0\x0ctally-doctor\0\0\0\0\0");
    wire_ask_identity(&asked[3], 1, &told);
    CHECK_REQUEST(&asked[3], "\0\0\0\x48\0\x20\0\x01\0\0\0\x20\0\x0ctally-doctor\0\0\0\x02"
                             "\x04\0\x01"
                             "7\0\0\0\x01\0\x0ctally-doctor\x04\0\x02"
                             "10\0\0\0\x01\0\x0ctally-doctor\0");
    wire_ask_mechanisms(&asked[4]);
    CHECK_REQUEST(&asked[4],
                  "\0\0\0\x24\0\x11\0\x01\0\0\0\x11\0\x0ctally-doctor\0\x0ctally-doctor");
    for (size_t i = 0; i < COUNT(asked); i++)
        buf_free(&asked[i]);
}

static void test_look(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t count;
        enum wire_kind kind;
    } rows[] = {
        {"nothing", "", 0, WIRE_MORE},
        {"half a length", "\0\0", 2, WIRE_MORE},
        {"half an answer",
         "\0\0\0\x06"
         "abc",
         7, WIRE_MORE},
        {"an answer",
         "\0\0\0\x06"
         "abcdef",
         10, WIRE_WHOLE},
        {"more than one",
         "\0\0\0\x04"
         "abcdef",
         10, WIRE_WHOLE},
        {"an alert", "\x15\x03\x03\0\x02\x02\x50", 7, WIRE_TLS},
        {"its first bytes", "\x15\x03", 2, WIRE_TLS},
        {"HTTP", "HTTP/1.1 400 Bad Request\r\n", 26, WIRE_HTTP},
        {"SSH", "SSH-2.0-OpenSSH", 15, WIRE_OTHER},
        {"too short",
         "\0\0\0\x03"
         "abc",
         7, WIRE_OTHER},
        {"too long",
         "\0\x10\0\x01"
         "abc",
         7, WIRE_OTHER},
        {"negative",
         "\xff\xff\xff\xff"
         "abc",
         7, WIRE_OTHER},
    };
    size_t length;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK(wire_look(rows[i].bytes, rows[i].count, &length) == rows[i].kind, rows[i].name);
}

static void test_versions(void **state)
{
    static const struct {
        int low, high, metadata;
    } rows[] = {{0, 13, 4}, {0, 1, 1}, {0, 0, -1}, {3, 9, 4}, {5, 12, -1}, {2, 2, 2}};
    struct wire_versions found;

    (void)state;
    assert_int_equal(wire_read_versions(versions, sizeof versions - 1, &found), 0);
    assert_int_equal(found.metadata, 4);
    assert_int_equal(found.configs, 2);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char bytes[sizeof versions];
        memcpy(bytes, versions, sizeof bytes);
        bytes[13] = (char)rows[i].low;
        bytes[15] = (char)rows[i].high;
        assert_int_equal(wire_read_versions(bytes, sizeof versions - 1, &found), 0);
        assert_int_equal(found.metadata, rows[i].metadata);
    }
    /* UNSUPPORTED_VERSION; another's answer; no API at all */
    assert_int_equal(wire_read_versions("\0\0\0\x12\0\x23\0\0\0\0", 10, &found), -1);
    assert_int_equal(wire_read_versions("\0\0\0\x13\0\0\0\0\0\0", 10, &found), -1);
    assert_int_equal(wire_read_versions("\0\0\0\x12\0\0\0\0\0\0", 10, &found), -1);
}

static void test_metadata(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t length;
    } bad[] = {
        {"a host with a line's end",
         "\0\0\0\x03\0\0\0\x01\0\0\0\x01\0\x02h\n\0\0\0\1\xff\xff\xff\xff", 24},
        {"no host", "\0\0\0\x03\0\0\0\x01\0\0\0\x01\0\0\0\0\0\1\xff\xff\xff\xff", 22},
        {"port 0", "\0\0\0\x03\0\0\0\x01\0\0\0\x01\0\1h\0\0\0\0\xff\xff\xff\xff", 23},
        {"port 65536", "\0\0\0\x03\0\0\0\x01\0\0\0\x01\0\1h\0\1\0\0\xff\xff\xff\xff", 23},
        {"more nodes than bytes", "\0\0\0\x03\0\1\0\0\0\0\0\x01\0\1h\0\0\0\1\xff\xff\xff\xff", 23},
    };
    struct wire_metadata found;

    (void)state;
    assert_int_equal(wire_read_metadata(metadata, sizeof metadata - 1, 4, &found), 0);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.nodes[0].id, 1);
    assert_string_equal(found.nodes[0].host, "kafka1");
    assert_int_equal(found.nodes[0].port, 9092);
    assert_string_equal(found.nodes[1].host, "localhost");
    assert_int_equal(found.nodes[1].port, 9093);
    assert_string_equal(found.cluster, "XYZ");
    wire_metadata_free(&found);
    for (size_t i = 0; i < COUNT(bad); i++) {
        CHECK(wire_read_metadata(bad[i].bytes, bad[i].length, 2, &found) == -1, bad[i].name);
        wire_metadata_free(&found);
    }
}

static void test_identity(void **state)
{
    char *names;
    int32_t id;

    (void)state;
    assert_int_equal(wire_read_identity(identity, sizeof identity - 1, 1, &id), 0);
    assert_int_equal(id, 2);
    assert_int_equal(wire_read_mechanisms(mechanisms, sizeof mechanisms - 1, &names), 0);
    assert_string_equal(names, "PLAIN, SCRAM-SHA-256");
    free(names);
    assert_int_equal(wire_read_mechanisms(no_sasl, sizeof no_sasl - 1, &names), 0);
    assert_string_equal(names, "");
    free(names);
}

static void read_all(const char *bytes, size_t length)
{
    struct wire_versions found;
    struct wire_metadata told;
    char *names;
    int32_t id;
    size_t size;

    wire_look(bytes, length, &size);
    wire_read_versions(bytes, length, &found);
    for (int version = 1; version <= 4; version++) {
        wire_read_metadata(bytes, length, version, &told);
        assert_true(told.count <= LIMIT_PROBE_NODES);
        wire_metadata_free(&told);
        wire_read_identity(bytes, length, version - 1, &id);
    }
    wire_read_mechanisms(bytes, length, &names);
    free(names);
}

/* Each is cut at every byte, and changed in up to four. The bytes are on the
 * heap, where the sanitizer sees what is read behind them. */
static void test_changed(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = {{versions, sizeof versions - 1},
                {metadata, sizeof metadata - 1},
                {identity, sizeof identity - 1},
                {mechanisms, sizeof mechanisms - 1},
                {no_sasl, sizeof no_sasl - 1}};
    unsigned seed = 7;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t length = 0; length <= rows[i].length; length++) {
            char *cut = malloc(length ? length : 1);
            memcpy(cut, rows[i].bytes, length);
            read_all(cut, length);
            free(cut);
        }
        for (int round = 0; round < 20000; round++) {
            char *changed = malloc(rows[i].length);
            memcpy(changed, rows[i].bytes, rows[i].length);
            for (int j = 0; j <= round % 4; j++) {
                seed = seed * 1103515245 + 12345;
                changed[(seed >> 8) % rows[i].length] = (char)(seed % 3 == 0   ? 0xff
                                                               : seed % 3 == 1 ? 0
                                                                               : seed >> 20);
            }
            read_all(changed, rows[i].length);
            free(changed);
        }
    }
}

static void test_split(void **state)
{
    static const struct {
        const char *address, *host;
        int port;
    } rows[] = {{"localhost:9092", "localhost", 9092},
                {"[::1]:1", "::1", 1},
                {"a.b-c_d:65535", "a.b-c_d", 65535},
                {"localhost", NULL, 0},
                {":9092", NULL, 0},
                {"h:0", NULL, 0},
                {"h:65536", NULL, 0},
                {"h:9x", NULL, 0},
                {"::1:9092", NULL, 0},
                {"h h:1", NULL, 0},
                {"http://h:1", NULL, 0},
                {"", NULL, 0},
                {"[]:1", NULL, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *host = NULL;
        int port;
        CHECK(probe_split(rows[i].address, &host, &port) == (rows[i].host != NULL),
              rows[i].address);
        if (rows[i].host) {
            char *whole = probe_address(host, port);
            CHECK(strcmp(host, rows[i].host) == 0 && port == rows[i].port, rows[i].address);
            CHECK(strcmp(whole, rows[i].address) == 0, rows[i].address);
            free(whole);
        }
        free(host);
    }
}

/* ---- Where brokers are */

static char *join(const struct places_list *list)
{
    struct buf text = {0};

    buf_text(&text, "");
    for (size_t i = 0; i < list->count; i++)
        buf_format(&text, "%s%s", i ? " " : "", list->list[i]);
    return text.data;
}

static void test_places(void **state)
{
    static const struct {
        const char *name, *image, *words[8];
        int own, published;
        const char *host, *network, *advertised; /* host: NULL: it is no broker */
    } rows[] = {
        {"two listeners",
         "apache/kafka:4.1.1",
         {"KAFKA_LISTENERS=CONTROLLER://:9093,HOST://:9092,IN://:19092",
          "KAFKA_ADVERTISED_LISTENERS=HOST://localhost:29092, IN://k:19092"},
         9092,
         29092,
         "localhost:29092",
         "k:19092 svc:9092 svc:19092",
         "localhost:29092 k:19092"},
        {"bitnami",
         "bitnami/kafka",
         {"KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CTRL://:9093",
          "KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CTRL"},
         9092,
         9092,
         "localhost:9092",
         "svc:9092",
         ""},
        {"redpanda",
         "redpandadata/redpanda",
         {"--kafka-addr", "internal://0.0.0.0:9092,external://0.0.0.0:19092",
          "--advertise-kafka-addr=internal://redpanda:9092,external://localhost:19092",
          "--pandaproxy-addr", "internal://0.0.0.0:8082"},
         19092,
         19092,
         "localhost:19092",
         "redpanda:9092 svc:9092 svc:19092",
         "redpanda:9092 localhost:19092"},
        {"only an image", "docker.io/apache/kafka", {"/run"}, 9092, 0, "", "svc:9092", ""},
        {"published where nobody listens",
         "confluentinc/cp-kafka:7.6.0",
         {"KAFKA_LISTENERS=A://0.0.0.0:9092"},
         9093,
         9092,
         "localhost:9092",
         "svc:9092",
         ""},
        {"bad items",
         "x/kafka-y",
         {"KAFKA_ADVERTISED_LISTENERS=,,://,A://,B://h:x,C://0.0.0.0:9092,D://good:1"},
         9092,
         9092,
         "localhost:9092",
         "good:1 svc:9092",
         "good:1"},
        {"a client", "x/app", {"KAFKA_BOOTSTRAP_SERVERS=kafka:9092"}, 9092, 9092, NULL, "", ""},
        {"Connect",
         "confluentinc/cp-kafka-connect",
         {"CONNECT_LISTENERS=http://:8083"},
         8083,
         8083,
         NULL,
         "",
         ""},
        {"tools of the image", "tally/kafka", {"sleep"}, 0, 0, NULL, "", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int own[] = {rows[i].own, 0}, ports[] = {rows[i].published, 0};
        char *networks[] = {(char *)(uintptr_t) "net", NULL}, empty[] = "", id[] = "1",
             service[] = "svc";
        const struct docker_container container = {.id = id,
                                                   .name = service,
                                                   .service = service,
                                                   .address = empty,
                                                   .gateway = empty,
                                                   .ports = ports,
                                                   .own = own,
                                                   .image = (char *)(uintptr_t)rows[i].image,
                                                   .files = empty,
                                                   .networks = networks};
        struct places places = {0};
        bool found = places_add(&places, &container, (char *const *)(uintptr_t)rows[i].words);
        char *host = join(&places.host), *advertised = join(&places.advertised),
             *network = places.network_count ? join(&places.networks[0].addresses) : mem_text("");
        CHECK(found == (rows[i].host != NULL), rows[i].name);
        CHECK(strcmp(host, rows[i].host ? rows[i].host : "") == 0, rows[i].name);
        CHECK(strcmp(network, rows[i].network) == 0, rows[i].name);
        CHECK(strcmp(advertised, rows[i].advertised) == 0, rows[i].name);
        free(host);
        free(network);
        free(advertised);
        places_free(&places);
    }
}

static void test_most_networks(void **state)
{
    char names[LIMIT_PROBE_NETWORKS + 4][8], empty[] = "", name[] = "k", image[] = "apache/kafka";
    char *networks[LIMIT_PROBE_NETWORKS + 5] = {NULL};
    int own[] = {9092, 0}, ports[] = {0, 0};
    const struct docker_container container = {empty, name, empty, empty, empty,
                                               ports, own,  image, empty, networks};
    struct places places = {0};

    (void)state;
    for (size_t i = 0; i < LIMIT_PROBE_NETWORKS + 4; i++) {
        snprintf(names[i], sizeof names[i], "n%zu", i);
        networks[i] = names[i];
    }
    assert_true(places_add(&places, &container, NULL));
    assert_int_equal(places.network_count, LIMIT_PROBE_NETWORKS);
    assert_true(places.cut);
    places_free(&places);
}

/* What a network's probe prints is read as it was. */
static void test_json(void **state)
{
    static const char text[] =
        "{\"live\":{\"bootstrap\":[],\"vantages\":[{\"from\":\"n\",\"error\":null,\"endpoints\":["
        "{\"address\":\"k:9092\",\"node\":null,\"asked\":true,\"works\":false,\"steps\":{"
        "\"resolve\""
        ":0.5,\"connect\":1.0,\"api_versions\":2.0,\"metadata\":1.0},\"ok\":true,\"failure\":null,"
        "\"reason\":null,\"answered_by\":1,\"cluster\":\"X\",\"advertised\":[{\"node\":2,"
        "\"address\""
        ":\"[::1]:9092\"}]},{\"address\":\"[::1]:9092\",\"node\":2,\"asked\":false,\"works\":false,"
        "\"steps\":{},\"ok\":false,\"failure\":\"refused\",\"reason\":\"no\",\"answered_by\":null,"
        "\"cluster\":null,\"advertised\":[]}],\"round_trip\":{\"address\":\"k:9092\",\"ok\":false,"
        "\"produce\":null,\"consume\":null,\"reason\":\"why\"}}],\"causes\":[]}}";
    struct live live = {0};
    struct live_vantage *vantage = live_add(&live, "n");
    json_t *root;
    char *again;

    (void)state;
    assert_int_equal(live_read_vantage(text, sizeof text - 1, vantage), 0);
    root = live_json(&live);
    again = json_dumps(root, JSON_COMPACT);
    assert_string_equal(again, text);
    json_decref(root);
    free(again);
    live_judge(&live);
    assert_int_equal(live.cause_count, 1);
    assert_string_equal(live.causes[0].rule, "LOCAL-INTERNAL");
    live_free(&live);
    for (size_t length = 0; length < sizeof text - 1; length += 7) {
        vantage = live_add(&live, "n");
        assert_int_equal(live_read_vantage(text, length, vantage), -1);
    }
    live_free(&live);
}

/* What is published is of the host, and no advice within a network. */
static void test_refused(void **state)
{
    static const char text[] =
        "{\"live\":{\"bootstrap\":[],\"vantages\":[{\"from\":\"n\",\"error\":null,\"endpoints\":["
        "{\"address\":\"k:9092\",\"node\":null,\"asked\":true,\"works\":false,\"steps\":{},\"ok\":"
        "false,\"failure\":\"refused\",\"reason\":\"no\",\"answered_by\":null,\"cluster\":null,"
        "\"advertised\":[]}],\"round_trip\":null}],\"causes\":[]}}";
    static const char *const places[] = {LIVE_HOST, "n"};

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        struct live live = {0};
        struct live_vantage *vantage = live_add(&live, places[i]);

        assert_int_equal(live_read_vantage(text, sizeof text - 1, vantage), 0);
        vantage->wanted = true;
        live_judge(&live);
        assert_int_equal(live.cause_count, 1);
        assert_int_equal(strstr(live.causes[0].fix, "docker ps") != NULL, i == 0);
        assert_int_equal(strstr(live.causes[0].fix, "KAFKA_LISTENERS") != NULL, i == 1);
        live_free(&live);
    }
}

/* Of two nodes one is down: that is no port that is published as another one. */
static void test_a_node_is_down(void **state)
{
    static const char text[] =
        "{\"live\":{\"bootstrap\":[],\"vantages\":[{\"from\":\"n\",\"error\":null,\"endpoints\":["
        "{\"address\":\"localhost:9091\",\"node\":null,\"asked\":true,\"works\":false,\"steps\":{},"
        "\"ok\":true,\"failure\":null,\"reason\":null,\"answered_by\":1,\"cluster\":\"X\","
        "\"advertised\":[{\"node\":1,\"address\":\"localhost:9091\"},"
        "{\"node\":2,\"address\":\"localhost:9092\"}]},"
        "{\"address\":\"localhost:9092\",\"node\":2,\"asked\":false,\"works\":false,\"steps\":{},"
        "\"ok\":false,\"failure\":\"refused\",\"reason\":\"no\",\"answered_by\":null,"
        "\"cluster\":null,\"advertised\":[]}],\"round_trip\":null}],\"causes\":[]}}";
    struct live live = {0};
    struct live_vantage *vantage = live_add(&live, LIVE_HOST);

    (void)state;
    assert_int_equal(live_read_vantage(text, sizeof text - 1, vantage), 0);
    vantage->wanted = true;
    live_judge(&live);
    assert_int_equal(live.cause_count, 1);
    assert_string_equal(live.causes[0].rule, "");
    assert_non_null(strstr(live.causes[0].cause, "node 2 of the cluster is not at localhost:9092"));
    assert_non_null(strstr(live.causes[0].fix, "node 2 must run, with the port 9092"));
    live_free(&live);
}

static void test_explain(void **state)
{
    struct kafka_settings *settings = kafka_settings_new();
    struct error error;
    struct broker *broker = broker_start(&error);
    char *servers = mem_format("bootstrap.servers=%s", broker_address(broker)), *words;

    (void)state;
    assert_null(probe_explain(settings));
    kafka_settings_add(settings, servers, &error);
    assert_null(probe_explain(settings));
    kafka_settings_add(settings, "bootstrap.servers=127.0.0.1:1", &error);
    words = probe_explain(settings);
    assert_non_null(words);
    assert_non_null(strstr(words, "127.0.0.1:1: connection refused (127.0.0.1): nobody listens"));
    assert_null(strchr(words, '\n'));
    free(words);
    kafka_settings_add(settings, "bootstrap.servers=PLAINTEXT://no-such-host.invalid, ::x", &error);
    words = probe_explain(settings);
    assert_non_null(strstr(words, "no-such-host.invalid:9092: the name"));
    free(words);
    kafka_settings_free(settings);
    free(servers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests), cmocka_unit_test(test_look),
        cmocka_unit_test(test_versions), cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_identity), cmocka_unit_test(test_changed),
        cmocka_unit_test(test_split),    cmocka_unit_test(test_places),
        cmocka_unit_test(test_json),     cmocka_unit_test(test_most_networks),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_a_node_is_down),
        cmocka_unit_test(test_explain)};
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
