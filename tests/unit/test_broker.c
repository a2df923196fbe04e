/* Which services are brokers, and Kafka's properties as their images make them
 * of variables, flags and files. A row's expectation is one line a broker:
 * service, image, version; L listeners, A advertised, M the map, I the brokers'
 * own listener, R the roles, V the voters; "?" where it cannot be known. */
#include "tests/unit/doctor.h"

#include <string.h>

#include "cluster/doctor/broker.h"

static const char *image_name(enum broker_image image)
{
    static const char *const names[] = {"apache",   "confluent", "bitnami", "wurstmeister",
                                        "redpanda", "tally",     "other"};

    return names[image];
}

static void dump_endpoints(struct buf *out, char what, const struct endpoints *endpoints)
{
    buf_format(out, " %c", what);
    for (size_t i = 0; i < endpoints->count; i++)
        buf_format(out, "%s%s://%s:%d", i ? "," : "", endpoints->list[i].name,
                   endpoints->list[i].host, endpoints->list[i].port);
    if (endpoints->bad)
        buf_format(out, "!%s", endpoints->bad);
}

static void dump(struct buf *out, const struct broker *broker)
{
    buf_format(out, "%s %s", broker->service->name, image_name(broker->image));
    if (broker->latest)
        buf_text(out, " latest");
    else if (broker->major >= 0)
        buf_format(out, " %d.%d", broker->major, broker->minor);
    if (broker->unknown)
        buf_text(out, " ?");
    dump_endpoints(out, 'L', &broker->listeners);
    dump_endpoints(out, 'A', &broker->advertised);
    if (broker->map_given) {
        buf_text(out, " M");
        for (size_t i = 0; i < broker->map_count; i++)
            buf_format(out, "%s%s:%s", i ? "," : "", broker->map[i].name, broker->map[i].protocol);
    }
    if (strcmp(broker->inter_broker, "PLAINTEXT"))
        buf_format(out, " I%s", broker->inter_broker);
    if (broker->kraft)
        buf_format(out, " R%s%s%ld", broker->is_broker ? "b" : "", broker->is_controller ? "c" : "",
                   broker->node_id);
    for (size_t i = 0; i < broker->voter_count; i++)
        buf_format(out, " V%ld@%s:%d", broker->voters[i].id, broker->voters[i].host,
                   broker->voters[i].port);
    buf_char(out, '\n');
}

#define MAP(image, lines) "services:\n  k:\n    image: " image "\n    environment:\n" lines
#define S(more)           "services:\n  k:\n" more
#define V(line)           "      " line "\n"

static const struct {
    const char *name, *yaml, *expected;
} rows[] = {
    {"apache, nothing given", S("    image: apache/kafka:3.9.1\n"),
     "k apache 3.9 LPLAINTEXT://:9092,CONTROLLER://:9093 APLAINTEXT://localhost:9092 "
     "MCONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,"
     "SASL_SSL:SASL_SSL Rbc1 V1@localhost:9093\n"},
    {"apache, Java's variables are no configuration",
     MAP("apache/kafka", V("KAFKA_HEAP_OPTS: -Xmx1g") V("CLUSTER_ID: abc")),
     "k apache latest LPLAINTEXT://:9092,CONTROLLER://:9093 APLAINTEXT://localhost:9092 "
     "MCONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,"
     "SASL_SSL:SASL_SSL Rbc1 V1@localhost:9093\n"},
    {"apache, one variable drops the defaults",
     MAP("apache/kafka:4.0.0", V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:9092")),
     "k apache 4.0 LPLAINTEXT://0.0.0.0:9092 APLAINTEXT://k:9092\n"},
    {"apache, list style and blanks",
     MAP("docker.io/apache/kafka:3.8.0",
         V("- KAFKA_NODE_ID=7") V("- KAFKA_PROCESS_ROLES=broker, controller")
             V("- KAFKA_LISTENERS= plaintext://:9092 , CONTROLLER://:9093,")
                 V("- KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092")
                     V("- KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER")
                         V("- KAFKA_CONTROLLER_QUORUM_VOTERS=7@k:9093")),
     "k apache 3.8 LPLAINTEXT://:9092,CONTROLLER://:9093 APLAINTEXT://localhost:9092 Rbc7 "
     "V7@k:9093\n"},
    {"apache, a controller alone",
     MAP("apache/kafka:3.9.1", V("KAFKA_NODE_ID: 1") V("KAFKA_PROCESS_ROLES: controller")
                                   V("KAFKA_LISTENERS: CONTROLLER://:9093")
                                       V("KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER")
                                           V("KAFKA_CONTROLLER_QUORUM_VOTERS: 1@k:9093")),
     "k apache 3.9 LCONTROLLER://:9093 A Rc1 V1@k:9093\n"},
    {"confluent, listeners from advertised",
     MAP("confluentinc/cp-kafka:7.5.3",
         V("KAFKA_ZOOKEEPER_CONNECT: zk:2181")
             V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:29092,HOST://localhost:9092")
                 V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT")
                     V("KAFKA_INTER_BROKER_LISTENER_NAME: HOST")),
     "k confluent 3.5 LPLAINTEXT://0.0.0.0:29092,HOST://0.0.0.0:9092 "
     "APLAINTEXT://k:29092,HOST://localhost:9092 MPLAINTEXT:PLAINTEXT,HOST:PLAINTEXT IHOST\n"},
    {"confluent, versions",
     "services:\n  a: {image: 'confluentinc/cp-server:6.1.0'}\n"
     "  b: {image: 'confluentinc/cp-kafka:5.5.1-1-ubi8'}\n"
     "  c: {image: 'reg.example:5000/x/confluentinc/cp-kafka:8.0.0'}\n"
     "  d: {image: 'confluentinc/cp-kafka:latest'}\n"
     "  e: {image: 'confluentinc/cp-kafka@sha256:0123'}\n"
     "  f: {image: 'confluentinc/cp-kafka:3.3.0'}\n",
     "a confluent 2.7 LPLAINTEXT://:9092 APLAINTEXT://:9092\n"
     "b confluent 2.5 LPLAINTEXT://:9092 APLAINTEXT://:9092\n"
     "c confluent 4.0 LPLAINTEXT://:9092 APLAINTEXT://:9092\n"
     "d confluent latest LPLAINTEXT://:9092 APLAINTEXT://:9092\n"
     "e confluent LPLAINTEXT://:9092 APLAINTEXT://:9092\n"
     "f confluent 0.11 LPLAINTEXT://:9092 APLAINTEXT://:9092\n"},
    {"confluent-local", S("    image: confluentinc/confluent-local:7.6.0\n"),
     "k confluent 3.6 LPLAINTEXT://localhost:29092,CONTROLLER://localhost:29093,"
     "PLAINTEXT_HOST://0.0.0.0:9092 APLAINTEXT://localhost:29092,PLAINTEXT_HOST://localhost:9092 "
     "MCONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT Rbc1 "
     "V1@localhost:29093\n"},
    {"bitnami, both spellings",
     MAP("bitnami/kafka:3.6",
         V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093,EXTERNAL://:9094")
             V("- KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://x:9092")
                 V("- KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://k:9092,EXTERNAL://localhost:9094")
                     V("- KAFKA_CFG_PROCESS_ROLES=controller,broker") V("- KAFKA_CFG_NODE_ID=0")
                         V("- KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER")
                             V("- KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@k:9093")),
     "k bitnami 3.6 LPLAINTEXT://:9092,CONTROLLER://:9093,EXTERNAL://:9094 "
     "APLAINTEXT://k:9092,EXTERNAL://localhost:9094 Rbc0 V0@k:9093\n"},
    {"bitnami, old, on ZooKeeper",
     MAP("bitnamilegacy/kafka:2.8.1",
         V("- KAFKA_CFG_ZOOKEEPER_CONNECT=zk:2181") V("- ALLOW_PLAINTEXT_LISTENER=yes")),
     "k bitnami 2.8 LPLAINTEXT://:9092 APLAINTEXT://:9092\n"},
    {"bitnami, 3.4 had KRaft's file beneath",
     MAP("bitnami/kafka:3.4.0", V("- ALLOW_PLAINTEXT_LISTENER=yes")),
     "k bitnami 3.4 LPLAINTEXT://:9092,CONTROLLER://:9093 APLAINTEXT://:9092 "
     "MCONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,"
     "SASL_SSL:SASL_SSL Rbc1 V1@localhost:9093\n"},
    {"an image of nobody's, the server started by hand",
     S("    image: automqinc/automq:1.6.0\n    command:\n      - bash\n      - -c\n      - |\n"
       "        /opt/automq/kafka/bin/kafka-server-start.sh \\\n"
       "        /opt/automq/kafka/config/kraft/server.properties \\\n"
       "        --override node.id=0 --override cluster.id=$$CLUSTER_ID \\\n"
       "        --override controller.quorum.voters=0@k:9093,1@l:9093 \\\n"
       "        --override advertised.listeners=PLAINTEXT://k:9092\n"),
     "k other LPLAINTEXT://:9092,CONTROLLER://:9093 APLAINTEXT://k:9092 "
     "MCONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,"
     "SASL_SSL:SASL_SSL Rbc0 V0@k:9093 V1@l:9093\n"},
    {"the same, with what the shell knows",
     S("    image: automqinc/automq:1.6.0\n"
       "    command: bash -c 'kafka-server-start.sh config/kraft/server.properties --override "
       "advertised.listeners=PLAINTEXT://$$(hostname):9092'\n"),
     "k other ? LPLAINTEXT://:9092,CONTROLLER://:9093 APLAINTEXT://localhost:9092 "
     "MCONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,"
     "SASL_SSL:SASL_SSL Rbc1 V1@localhost:9093\n"},
    {"no broker: ZooKeeper and a topic of the same image",
     S("    image: automqinc/automq:1.6.0\n    command: zookeeper-server-start.sh z.properties\n"
       "  l:\n    image: automqinc/automq:1.6.0\n    command: kafka-topics.sh --list\n"),
     ""},
    {"a broker's image, a script, and its configuration mounted",
     S("    image: quay.io/strimzi/kafka:0.30.0-kafka-3.2.0\n    command: [/tmp/wait.sh]\n"
       "    volumes: ['./no-such:/opt/kafka/config/server.properties']\n"),
     "k other ? LPLAINTEXT://:9092 APLAINTEXT://:9092\n"},
    {"no broker: a broker's image, and a script",
     S("    image: quay.io/strimzi/kafka:0.30.0-kafka-3.2.0\n    command: [/tmp/wait.sh]\n"), ""},
    {"wurstmeister, old names",
     MAP("wurstmeister/kafka:2.12-2.5.0",
         V("KAFKA_ADVERTISED_HOST_NAME: 192.168.1.5") V("KAFKA_ZOOKEEPER_CONNECT: zk:2181")),
     "k wurstmeister 2.5 LPLAINTEXT://:9092 APLAINTEXT://192.168.1.5:9092\n"},
    {"wurstmeister, latest is 2.8",
     MAP("wurstmeister/kafka", V("KAFKA_ADVERTISED_HOST_NAME: h") V("KAFKA_ADVERTISED_PORT: 9094")
                                   V("KAFKA_ZOOKEEPER_CONNECT: zk:2181")),
     "k wurstmeister 2.8 LPLAINTEXT://:9092 APLAINTEXT://h:9094\n"},
    {"wurstmeister, a command decides",
     MAP("wurstmeister/kafka:1.1.0",
         V("HOSTNAME_COMMAND: hostname -i") V("KAFKA_LISTENERS: INSIDE://:9092,OUTSIDE://:9094")
             V("KAFKA_ADVERTISED_LISTENERS: INSIDE://:9092,OUTSIDE://_{HOSTNAME_COMMAND}:9094")
                 V("KAFKA_ZOOKEEPER_CONNECT: zk:2181")),
     "k wurstmeister 1.1 ? LINSIDE://:9092,OUTSIDE://:9094 "
     "AINSIDE://:9092!OUTSIDE://_{HOSTNAME_COMMAND}:9094\n"},
    {"wurstmeister, before 1.1 its script put listeners together",
     MAP("wurstmeister/kafka:1.0.0",
         V("KAFKA_ADVERTISED_PROTOCOL_NAME: OUTSIDE") V("KAFKA_PROTOCOL_NAME: INSIDE")
             V("KAFKA_ADVERTISED_HOST_NAME: h") V("KAFKA_ADVERTISED_PORT: 9094")
                 V("KAFKA_ZOOKEEPER_CONNECT: zk:2181")),
     "k wurstmeister 1.0 ? LPLAINTEXT://:9092 APLAINTEXT://h:9094\n"},
    {"redpanda, separate items",
     S("    image: docker.redpanda.com/redpandadata/redpanda:v23.2.1\n    command:\n"
       "      - redpanda\n      - start\n      - --kafka-addr\n"
       "      - internal://0.0.0.0:9092,external://0.0.0.0:19092\n"
       "      - --advertise-kafka-addr\n"
       "      - internal://k:9092,external://localhost:19092\n"),
     "k redpanda LINTERNAL://0.0.0.0:9092,EXTERNAL://0.0.0.0:19092 "
     "AINTERNAL://k:9092,EXTERNAL://localhost:19092\n"},
    {"redpanda, with =, and without a name or port",
     S("    image: vectorized/redpanda\n    command:\n      - redpanda start\n"
       "      - --kafka-addr=0.0.0.0\n      - --advertise-kafka-addr=k:9092\n"),
     "k redpanda latest L://0.0.0.0:9092 A://k:9092\n"},
    {"redpanda, flag and value in one item",
     S("    image: redpandadata/redpanda:latest\n    command:\n      - redpanda start\n"
       "      - --smp 1\n      - --kafka-addr PLAINTEXT://0.0.0.0:29092,OUTSIDE://0.0.0.0:9092\n"
       "      - --advertise-kafka-addr PLAINTEXT://k:29092,OUTSIDE://localhost:9092\n"),
     "k redpanda latest LPLAINTEXT://0.0.0.0:29092,OUTSIDE://0.0.0.0:9092 "
     "APLAINTEXT://k:29092,OUTSIDE://localhost:9092\n"},
    {"redpanda, one string",
     S("    image: redpandadata/redpanda:v24.1.1\n"
       "    command: redpanda start --smp 1 --kafka-addr a://0.0.0.0:1 --advertise-kafka-addr "
       "a://k:1\n"),
     "k redpanda LA://0.0.0.0:1 AA://k:1\n"},
    {"redpanda, in a script",
     S("    image: redpandadata/redpanda:v24.1.1\n    entrypoint: [/bin/sh, -c]\n"
       "    command: [\"sleep 1 && rpk redpanda start --kafka-addr a://0.0.0.0:1,b://0.0.0.0:2 "
       "--advertise-kafka-addr a://k:1,b://localhost:2 --smp 1\"]\n"),
     "k redpanda LA://0.0.0.0:1,B://0.0.0.0:2 AA://k:1,B://localhost:2\n"},
    {"redpanda, its file",
     S("    image: redpandadata/redpanda:v24.1.1\n"
       "    volumes: ['./redpanda.yaml:/etc/redpanda/redpanda.yaml']\n"),
     "k redpanda LIN://0.0.0.0:9092,OUT://0.0.0.0:19092 AIN://k:9092,OUT://localhost:19092\n"},
    {"redpanda, a flag over its file",
     S("    image: redpandadata/redpanda:v24.1.1\n"
       "    command: redpanda start --advertise-kafka-addr in://x:1\n"
       "    volumes: ['./redpanda.yaml:/etc/redpanda/redpanda.yaml']\n"),
     "k redpanda LIN://0.0.0.0:9092,OUT://0.0.0.0:19092 AIN://x:1\n"},
    {"redpanda, a file out of reach",
     S("    image: redpandadata/redpanda:v24.1.1\n"
       "    volumes: ['./missing.yaml:/etc/redpanda/redpanda.yaml']\n"),
     "k redpanda ? L://0.0.0.0:9092 A://127.0.0.1:9092\n"},
    {"redpanda, its variables and its default",
     "services:\n  a:\n    image: redpandadata/redpanda:v24.1.1\n    environment:\n"
     "      REDPANDA_ADVERTISE_KAFKA_ADDRESS: a:9092\n"
     "  b: {image: 'redpandadata/redpanda:v24.1.1'}\n",
     "a redpanda L://0.0.0.0:9092 A://a:9092\nb redpanda L://0.0.0.0:9092 A://127.0.0.1:9092\n"},
    {"spotify's own variables",
     MAP("spotify/kafka", V("ADVERTISED_HOST: localhost") V("ADVERTISED_PORT: 9092")),
     "k other LPLAINTEXT://:9092 APLAINTEXT://localhost:9092\n"},
    {"an unknown image with a broker's variables",
     MAP("example.org/our/broker:1",
         V("KAFKA_LISTENERS: A://:1") V("KAFKA_ADVERTISED_LISTENERS: A://k:1")),
     "k other LA://:1 AA://k:1\n"},
    {"clients with a broker's variables",
     "x-env: &env\n  KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:9092\n  KAFKA_BROKER_ID: 1\n"
     "  KAFKA_ZOOKEEPER_CONNECT: zk:2181\nservices:\n"
     "  ui: {image: provectuslabs/kafka-ui, environment: *env}\n"
     "  akhq: {image: tchiotludo/akhq, environment: *env}\n"
     "  drop: {image: obsidiandynamics/kafdrop, environment: *env}\n"
     "  connect: {image: 'confluentinc/cp-kafka-connect:7.6.0', environment: *env}\n"
     "  dbz: {image: 'debezium/connect:2.5', environment: *env}\n"
     "  sr: {image: 'confluentinc/cp-schema-registry:7.6.0', environment: *env}\n"
     "  ksql: {image: 'confluentinc/cp-ksqldb-server:7.6.0', environment: *env}\n"
     "  rest: {image: 'confluentinc/cp-kafka-rest:7.6.0', environment: *env}\n"
     "  exp: {image: danielqsj/kafka-exporter, environment: *env}\n"
     "  zk: {image: 'confluentinc/cp-zookeeper:7.6.0', environment: *env}\n"
     "  zb: {image: 'bitnami/zookeeper', environment: *env}\n"
     "  con: {image: 'docker.redpanda.com/redpandadata/console:v2.4.0', environment: *env}\n"
     "  app: {image: 'example/app:1', environment: {KAFKA_BOOTSTRAP_SERVERS: 'k:9092'}}\n",
     ""},
    {"a broker's image that makes topics",
     "services:\n  init:\n    image: confluentinc/cp-kafka:7.6.0\n"
     "    command: kafka-topics --create --topic a --bootstrap-server k:9092\n"
     "  init2:\n    image: bitnami/kafka:3.6\n    entrypoint: [/bin/bash, -c]\n"
     "    command: |\n      /opt/bitnami/kafka/bin/kafka-topics.sh --list\n"
     "  init3:\n    image: apache/kafka\n    command: sleep infinity\n"
     "  rpk:\n    image: redpandadata/redpanda:v24.1.1\n    entrypoint: rpk\n"
     "    command: topic create a\n"
     "  mine:\n    image: confluentinc/cp-kafka:7.6.0\n    command: /scripts/setup.sh\n",
     ""},
    {"a script before the image's own",
     S("    image: confluentinc/cp-kafka:7.3.0\n"
       "    command: \"bash -c 'if [ ! -f /tmp/update_run.sh ]; then exit 1; else "
       "/tmp/update_run.sh && /etc/confluent/docker/run ; fi'\"\n"
       "    environment:\n      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:9092\n"),
     "k confluent 3.3 LPLAINTEXT://0.0.0.0:9092 APLAINTEXT://k:9092\n"},
    {"a script that writes listeners",
     S("    image: confluentinc/cp-kafka:7.3.0\n"
       "    command: sh -c 'export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://$$(hostname):9092 && "
       "/etc/confluent/docker/run'\n"),
     "k confluent 3.3 ? LPLAINTEXT://:9092 APLAINTEXT://:9092\n"},
    {"an env_file that is not there",
     S("    image: apache/kafka:4.0.0\n    env_file:\n"
       "      - {path: ./nowhere.env, required: false}\n"),
     "k apache 4.0 LPLAINTEXT://:9092,CONTROLLER://:9093 APLAINTEXT://localhost:9092 "
     "MCONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,"
     "SASL_SSL:SASL_SSL Rbc1 V1@localhost:9093\n"},
    {"a mounted file",
     S("    image: bitnami/kafka:3.6\n    volumes:\n"
       "      - ./server.properties:/bitnami/kafka/config/server.properties\n"
       "    environment:\n      KAFKA_CFG_ADVERTISED_LISTENERS: X://x:1\n"),
     "k bitnami 3.6 LIN://:9092 AIN://k:9092 MIN:PLAINTEXT\n"},
    {"a mounted file that is out of reach",
     S("    image: bitnami/kafka:3.6\n    volumes:\n"
       "      - ./missing.properties:/bitnami/kafka/config/server.properties\n"),
     "k bitnami 3.6 ? LPLAINTEXT://:9092 APLAINTEXT://:9092\n"},
    {"data mounted above it is no configuration",
     S("    image: bitnami/kafka:3.6\n    volumes: [data:/bitnami/kafka]\n"
       "    environment:\n      KAFKA_CFG_ADVERTISED_LISTENERS: PLAINTEXT://k:1\nvolumes: {data: "
       "}\n"),
     "k bitnami 3.6 LPLAINTEXT://:9092 APLAINTEXT://k:1\n"},
    {"IPv6",
     MAP("apache/kafka:3.9.1",
         V("KAFKA_LISTENERS: \"PLAINTEXT://[::1]:9092\"")
             V("KAFKA_ADVERTISED_LISTENERS: \"PLAINTEXT://[2001:db8::1]:9092\"")),
     "k apache 3.9 LPLAINTEXT://::1:9092 APLAINTEXT://2001:db8::1:9092\n"},
    {"what cannot be read",
     MAP("apache/kafka:3.9.1", V("KAFKA_LISTENERS: PLAINTEXT://:9092,x:y,HOST://:9093")
                                   V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://h:99999999999")),
     "k apache 3.9 LPLAINTEXT://:9092,HOST://:9093!x:y A!PLAINTEXT://h:99999999999\n"},
};

static void test_brokers(void **state)
{
    static const char properties[] = "listeners = IN://:9092\nadvertised.listeners=IN://k:9092\n"
                                     "listener.security.protocol.map=IN:PLAINTEXT\n";

    static const char redpanda[] =
        "redpanda:\n  kafka_api:\n    - {address: 0.0.0.0, port: 9092, name: in}\n"
        "    - {address: 0.0.0.0, port: 19092, name: out}\n  advertised_kafka_api:\n"
        "    - {address: k, port: 9092, name: in}\n"
        "    - {address: localhost, port: 19092, name: out}\n";

    (void)state;
    doctor_write("redpanda.yaml", redpanda, sizeof redpanda - 1);
    doctor_write("server.properties", properties, sizeof properties - 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct compose *compose = doctor_load(rows[i].name, rows[i].yaml, strlen(rows[i].yaml));
        struct brokers brokers;
        struct buf out = {0};

        brokers_find(compose, &brokers);
        for (size_t k = 0; k < brokers.count; k++)
            dump(&out, &brokers.list[k]);
        if (strcmp(out.data ? out.data : "", rows[i].expected))
            fail_msg("%s:\n%s\n%s", rows[i].name, out.data ? out.data : "", rows[i].expected);
        buf_free(&out);
        brokers_free(&brokers);
        compose_free(compose);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_brokers)};

    return cmocka_run_group_tests(tests, doctor_open, doctor_close);
}
