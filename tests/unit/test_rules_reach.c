/* Rules of reachability: compose files, what is found in them, and what
 * remains once all edits are made. In an expectation, behind a rule: ! an
 * error, ~ a note. A row whose name begins "not port-mismatch:" is a near miss
 * of that rule; "not port-mismatch: as advised" is what its words ask for, where
 * no edit does it. */
#include "tests/unit/unit.h"

#include <ctype.h>
#include <strings.h>
#include <unistd.h>

#include "cluster/base/buf.h"
#include "cluster/compose/compose.h"
#include "cluster/doctor/address.h"
#include "cluster/doctor/finding.h"

static const struct {
    const char *name, *findings;
    const char *after; /* the verdict after the edits; NULL: there are none, or not enough */
    const char *file;
} rows[] = {
    {"local-internal: cp, one listener, ZooKeeper", "LOCAL-INTERNAL!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 2181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_BROKER_ID: 1\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: kafka:9092\n"},
    {"local-internal: bitnami, list, KRaft", "LOCAL-INTERNAL!", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:3.7\n"
     "    ports:\n"
     "      - 9092:9092\n"
     "    environment:\n"
     "      - KAFKA_CFG_NODE_ID=0\n"
     "      - KAFKA_CFG_PROCESS_ROLES=controller,broker\n"
     "      - KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093\n"
     "      - KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER\n"
     "      - KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093\n"
     "      - KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092\n"
     "      - KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n"
     "  ui:\n"
     "    image: provectuslabs/kafka-ui\n"
     "    environment:\n"
     "      - KAFKA_CLUSTERS_0_NAME=local\n"
     "      - KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS=kafka:9092\n"},
    {"local-internal: another listener is right for it", "LOCAL-INTERNAL!", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:3.8.0\n"
     "    ports:\n"
     "      - \"29092:29092\"\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: broker,controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092,CONTROLLER://:9093,PLAINTEXT_HOST://:29092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092,PLAINTEXT_HOST://localhost:29092\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: PLAINTEXT\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
     "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      SPRING_KAFKA_BOOTSTRAP_SERVERS: \"kafka:29092\"\n"},
    {"local-internal: apache with nothing, a client in a container", "LOCAL-INTERNAL!", NULL,
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:3.8.0\n"
     "    ports: [\"9092:9092\"]\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      KAFKA_BROKERS: kafka:9092\n"},
    {"not local-internal: apache with nothing, the host alone", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:3.8.0\n"
     "    ports: [\"9092:9092\"]\n"},
    {"not local-internal: the client is on the host's network", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
     "  app:\n"
     "    image: app\n"
     "    network_mode: host\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: localhost:9092\n"},
    {"not local-internal: the client is in the broker's own container", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    healthcheck:\n"
     "      test: kafka-topics --bootstrap-server localhost:9092 --list\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
     "  side:\n"
     "    image: app\n"
     "    network_mode: \"service:kafka\"\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: localhost:9092\n"},
    {"local-internal: not published, so the host needs nothing", "LOCAL-INTERNAL!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://127.0.0.1:9092\n"
     "  init:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    command: kafka-topics --create --topic t --bootstrap-server kafka:9092\n"},
    {"local-internal: redpanda's own default", "LOCAL-INTERNAL!", NULL,
     "services:\n"
     "  redpanda:\n"
     "    image: redpandadata/redpanda:v23.3.1\n"
     "    command: redpanda start --smp 1 --overprovisioned\n"
     "    ports:\n"
     "      - 9092:9092\n"
     "  console:\n"
     "    image: redpandadata/console:v2.4.0\n"
     "    environment:\n"
     "      KAFKA_BROKERS: redpanda:9092\n"},
    {"not local-internal: wait-for-it, an option before the port", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT\n"
     "  app:\n"
     "    image: app\n"
     "    command: ./wait-for-it.sh --timeout=30 kafka:9092 -- node app.js\n"
     "    environment:\n"
     "      KAFKA_BROKERS: kafka:29092\n"},
    {"not local-internal: wait-for-it, a list", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT\n"
     "  app:\n"
     "    image: app\n"
     "    command: [\"./wait-for-it.sh\", \"-t\", \"60\", \"kafka:9092\", \"--\", \"node\", "
     "\"app.js\"]\n"
     "    environment:\n"
     "      KAFKA_BROKERS: kafka:29092\n"},
    {"not local-internal: dockerize", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT\n"
     "  app:\n"
     "    image: app\n"
     "    entrypoint: dockerize -wait tcp://zookeeper:2181 -wait tcp://kafka:9092 -timeout 60s\n"
     "    environment:\n"
     "      KAFKA_BROKERS: kafka:29092\n"},
    {"not local-internal: wait-port", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT\n"
     "  app:\n"
     "    image: app\n"
     "    command: sh -c \"npx wait-port kafka:9092 && node app.js\"\n"
     "    environment:\n"
     "      KAFKA_BROKERS: kafka:29092\n"},
    {"not local-internal: ports waited for, in variables", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      KAFKA_BROKERS: kafka:29092\n"
     "      WAIT_HOSTS: kafka:9092, db:5432\n"
     "      SERVICE_PRECONDITION: \"zookeeper:2181 kafka:9092\"\n"},
    {"not local-internal: an image that waits", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT\n"
     "  app:\n"
     "    image: dadarek/wait-for-dependencies\n"
     "    command: kafka:9092\n"},
    {"local-internal: behind what is waited for", "LOCAL-INTERNAL!", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT\n"
     "  app:\n"
     "    image: app\n"
     "    command: ./wait-for-it.sh -t 60 kafka:9092 -- app --bootstrap-server kafka:9092\n"},
    {"local-internal: host and port, capitals only at the beginning", "LOCAL-INTERNAL!", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      Kafka__Host: kafka\n"
     "      Kafka__Port: \"9092\"\n"},
    {"client-localhost: among the options of Java", "CLIENT-LOCALHOST!", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      JAVA_OPTS: \"-Xmx256m -Dspring.kafka.bootstrap-servers=localhost:9092\"\n"},
    {"not client-localhost: another option of Java", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      JAVA_OPTS: \"-Dkafka.jmx=localhost:9092\"\n"
     "      KAFKA_BROKERS: kafka:29092\n"},
    {"not local-internal: redpanda with both", "", "ok",
     "services:\n"
     "  redpanda:\n"
     "    image: redpandadata/redpanda:v23.3.1\n"
     "    command:\n"
     "      - redpanda\n"
     "      - start\n"
     "      - --kafka-addr internal://0.0.0.0:9092,external://0.0.0.0:19092\n"
     "      - --advertise-kafka-addr internal://redpanda:9092,external://localhost:19092\n"
     "    ports:\n"
     "      - 19092:19092\n"
     "  console:\n"
     "    image: redpandadata/console:v2.4.0\n"
     "    entrypoint: /bin/sh\n"
     "    command: -c \"echo \\\"$$CONSOLE_CONFIG_FILE\\\" > /tmp/config.yml; /app/console\"\n"
     "    environment:\n"
     "      CONSOLE_CONFIG_FILE: |\n"
     "        kafka:\n"
     "          brokers: [\"redpanda:9092\"]\n"
     "          schemaRegistry:\n"
     "            enabled: true\n"
     "            urls: [\"http://redpanda:8081\"]\n"},
    {"local-internal: redpanda's flags, the wrong port of two", "LOCAL-INTERNAL!", "ok",
     "services:\n"
     "  redpanda:\n"
     "    image: redpandadata/redpanda:v23.3.1\n"
     "    command:\n"
     "      - redpanda\n"
     "      - start\n"
     "      - --kafka-addr=internal://0.0.0.0:9092,external://0.0.0.0:19092\n"
     "      - --advertise-kafka-addr=internal://redpanda:9092,external://localhost:19092\n"
     "    ports:\n"
     "      - 19092:19092\n"
     "  console:\n"
     "    image: redpandadata/console:v2.4.0\n"
     "    environment:\n"
     "      KAFKA_BROKERS: redpanda:19092\n"},
    {"ibl-localhost: two brokers, one listener each", "IBL-LOCALHOST!,IBL-LOCALHOST!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka1:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_BROKER_ID: 1\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
     "  kafka2:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9093:9093\"\n"
     "    environment:\n"
     "      KAFKA_BROKER_ID: 2\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9093\n"},
    {"not ibl-localhost: each has a ZooKeeper of its own", "", "ok",
     "services:\n"
     "  zookeeper1:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  zookeeper2:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka1:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper1:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
     "  kafka2:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9093:9093\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper2:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9093\n"},
    {"not ibl-localhost: a listener among brokers, another for the host", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka1:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment: &env\n"
     "      KAFKA_BROKER_ID: 1\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: INTERNAL://kafka1:29092,EXTERNAL://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: INTERNAL\n"
     "  kafka2:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9093:9093\"\n"
     "    environment:\n"
     "      <<: *env\n"
     "      KAFKA_BROKER_ID: 2\n"
     "      KAFKA_ADVERTISED_LISTENERS: INTERNAL://kafka2:29092,EXTERNAL://localhost:9093\n"},
    {"ibl-localhost: KRaft, the wrong one of two", "IBL-LOCALHOST!,IBL-LOCALHOST!", NULL,
     "services:\n"
     "  kafka1:\n"
     "    image: apache/kafka:3.9.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: broker,controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka1:9093,2@kafka2:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: DOCKER://:29092,CONTROLLER://:9093,HOST://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: DOCKER://kafka1:29092,HOST://localhost:9092\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: HOST\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
     "CONTROLLER:PLAINTEXT,DOCKER:PLAINTEXT,HOST:PLAINTEXT\n"
     "  kafka2:\n"
     "    image: apache/kafka:3.9.0\n"
     "    ports:\n"
     "      - \"9094:9094\"\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 2\n"
     "      KAFKA_PROCESS_ROLES: broker,controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka1:9093,2@kafka2:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: DOCKER://:29092,CONTROLLER://:9093,HOST://:9094\n"
     "      KAFKA_ADVERTISED_LISTENERS: DOCKER://kafka2:29092,HOST://localhost:9094\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: HOST\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
     "CONTROLLER:PLAINTEXT,DOCKER:PLAINTEXT,HOST:PLAINTEXT\n"},
    {"port-mismatch: 9093:9092", "PORT-MISMATCH!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9093:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"not port-mismatch: the controllers' listener, advertised (fine since 3.9)", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:4.1.1\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: broker,controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092,CONTROLLER://:9093\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092,CONTROLLER://kafka:9093\n"},
    {"port-not-published: the key is there, and empty", "PORT-NOT-PUBLISHED", NULL,
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:4.1.1\n"
     "    ports: []\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: broker,controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092,CONTROLLER://:9093,HOST://:29092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092,HOST://localhost:29092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
     "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT\n"},
    {"port-mismatch: of two listeners the host's; containers can work", "PORT-MISMATCH", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:3.7\n"
     "    ports:\n"
     "      - 127.0.0.1:9095:9094\n"
     "    environment:\n"
     "      - KAFKA_CFG_NODE_ID=0\n"
     "      - KAFKA_CFG_PROCESS_ROLES=controller,broker\n"
     "      - KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093\n"
     "      - KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER\n"
     "      - KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093,EXTERNAL://:9094\n"
     "      - KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://kafka:9092, EXTERNAL://localhost:9094\n"
     "      - "
     "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,EXTERNAL:"
     "PLAINTEXT\n"},
    {"not port-mismatch: remapped, and advertised so", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:3.7\n"
     "    ports:\n"
     "      - published: 9095\n"
     "        target: 9094\n"
     "    environment:\n"
     "      - KAFKA_CFG_NODE_ID=0\n"
     "      - KAFKA_CFG_PROCESS_ROLES=controller,broker\n"
     "      - KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093\n"
     "      - KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER\n"
     "      - KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093,EXTERNAL://:9094\n"
     "      - KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://kafka:9092,EXTERNAL://localhost:9095\n"
     "      - "
     "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,EXTERNAL:"
     "PLAINTEXT\n"},
    {"port-mismatch: published to a port where nothing listens", "PORT-MISMATCH", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:3.8.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: broker,controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:19092,CONTROLLER://:9093,PLAINTEXT_HOST://:29092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:19092,PLAINTEXT_HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
     "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT\n"},
    {"port-mismatch: a container's name with the host's port", "PORT-MISMATCH!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: wurstmeister/zookeeper\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka:2.13-2.8.1\n"
     "    ports:\n"
     "      - \"29092:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092\n"},
    {"crossed: the host's port leads to the containers' listener", "CROSSED", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:29092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,PLAINTEXT_HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT\n"},
    {"crossed: two brokers' ports", "CROSSED,CROSSED", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka1:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9093:9092\"\n"
     "    environment:\n"
     "      KAFKA_BROKER_ID: 1\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: IN://:29092,OUT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: IN://kafka1:29092,OUT://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: IN:PLAINTEXT,OUT:PLAINTEXT\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: IN\n"
     "  kafka2:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_BROKER_ID: 2\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: IN://:29092,OUT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: IN://kafka2:29092,OUT://localhost:9093\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: IN:PLAINTEXT,OUT:PLAINTEXT\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: IN\n"},
    {"not crossed: both published rightly", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092-9093:9092-9093\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,PLAINTEXT_HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT\n"},
    {"unresolvable: a name that nobody has", "UNRESOLVABLE!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  broker:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"},
    {"unresolvable: the broker's ZooKeeper", "UNRESOLVABLE!", "ok",
     "services:\n"
     "  zoo1:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 2181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"unresolvable: the broker's ZooKeeper, with a folder", "UNRESOLVABLE!", "ok",
     "services:\n"
     "  zoo1:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 2181}\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka:2.13-2.8.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zoo:2181/kafka\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"not unresolvable: ZooKeeper is in another file", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"not unresolvable: ZooKeeper on a network of others", "", "ok",
     "services:\n"
     "  zoo1:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 2181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    networks: [shared]\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
     "networks: {shared: {external: true}}\n"},
    {"not unresolvable: one of two ZooKeepers", "", "ok",
     "services:\n"
     "  zoo1:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 2181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zoo0:2181,zoo1:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"not unresolvable: ZooKeeper by its link", "", "ok",
     "services:\n"
     "  zoo1:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 2181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    links: [\"zoo1:zk\"]\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zk:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"not unresolvable: ZooKeeper of a domain", "", "ok",
     "services:\n"
     "  zoo1:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 2181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zk.example.com:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"not client-port: the broker's ZooKeeper has a second one, for TLS", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 2181, ZOOKEEPER_SECURE_CLIENT_PORT: 2182}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2182\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"client-port: the broker's ZooKeeper has another", "CLIENT-PORT!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 32181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"client-port: the published one of ZooKeeper", "CLIENT-PORT!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    ports: [\"22181:2181\"]\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 2181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:22181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"not client-port: ZooKeeper's own", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 32181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:32181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"not client-port: another image of ZooKeeper, which reads no such variable", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: wurstmeister/zookeeper\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 32181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"not client-port: no port is ZooKeeper's usual one", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 2181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"net-split: the broker and its ZooKeeper", "NET-SPLIT!", NULL,
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    networks: [back]\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 2181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
     "networks: {back: {}}\n"},
    {"not net-split: the broker and its ZooKeeper", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    networks: [back]\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 2181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    networks: [front, back]\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
     "networks: {front: {}, back: {}}\n"},
    {"client-localhost: the broker's ZooKeeper", "CLIENT-LOCALHOST!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 2181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: localhost:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"not client-localhost: ZooKeeper in the same container's network", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment: {ZOOKEEPER_CLIENT_PORT: 2181}\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    network_mode: \"service:zookeeper\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: localhost:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"port-dup: derived, each for its own clients", "PORT-DUP!", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "      - \"9093:9093\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092,PLAINTEXT_HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      KAFKA_BROKERS: kafka:9092\n"},
    {"unresolvable: a client's", "UNRESOLVABLE!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  broker:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://broker:9092\n"
     "  connect:\n"
     "    image: confluentinc/cp-kafka-connect:7.5.0\n"
     "    environment:\n"
     "      CONNECT_BOOTSTRAP_SERVERS: 'kafka:9092'\n"},
    {"not unresolvable: names by container_name, hostname, alias, link", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  broker:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    container_name: kafka-1\n"
     "    hostname: kafka-host\n"
     "    networks:\n"
     "      default:\n"
     "        aliases: [queue]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: "
     "PLAINTEXT://kafka-1:9092,A://kafka-host:9093,B://queue:9094\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,A:PLAINTEXT,B:PLAINTEXT\n"
     "  a:\n"
     "    image: app\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: queue:9094\n"
     "  b:\n"
     "    image: app\n"
     "    links: [\"broker:linked\"]\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: linked:9093\n"},
    {"not unresolvable: a network that others made", "UNRESOLVABLE", NULL,
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  broker:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    networks: [others]\n"
     "    environment: {KAFKA_ZOOKEEPER_CONNECT: \"zookeeper:2181\", KAFKA_ADVERTISED_LISTENERS: "
     "\"PLAINTEXT://proxy:9092\"}\n"
     "networks:\n"
     "  others:\n"
     "    external: true\n"},
    {"client-port: the host's port between containers", "CLIENT-PORT!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: wurstmeister/zookeeper\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka\n"
     "    ports:\n"
     "      - \"9094:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: INSIDE://:9093,OUTSIDE://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: INSIDE://kafka:9093,OUTSIDE://localhost:9094\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: INSIDE\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      - KAFKA_BROKER_URL=kafka://kafka:9094\n"},
    {"client-port: in a command", "CLIENT-PORT!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092\n"
     "  init:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    entrypoint: [\"/bin/sh\", \"-c\"]\n"
     "    command: |\n"
     "      \"\n"
     "      kafka-topics --bootstrap-server kafka:9092 --list\n"
     "      \"\n"},
    {"not client-port: one of the list is right", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: kafka:9092,kafka:29092\n"
     "      KAFKA_ZK: zookeeper:2181\n"
     "      SCHEMA_REGISTRY_URL: http://kafka:8081\n"},
    {"client-port: a pair of variables", "CLIENT-PORT!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      KAFKA_HOST: kafka\n"
     "      KAFKA_PORT: 9092\n"},
    {"client-localhost: a UI", "CLIENT-LOCALHOST!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,PLAINTEXT_HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT\n"
     "  ui:\n"
     "    image: provectuslabs/kafka-ui\n"
     "    environment:\n"
     "      KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS: localhost:9092\n"
     "      KAFKA_CLUSTERS_0_ZOOKEEPER: localhost:2181\n"},
    {"client-localhost: the broker, too, knows only localhost", "CLIENT-LOCALHOST!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: localhost:9092\n"},
    {"client-localhost: akhq", "CLIENT-LOCALHOST!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  akhq:\n"
     "    image: tchiotludo/akhq\n"
     "    environment:\n"
     "      AKHQ_CONFIGURATION: |\n"
     "        akhq:\n"
     "          connections:\n"
     "            docker-kafka-server:\n"
     "              properties:\n"
     "                bootstrap.servers: \"127.0.0.1:9092\"\n"
     "              connect:\n"
     "                - name: \"connect\"\n"
     "                  url: \"http://connect:8083\"\n"},
    {"not client-localhost: a client by host.docker.internal", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:3.8.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    network_mode: host\n"
     "  app:\n"
     "    image: app\n"
     "    network_mode: host\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: localhost:9092\n"},
    {"net-split: two networks", "NET-SPLIT!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    networks:\n"
     "      - back\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    networks:\n"
     "      - back\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  app:\n"
     "    image: app\n"
     "    networks:\n"
     "      - front\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: kafka:9092\n"
     "networks:\n"
     "  back:\n"
     "  front:\n"},
    {"net-split: a list in one line", "NET-SPLIT!", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    networks: [back]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  app:\n"
     "    image: app\n"
     "    networks: [\"front\"]  # theirs\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: kafka:9092\n"
     "networks: {back: {}, front: {}}\n"},
    {"net-split: a list over lines", "NET-SPLIT!", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    networks: [back]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  app:\n"
     "    image: app\n"
     "    networks: [\n"
     "      front,\n"
     "    ]\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: kafka:9092\n"
     "networks: {back: {}, front: {}}\n"},
    {"net-split: a mapping", "NET-SPLIT!", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    networks: [back]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  app:\n"
     "    image: app\n"
     "    networks:\n"
     "      front:\n"
     "        aliases: [a]\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: kafka:9092\n"
     "networks: {back: {}, front: {}}\n"},
    {"net-split: a mapping in one line", "NET-SPLIT!", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    networks: [back]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  app:\n"
     "    image: app\n"
     "    networks: {front: {aliases: [a]}}\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: kafka:9092\n"
     "networks: {back: {}, front: {}}\n"},
    {"net-split: one is on the default", "NET-SPLIT!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    networks:\n"
     "      - back\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    networks:\n"
     "      - back\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: kafka:9092\n"
     "networks:\n"
     "  back:\n"},
    {"not net-split: they share one of two", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    networks: [back]\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    networks: [back]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  app:\n"
     "    image: app\n"
     "    networks: [front, back]\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: kafka:9092\n"
     "networks:\n"
     "  back:\n"
     "  front:\n"},
    {"bind-localhost: published", "BIND-LOCALHOST!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://localhost:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"bind-localhost: of two, the host's", "BIND-LOCALHOST", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://0.0.0.0:29092,PLAINTEXT_HOST://127.0.0.1:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,PLAINTEXT_HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT\n"},
    {"not bind-localhost: on the host's network", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    network_mode: host\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    network_mode: host\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: localhost:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://localhost:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"adv-dup: one address for two", "LAN-IP,ADV-DUP!,LAN-IP", NULL,
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka1: &kafka\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment: &env\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://192.168.1.5:9092\n"
     "  kafka2:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://192.168.1.5:9092\n"},
    {"adv-dup: derived listeners, published beside the advertised port", "ADV-DUP!,CROSSED", "ok",
     "services:\n"
     "  kafka1:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment: &env\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka1:29092,HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT\n"
     "  kafka2:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9093:9092\"]\n"
     "    environment:\n"
     "      <<: *env\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka2:29092,HOST://localhost:9092\n"},
    {"adv-dup: another machine's clients, ports of their own", "LAN-IP,ADV-DUP!,LAN-IP",
     "suspicious",
     "services:\n"
     "  kafka1:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment: &env\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://192.168.1.5:9092\n"
     "  kafka2:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9093:9092\"]\n"
     "    environment:\n"
     "      <<: *env\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://192.168.1.5:9092\n"},
    {"not adv-dup: two clusters, one is ok", "LAN-IP,LAN-IP", NULL,
     "services:\n"
     "  z1:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  z2:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka1:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: z1:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://192.168.1.5:9092\n"
     "  kafka2:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: z2:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://192.168.1.5:9092\n"},
    {"not adv-dup: other ports", "LAN-IP,LAN-IP", NULL,
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka1:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://192.168.1.5:9092\n"
     "  kafka2:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://192.168.1.5:9093\n"},
    {"zk-latest: behind a script that waits", "ZK-LATEST!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:latest\n"
     "    ports: [\"9092:9092\"]\n"
     "    command: bash -c 'sleep 20 && exec /etc/confluent/docker/run'\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"zk-latest: behind a script that looks, and talks", "ZK-LATEST!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:latest\n"
     "    ports: [\"9092:9092\"]\n"
     "    command: sh -c 'if [ ! -f /x.pem ]; then echo \"(none; yet)\" >&2 && exit 1; else "
     "/etc/confluent/docker/run; fi'\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"zk-latest: behind a script that makes topics meanwhile", "ZK-LATEST!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:latest\n"
     "    ports: [\"9092:9092\"]\n"
     "    command: sh -c \"((sleep 15 && kafka-topics --create --topic a --bootstrap-server "
     "localhost:9092)&) && /etc/confluent/docker/run\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"not zk-latest: the script writes the configuration", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:latest\n"
     "    ports: [\"9092:9092\"]\n"
     "    command: bash -c 'sed -i s/a/b/ /etc/confluent/docker/configure && "
     "/etc/confluent/docker/run'\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"not zk-latest: the script calls one of the user's", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:latest\n"
     "    ports: [\"9092:9092\"]\n"
     "    command: bash -c '/tmp/update_run.sh && /etc/confluent/docker/run'\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"local-internal: of a script that waits for another port", "LOCAL-INTERNAL!", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:3.9.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: broker,controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092,CONTROLLER://:9093,IN://:9094\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092,IN://kafka:9094\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
     "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,IN:PLAINTEXT\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: IN\n"
     "  init:\n"
     "    image: apache/kafka:3.9.1\n"
     "    entrypoint: [sh, -c, \"while ! nc -z kafka 9094; do sleep 1; done; "
     "/opt/kafka/bin/kafka-topics.sh --create --topic a --bootstrap-server kafka:9092\"]\n"},
    {"not local-internal: one of a list in a script", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:3.9.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: broker,controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092,CONTROLLER://:9093,IN://:9094\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092,IN://kafka:9094\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
     "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,IN:PLAINTEXT\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: IN\n"
     "  init:\n"
     "    image: apache/kafka:3.9.1\n"
     "    entrypoint: [sh, -c, \"while ! nc -z kafka 9094; do sleep 1; done; "
     "/opt/kafka/bin/kafka-topics.sh --create --topic a --bootstrap-server "
     "kafka:9094,kafka:9092\"]\n"},
    {"voters: not the controllers' port", "VOTERS!", NULL,
     "services:\n"
     "  ctl:\n"
     "    image: apache/kafka:3.9.1\n"
     "    networks: [one]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@ctl:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: CONTROLLER://:9093\n"
     "  kafka:\n"
     "    image: apache/kafka:3.9.1\n"
     "    networks: [one]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 2\n"
     "      KAFKA_PROCESS_ROLES: broker\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@ctl:9094\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "networks: {one: {}, two: {}}\n"},
    {"voters: not the controller's name", "VOTERS!", NULL,
     "services:\n"
     "  ctl:\n"
     "    image: apache/kafka:3.9.1\n"
     "    networks: [one]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@ctl:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: CONTROLLER://:9093\n"
     "  kafka:\n"
     "    image: apache/kafka:3.9.1\n"
     "    networks: [one]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 2\n"
     "      KAFKA_PROCESS_ROLES: broker\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@controller:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "networks: {one: {}, two: {}}\n"},
    {"bind-localhost: the controllers' listener", "BIND-LOCALHOST!", NULL,
     "services:\n"
     "  ctl:\n"
     "    image: apache/kafka:3.9.1\n"
     "    networks: [one]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@ctl:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: CONTROLLER://localhost:9093\n"
     "  kafka:\n"
     "    image: apache/kafka:3.9.1\n"
     "    networks: [one]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 2\n"
     "      KAFKA_PROCESS_ROLES: broker\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@ctl:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "networks: {one: {}, two: {}}\n"},
    {"net-split: a broker and its controllers", "NET-SPLIT!", NULL,
     "services:\n"
     "  ctl:\n"
     "    image: apache/kafka:3.9.1\n"
     "    networks: [one]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@ctl:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: CONTROLLER://:9093\n"
     "  kafka:\n"
     "    image: apache/kafka:3.9.1\n"
     "    networks: [two]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 2\n"
     "      KAFKA_PROCESS_ROLES: broker\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@ctl:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "networks: {one: {}, two: {}}\n"},
    {"not voters: a controller where it is said to be", "", "ok",
     "services:\n"
     "  ctl:\n"
     "    image: apache/kafka:3.9.1\n"
     "    networks: [one]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@ctl:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: CONTROLLER://:9093\n"
     "  kafka:\n"
     "    image: apache/kafka:3.9.1\n"
     "    networks: [one]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 2\n"
     "      KAFKA_PROCESS_ROLES: broker\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@ctl:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "networks: {one: {}, two: {}}\n"},
    {"not voters: one that the file does not have", "", "ok",
     "services:\n"
     "  ctl:\n"
     "    image: apache/kafka:3.9.1\n"
     "    networks: [one]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@ctl:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: CONTROLLER://:9093\n"
     "  kafka:\n"
     "    image: apache/kafka:3.9.1\n"
     "    networks: [one]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 2\n"
     "      KAFKA_PROCESS_ROLES: broker\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 7@elsewhere:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "networks: {one: {}, two: {}}\n"},
    {"not crossed: somebody's own entrypoint.sh", "CONFIG-FILE", NULL,
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:3.9.1\n"
     "    ports: [\"9094:9094\"]\n"
     "    command: [\"sh\", \"-c\", \"/kafka/entrypoint.sh\"]\n"
     "  ui:\n"
     "    image: provectuslabs/kafka-ui\n"
     "    environment:\n"
     "      KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS: kafka:29092\n"},
    {"proto-mismatch: the client says SASL", "PROTO-MISMATCH!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  ui:\n"
     "    image: provectuslabs/kafka-ui\n"
     "    environment:\n"
     "      KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS: kafka:9092\n"
     "      KAFKA_CLUSTERS_0_PROPERTIES_SECURITY_PROTOCOL: SASL_PLAINTEXT\n"},
    {"proto-mismatch: the address says SSL", "PROTO-MISMATCH!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  registry:\n"
     "    image: confluentinc/cp-schema-registry:7.5.0\n"
     "    environment:\n"
     "      SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS: SSL://kafka:9092\n"},
    {"proto-mismatch: another listener speaks so", "PROTO-MISMATCH!", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_OPTS: -Djava.security.auth.login.config=/jaas.conf\n"
     "      KAFKA_LISTENERS: IN://:9092,SAFE://:9093\n"
     "      KAFKA_ADVERTISED_LISTENERS: IN://kafka:9092,SAFE://kafka:9093\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: IN\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: IN:PLAINTEXT,SAFE:SASL_PLAINTEXT\n"
     "  ui:\n"
     "    image: provectuslabs/kafka-ui\n"
     "    environment:\n"
     "      KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS: kafka:9092\n"
     "      KAFKA_CLUSTERS_0_PROPERTIES_SECURITY_PROTOCOL: SASL_PLAINTEXT\n"},
    {"proto-mismatch: a password that nobody gave", "PROTO-MISMATCH!", NULL,
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_OPTS: -Djava.security.auth.login.config=/jaas.conf\n"
     "      KAFKA_ADVERTISED_LISTENERS: SAFE://kafka:9092\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: SAFE\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: SAFE:SASL_PLAINTEXT\n"
     "  ui:\n"
     "    image: provectuslabs/kafka-ui\n"
     "    environment:\n"
     "      KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS: kafka:9092\n"
     "      KAFKA_CLUSTERS_0_PROPERTIES_SECURITY_PROTOCOL: PLAINTEXT\n"},
    {"proto-mismatch: two addresses say SSL", "PROTO-MISMATCH!", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  registry:\n"
     "    image: confluentinc/cp-schema-registry:7.5.0\n"
     "    environment:\n"
     "      SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS: SSL://kafka:9092,SSL://other:9092\n"},
    {"proto-mismatch: nothing tells the client", "PROTO-MISMATCH!", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: IN://:9092,SAFE://:9093\n"
     "      KAFKA_ADVERTISED_LISTENERS: IN://kafka:9092,SAFE://kafka:9093\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: IN\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: IN:PLAINTEXT,SAFE:SSL\n"
     "  ui:\n"
     "    image: kafbat/kafka-ui:v1.2.0\n"
     "    environment:\n"
     "      KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS: kafka:9093\n"},
    {"not proto-mismatch: a mounted file may tell it", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: IN://:9092,SAFE://:9093\n"
     "      KAFKA_ADVERTISED_LISTENERS: IN://kafka:9092,SAFE://kafka:9093\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: IN\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: IN:PLAINTEXT,SAFE:SSL\n"
     "  ui:\n"
     "    image: kafbat/kafka-ui:v1.2.0\n"
     "    volumes: [\"./ui.yml:/etc/kafkaui/dynamic_config.yaml\"]\n"
     "    environment:\n"
     "      KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS: kafka:9093\n"},
    {"not proto-mismatch: the address says so", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  registry:\n"
     "    image: confluentinc/cp-schema-registry:7.5.0\n"
     "    environment:\n"
     "      SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS: PLAINTEXT://kafka:9092\n"
     "      SCHEMA_REGISTRY_KAFKASTORE_SECURITY_PROTOCOL: PLAINTEXT\n"},
    {"port-not-published: nothing is", "PORT-NOT-PUBLISHED", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"port-not-published: of two listeners the host's", "PORT-NOT-PUBLISHED", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9101:9101\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092,PLAINTEXT_HOST://localhost:29092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT\n"},
    {"not port-not-published: the host's network", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    network_mode: host\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    network_mode: host\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: localhost:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"host-name-only: published", "HOST-NAME-ONLY", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"},
    {"host-name-only: wurstmeister's old names", "HOST-NAME-ONLY,LEGACY~", NULL,
     "services:\n"
     "  zookeeper:\n"
     "    image: wurstmeister/zookeeper\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_HOST_NAME: kafka\n"},
    {"custom-dns: its own name, by extra_hosts somewhere else", "CUSTOM-DNS", NULL,
     "services:\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka:2.13-2.7.1\n"
     "    hostname: kafka1\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      - KAFKA_ZOOKEEPER_CONNECT=zookeeper1:2181\n"
     "      - KAFKA_LISTENERS=PLAINTEXT://:9092\n"
     "      - KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://kafka1:9092\n"
     "    extra_hosts:\n"
     "      - kafka1:10.0.0.21\n"},
    {"not host-name-only: not published", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    expose: [9092]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"},
    {"host-name-only: though the host has another", "HOST-NAME-ONLY", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\" # for nobody\n"
     "      - \"29092:29092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092,PLAINTEXT_HOST://localhost:29092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT\n"},
    {"addresses: lan, public, dns, docker's, a placeholder",
     "LAN-IP,PUBLIC-IP,CUSTOM-DNS,HOST-DOCKER-INTERNAL,PLACEHOLDER,PLACEHOLDER", NULL,
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: "
     "\"PLAINTEXT://10.0.0.5:9092,B://52.1.2.3:9093,C://kafka.example.com:9094,D://"
     "host.docker.internal:9095,F://HOST_IP:9097,G://your.host:9098\"\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
     "PLAINTEXT:PLAINTEXT,B:PLAINTEXT,C:PLAINTEXT,D:PLAINTEXT,F:PLAINTEXT,G:PLAINTEXT\n"},
    {"not lan-ip: the container's own address", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    networks: [net]\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    networks:\n"
     "      net:\n"
     "        ipv4_address: 172.28.0.5\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://172.28.0.5:9092\n"
     "  app:\n"
     "    image: app\n"
     "    networks: [net]\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: kafka:9092\n"
     "networks:\n"
     "  net:\n"
     "    ipam: {config: [{subnet: 172.28.0.0/16}]}\n"},
    {"not custom-dns: a service with dots", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka.local:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka.local:9092\n"},
    {"not placeholder: a service in capitals", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  KAFKA:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://KAFKA:9092\n"},
    {"unset-var: no default", "UNSET-VAR", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://${NO_SUCH_HOST_IP}:9092\n"},
    {"not unset-var: a default", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://${NO_SUCH_HOST_IP:-localhost}:9092\n"},
    {"typo-env", "TYPO-ENV", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:3.7\n"
     "    environment:\n"
     "      - KAFKA_CFG_NODE_ID=0\n"
     "      - KAFKA_CFG_PROCESS_ROLES=controller,broker\n"
     "      - KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093\n"
     "      - KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER\n"
     "      - KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093\n"
     "      - KAFKA_CFG_ADVERTISED_LISTENER=PLAINTEXT://kafka:9092\n"
     "      - KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n"},
    {"no-adv: published", "NO-ADV", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:3.7\n"
     "    ports:\n"
     "      - 9092:9092\n"
     "    environment:\n"
     "      - KAFKA_CFG_NODE_ID=0\n"
     "      - KAFKA_CFG_PROCESS_ROLES=controller,broker\n"
     "      - KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093\n"
     "      - KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER\n"
     "      - KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093\n"
     "      - KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n"},
    {"not no-adv: not published", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:3.7\n"
     "    environment:\n"
     "      - KAFKA_CFG_NODE_ID=0\n"
     "      - KAFKA_CFG_PROCESS_ROLES=controller,broker\n"
     "      - KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093\n"
     "      - KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER\n"
     "      - KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093\n"
     "      - KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      - KAFKA_BOOTSTRAP_SERVERS=kafka:9092\n"},
    {"ephemeral", "EPHEMERAL", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"the tutorial's: right, but for a name that is meant for another network", "UNRESOLVABLE",
     NULL,
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka0:\n"
     "    image: confluentinc/cp-enterprise-kafka:5.5.0\n"
     "    ports:\n"
     "      - '9092:9092'\n"
     "      - '29094:29094'\n"
     "    environment:\n"
     "      KAFKA_BROKER_ID: 0\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: "
     "LISTENER_BOB://kafka0:29092,LISTENER_FRED://kafka0:9092,LISTENER_ALICE://kafka0:29094\n"
     "      KAFKA_ADVERTISED_LISTENERS: "
     "LISTENER_BOB://kafka0:29092,LISTENER_FRED://localhost:9092,LISTENER_ALICE://"
     "never-gonna-give-you-up:29094\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
     "LISTENER_BOB:PLAINTEXT,LISTENER_FRED:PLAINTEXT,LISTENER_ALICE:PLAINTEXT\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: LISTENER_BOB\n"
     "  kafkacat:\n"
     "    image: confluentinc/cp-kafkacat\n"
     "    command: sleep infinity\n"},
    {"placeholder: one that Kafka cannot even read", "PLACEHOLDER", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://<your-ip>:9092\n"},
    {"crossed: both, and there is no other", "CROSSED!,CROSSED!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9093\"\n"
     "      - \"9093:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092,OTHER://localhost:9093\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,OTHER:PLAINTEXT\n"},
    {"the listener tutorial: the container's name for a client on the host", "HOST-NAME-ONLY", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  broker:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    hostname: broker\n"
     "    container_name: broker\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://broker:9092\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: PLAINTEXT\n"},
    {"the listener tutorial: localhost for a client in a container", "LOCAL-INTERNAL!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  broker:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
     "      KAFKA_INTER_BROKER_LISTENER_NAME: PLAINTEXT\n"
     "  python_kafka_test_client:\n"
     "    image: python_kafka_test_client\n"
     "    command: \"broker:9092\"\n"
     "    environment: {BOOTSTRAP: \"broker:9092\"}\n"},
    {"the listener tutorial: another port of the host", "PORT-MISMATCH!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  broker:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"19092:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"the listener tutorial: both, as it should be", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  broker:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"19092:19092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://broker:9092,CONNECTIONS_FROM_HOST://0.0.0.0:19092\n"
     "      KAFKA_ADVERTISED_LISTENERS: "
     "PLAINTEXT://broker:9092,CONNECTIONS_FROM_HOST://localhost:19092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
     "PLAINTEXT:PLAINTEXT,CONNECTIONS_FROM_HOST:PLAINTEXT\n"
     "  client:\n"
     "    image: client\n"
     "    command: [\"kcat\", \"-b\", \"broker:9092\", \"-L\"]\n"},
    {"a health check at a port where nothing listens breaks nobody else", "CLIENT-PORT", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    healthcheck:\n"
     "      test: kafka-broker-api-versions --bootstrap-server localhost:9093\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"},
    {"a client that waits for a port where nothing listens", "CLIENT-PORT!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092\n"
     "  app:\n"
     "    image: app\n"
     "    command: sh -c \"while ! nc -z kafka 9092; do sleep 1; done; exec app\"\n"},
    {"a client by the host's gateway", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports:\n"
     "      - \"9092:9092\"\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      REDIS_URL: redis://kafka:6379\n"
     "      KAFKA_UI_URL: http://localhost:9092\n"},
    {"client-localhost: a service that publishes the port has a broker of its own, perhaps", "",
     "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  allinone:\n"
     "    image: allinone\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: localhost:9092\n"},
    {"two brokers, one network each for the client and among them", "NET-SPLIT!", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "    networks: [a, b]\n"
     "  kafka1:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    networks: [a, b]\n"
     "    environment:\n"
     "      KAFKA_BROKER_ID: 1\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka1:9092\n"
     "  kafka2:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    networks: [b]\n"
     "    environment:\n"
     "      KAFKA_BROKER_ID: 2\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka2:9092\n"
     "  app:\n"
     "    image: app\n"
     "    networks: [a]\n"
     "    environment:\n"
     "      KAFKA_BOOTSTRAP_SERVERS: kafka1:9092\n"
     "networks:\n"
     "  a:\n"
     "  b:\n"},
    {"not client-localhost: comments, and what is no broker's", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  app:\n"
     "    image: app\n"
     "    environment:\n"
     "      BOOTSTRAP_URL: localhost:8500\n"
     "      CONFIG: |\n"
     "        # bootstrap.servers: localhost:9092\n"
     "        bootstrap.servers: kafka:9092\n"
     "        server.port: 8080\n"},
    {"not proto-mismatch: of another cluster", "", "ok",
     "services:\n"
     "  zookeeper:\n"
     "    image: confluentinc/cp-zookeeper:7.5.0\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  ui:\n"
     "    image: provectuslabs/kafka-ui\n"
     "    environment:\n"
     "      KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS: kafka:9092\n"
     "      KAFKA_CLUSTERS_1_BOOTSTRAPSERVERS: kafka.example.com:9093\n"
     "      KAFKA_CLUSTERS_1_PROPERTIES_SECURITY_PROTOCOL: SASL_SSL\n"},
    {"public-ip: bitnami, for other machines", "PUBLIC-IP", NULL,
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:3.7\n"
     "    ports:\n"
     "      - 9094:9094\n"
     "    environment:\n"
     "      - KAFKA_CFG_NODE_ID=0\n"
     "      - KAFKA_CFG_PROCESS_ROLES=controller,broker\n"
     "      - KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093\n"
     "      - KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER\n"
     "      - KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093,EXTERNAL://:9094\n"
     "      - KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://kafka:9092,EXTERNAL://52.1.2.3:9094\n"
     "      - "
     "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,EXTERNAL:"
     "PLAINTEXT\n"},
    {"public-ip: redpanda's flags", "PUBLIC-IP", NULL,
     "services:\n"
     "  redpanda:\n"
     "    image: docker.redpanda.com/redpandadata/redpanda:v24.1.1\n"
     "    command:\n"
     "      - redpanda start\n"
     "      - --kafka-addr internal://0.0.0.0:9092,external://0.0.0.0:19092\n"
     "      - --advertise-kafka-addr internal://redpanda:9092,external://52.1.2.3:19092\n"
     "    ports: [\"19092:19092\"]\n"},
    {"not public-ip: an address for examples, by which containers have the broker", "", "ok",
     "services:\n"
     "  redpanda:\n"
     "    image: docker.redpanda.com/redpandadata/redpanda:v24.1.1\n"
     "    command: redpanda start --kafka-addr 0.0.0.0:9092 --advertise-kafka-addr 52.1.2.3:9092\n"
     "    networks: {lan: {ipv4_address: 52.1.2.3}}\n"
     "networks: {lan: {ipam: {config: [{subnet: 52.1.2.0/24}]}}}\n"},
    {"not public-ip: as advised", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:3.7\n"
     "    ports:\n"
     "      - 9094:9094\n"
     "    environment:\n"
     "      - KAFKA_CFG_NODE_ID=0\n"
     "      - KAFKA_CFG_PROCESS_ROLES=controller,broker\n"
     "      - KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093\n"
     "      - KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER\n"
     "      - KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093,EXTERNAL://:9094\n"
     "      - KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://kafka:9092,EXTERNAL://localhost:9094\n"
     "      - "
     "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,EXTERNAL:"
     "PLAINTEXT\n"},
    {"custom-dns: apache, a list", "CUSTOM-DNS", NULL,
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:3.9.1\n"
     "    ports:\n"
     "      - \"9094:9094\"\n"
     "    environment:\n"
     "      - KAFKA_NODE_ID=1\n"
     "      - KAFKA_PROCESS_ROLES=broker,controller\n"
     "      - KAFKA_CONTROLLER_QUORUM_VOTERS=1@kafka:9093\n"
     "      - KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER\n"
     "      - KAFKA_LISTENERS=INTERNAL://:9092,CONTROLLER://:9093,EXTERNAL://:9094\n"
     "      - KAFKA_ADVERTISED_LISTENERS=INTERNAL://kafka:9092,EXTERNAL://kafka.example.com:9094\n"
     "      - KAFKA_INTER_BROKER_LISTENER_NAME=INTERNAL\n"
     "      - "
     "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,EXTERNAL:"
     "PLAINTEXT\n"},
    {"not custom-dns: an alias with dots", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka:2.13-2.8.1\n"
     "    networks:\n"
     "      default:\n"
     "        aliases: [kafka.example.com]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka.example.com:9092\n"},
    {"not custom-dns: as advised", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:3.9.1\n"
     "    ports:\n"
     "      - \"9094:9094\"\n"
     "    environment:\n"
     "      - KAFKA_NODE_ID=1\n"
     "      - KAFKA_PROCESS_ROLES=broker,controller\n"
     "      - KAFKA_CONTROLLER_QUORUM_VOTERS=1@kafka:9093\n"
     "      - KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER\n"
     "      - KAFKA_LISTENERS=INTERNAL://:9092,CONTROLLER://:9093,EXTERNAL://:9094\n"
     "      - KAFKA_ADVERTISED_LISTENERS=INTERNAL://kafka:9092,EXTERNAL://localhost:9094\n"
     "      - KAFKA_INTER_BROKER_LISTENER_NAME=INTERNAL\n"
     "      - "
     "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,EXTERNAL:"
     "PLAINTEXT\n"},
    {"host-docker-internal: wurstmeister, a list", "HOST-DOCKER-INTERNAL", NULL,
     "services:\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka:2.13-2.8.1\n"
     "    ports:\n"
     "      - 9092:9092\n"
     "    environment:\n"
     "      - KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181\n"
     "      - KAFKA_LISTENERS=PLAINTEXT://0.0.0.0:9092\n"
     "      - KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://host.docker.internal:9092\n"},
    {"host-docker-internal: redpanda", "HOST-DOCKER-INTERNAL", NULL,
     "services:\n"
     "  redpanda:\n"
     "    image: redpandadata/redpanda:v23.3.1\n"
     "    command: redpanda start --kafka-addr PLAINTEXT://0.0.0.0:9092 --advertise-kafka-addr "
     "PLAINTEXT://host.docker.internal:9092\n"
     "    ports: [\"9092:9092\"]\n"},
    {"not host-docker-internal: only a client's name for the host", "", "ok",
     "services:\n"
     "  redpanda:\n"
     "    image: redpandadata/redpanda:v23.3.1\n"
     "    command: redpanda start --kafka-addr PLAINTEXT://0.0.0.0:9092 --advertise-kafka-addr "
     "PLAINTEXT://redpanda:9092\n"
     "  app:\n"
     "    image: app\n"
     "    extra_hosts: [\"host.docker.internal:host-gateway\"]\n"
     "    environment:\n"
     "      KAFKA_BROKERS: redpanda:9092\n"
     "      METRICS_URL: http://host.docker.internal:9090\n"},
    {"not host-docker-internal: as advised", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka:2.13-2.8.1\n"
     "    ports:\n"
     "      - 9092:9092\n"
     "    environment:\n"
     "      - KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181\n"
     "      - KAFKA_LISTENERS=INSIDE://:29092,OUTSIDE://:9092\n"
     "      - KAFKA_ADVERTISED_LISTENERS=INSIDE://kafka:29092,OUTSIDE://localhost:9092\n"
     "      - KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT\n"
     "      - KAFKA_INTER_BROKER_LISTENER_NAME=INSIDE\n"},
    {"placeholder: wurstmeister, a list", "PLACEHOLDER", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka:2.13-2.8.1\n"
     "    ports:\n"
     "      - 9092:9092\n"
     "    environment:\n"
     "      - KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181\n"
     "      - KAFKA_LISTENERS=PLAINTEXT://:9092\n"
     "      - KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://YOUR_HOST_IP:9092\n"},
    {"not placeholder: as advised", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka:2.13-2.8.1\n"
     "    ports:\n"
     "      - 9092:9092\n"
     "    environment:\n"
     "      - KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181\n"
     "      - KAFKA_LISTENERS=PLAINTEXT://:9092\n"
     "      - KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092\n"},
    {"not lan-ip: as advised", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:4.1.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: broker,controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:29092,CONTROLLER://:9093,HOST://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:29092,HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
     "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,HOST:PLAINTEXT\n"},
    {"unset-var: wurstmeister's host name", "UNSET-VAR,LEGACY~", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka:2.13-2.8.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_HOST_NAME: ${NO_SUCH_HOST_IP}\n"},
    {"unset-var: bitnami, by the shell's", "UNSET-VAR", NULL,
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:3.7\n"
     "    environment:\n"
     "      - KAFKA_CFG_NODE_ID=0\n"
     "      - KAFKA_CFG_PROCESS_ROLES=controller,broker\n"
     "      - KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093\n"
     "      - KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER\n"
     "      - KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093\n"
     "      - KAFKA_CFG_ADVERTISED_LISTENERS\n"},
    {"not unset-var: of what is no listener", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:4.1.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      - KAFKA_HEAP_OPTS=${NO_SUCH_HEAP}\n"},
    {"not unset-var: as advised", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka:2.13-2.8.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://${NO_SUCH_HOST_IP:-localhost}:9092\n"},
    {"no-adv: apache, a map", "NO-ADV", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:4.1.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: broker,controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092,CONTROLLER://:9093\n"},
    {"not no-adv: localhost is given", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:4.1.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: broker,controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092,CONTROLLER://:9093\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"typo-env: confluent, the map's name", "TYPO-ENV", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"
     "      KAFKA_LISTENERS_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT\n"},
    {"not typo-env: settings of names that begin alike", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka:2.13-2.8.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      - KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181\n"
     "      - KAFKA_ZOOKEEPER_CONNECTION_TIMEOUT_MS=6000\n"
     "      - KAFKA_LISTENERS=PLAINTEXT://:9092\n"
     "      - KAFKA_LISTENER_NAME_PLAINTEXT_CONNECTIONS_MAX_REAUTH_MS=0\n"
     "      - KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092\n"},
    {"ephemeral: bitnami, of two the host's", "EPHEMERAL", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:3.7\n"
     "    ports:\n"
     "      - 9094\n"
     "    environment:\n"
     "      - KAFKA_CFG_NODE_ID=0\n"
     "      - KAFKA_CFG_PROCESS_ROLES=controller,broker\n"
     "      - KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093\n"
     "      - KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER\n"
     "      - KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093,EXTERNAL://:9094\n"
     "      - KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://kafka:9092,EXTERNAL://localhost:9094\n"
     "      - "
     "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,EXTERNAL:"
     "PLAINTEXT\n"},
    {"not ephemeral: another port of the container", "", "ok",
     "services:\n"
     "  redpanda:\n"
     "    image: redpandadata/redpanda:v23.3.1\n"
     "    command: redpanda start --kafka-addr 0.0.0.0:9092 --advertise-kafka-addr localhost:9092\n"
     "    ports:\n"
     "      - 9092:9092\n"
     "      - 9644\n"},
    {"not ephemeral: a range", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092-9093:9092-9093\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"legacy: wurstmeister, for the host", "LEGACY~", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka:2.13-2.8.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_HOST_NAME: localhost\n"
     "      KAFKA_ADVERTISED_PORT: 9092\n"},
    {"legacy: bitnami, a list", "LEGACY~", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:2.8.1\n"
     "    ports:\n"
     "      - 9092:9092\n"
     "    environment:\n"
     "      - ALLOW_PLAINTEXT_LISTENER=yes\n"
     "      - KAFKA_CFG_ZOOKEEPER_CONNECT=zookeeper:2181\n"
     "      - KAFKA_CFG_ADVERTISED_HOST_NAME=localhost\n"},
    {"not legacy: as advised", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka:2.13-2.8.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"config-file: apache's, elsewhere", "CONFIG-FILE", NULL,
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:4.1.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    volumes: [\"/no/such/server.properties:/mnt/shared/config/server.properties\"]\n"},
    {"config-file: bitnami's, elsewhere", "CONFIG-FILE", NULL,
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:3.7\n"
     "    ports:\n"
     "      - 9092:9092\n"
     "    volumes:\n"
     "      - type: bind\n"
     "        source: ./no-such-server.properties\n"
     "        target: /bitnami/kafka/config/server.properties\n"},
    {"config-file: redpanda's, elsewhere", "CONFIG-FILE", NULL,
     "services:\n"
     "  redpanda:\n"
     "    image: redpandadata/redpanda:v23.3.1\n"
     "    command: redpanda start\n"
     "    ports: [\"9092:9092\"]\n"
     "    volumes:\n"
     "      - ./no-such-redpanda.yaml:/etc/redpanda/redpanda.yaml\n"},
    {"config-file: confluent, a script", "CONFIG-FILE", NULL,
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    command: /scripts/start.sh\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_BROKER_ID: 1\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "    volumes: [\"./no-such-scripts:/scripts\"]\n"},
    {"not config-file: only the log's", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:4.1.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    volumes:\n"
     "      - ./no-such-log4j2.yaml:/opt/kafka/config/log4j2.yaml\n"
     "      - kafka-data:/var/lib/kafka/data\n"
     "volumes: {kafka-data: }\n"},
    {"not config-file: as advised", "", "ok",
     "services:\n"
     "  redpanda:\n"
     "    image: redpandadata/redpanda:v23.3.1\n"
     "    command: redpanda start --kafka-addr 0.0.0.0:9092 --advertise-kafka-addr localhost:9092\n"
     "    ports: [\"9092:9092\"]\n"},
    {"fragment: a broker's env_file", "CONFIG-FILE,FRAGMENT", NULL,
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    env_file: no-such-kafka.env\n"},
    {"fragment: what a broker extends", "CONFIG-FILE,FRAGMENT", NULL,
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:3.7\n"
     "    extends:\n"
     "      file: no-such-common.yaml\n"
     "      service: kafka\n"
     "    ports:\n"
     "      - 9092:9092\n"},
    {"fragment: an include, and the broker is all here", "FRAGMENT~", "ok",
     "include:\n"
     "  - no-such-monitoring.yaml\n"
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:4.1.1\n"
     "    ports: [\"9092:9092\"]\n"},
    {"not fragment: another service's env_file", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:4.1.1\n"
     "    ports: [\"9092:9092\"]\n"
     "  app:\n"
     "    image: app\n"
     "    env_file: [no-such-app.env]\n"},
    {"not fragment: an env_file that may lack", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:4.1.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    env_file:\n"
     "      - path: no-such-kafka.env\n"
     "        required: false\n"},
    {"not fragment: as advised", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: confluentinc/cp-kafka:7.5.0\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
    {"adv-dup: apache, the host's of two", "ADV-DUP!,CROSSED", "ok",
     "services:\n"
     "  kafka1: &kafka\n"
     "    image: apache/kafka:3.9.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment: &env\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: broker,controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka1:9093,2@kafka2:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:29092,CONTROLLER://:9093,HOST://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka1:29092,HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
     "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,HOST:PLAINTEXT\n"
     "  kafka2:\n"
     "    <<: *kafka\n"
     "    ports: [\"9094:9092\"]\n"
     "    environment:\n"
     "      <<: *env\n"
     "      KAFKA_NODE_ID: 2\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka2:29092,HOST://localhost:9092\n"},
    {"adv-dup: redpanda, the seed in the flag's item", "ADV-DUP!,CROSSED", NULL,
     "services:\n"
     "  rp0:\n"
     "    image: redpandadata/redpanda:v24.2.1\n"
     "    ports: [\"9010:9010\"]\n"
     "    command:\n"
     "      - redpanda start\n"
     "      - --kafka-addr IN://0.0.0.0:9092,OUT://0.0.0.0:9010\n"
     "      - --advertise-kafka-addr IN://rp0:9092,OUT://localhost:9010\n"
     "      - --rpc-addr 0.0.0.0:33145\n"
     "  rp1:\n"
     "    image: redpandadata/redpanda:v24.2.1\n"
     "    ports: [\"9011:9011\"]\n"
     "    command:\n"
     "      - redpanda start\n"
     "      - --seeds rp0:33145\n"
     "      - --kafka-addr IN://0.0.0.0:9092,OUT://0.0.0.0:9011\n"
     "      - --advertise-kafka-addr IN://rp1:9092,OUT://localhost:9010\n"},
    {"adv-dup: redpanda, the seed behind =", "ADV-DUP!,CROSSED", NULL,
     "services:\n"
     "  rp0:\n"
     "    image: redpandadata/redpanda:v24.2.1\n"
     "    ports: [\"9010:9010\"]\n"
     "    command:\n"
     "      - redpanda start\n"
     "      - --kafka-addr IN://0.0.0.0:9092,OUT://0.0.0.0:9010\n"
     "      - --advertise-kafka-addr IN://rp0:9092,OUT://localhost:9010\n"
     "      - --rpc-addr 0.0.0.0:33145\n"
     "  rp1:\n"
     "    image: redpandadata/redpanda:v24.2.1\n"
     "    ports: [\"9011:9011\"]\n"
     "    command:\n"
     "      - redpanda start\n"
     "      - --seeds=rp0:33145\n"
     "      - --kafka-addr IN://0.0.0.0:9092,OUT://0.0.0.0:9011\n"
     "      - --advertise-kafka-addr IN://rp1:9092,OUT://localhost:9010\n"},
    {"not adv-dup: redpanda, ports of their own", "", "ok",
     "services:\n"
     "  rp0:\n"
     "    image: redpandadata/redpanda:v24.2.1\n"
     "    ports: [\"9010:9010\"]\n"
     "    command:\n"
     "      - redpanda start\n"
     "      - --kafka-addr IN://0.0.0.0:9092,OUT://0.0.0.0:9010\n"
     "      - --advertise-kafka-addr IN://rp0:9092,OUT://localhost:9010\n"
     "      - --rpc-addr 0.0.0.0:33145\n"
     "  rp1:\n"
     "    image: redpandadata/redpanda:v24.2.1\n"
     "    ports: [\"9011:9011\"]\n"
     "    command:\n"
     "      - redpanda start\n"
     "      - --seeds rp0:33145\n"
     "      - --kafka-addr IN://0.0.0.0:9092,OUT://0.0.0.0:9011\n"
     "      - --advertise-kafka-addr IN://rp1:9092,OUT://localhost:9011\n"},
    {"not adv-dup: as advised", "", "ok",
     "services:\n"
     "  kafka1: &kafka\n"
     "    image: apache/kafka:3.9.1\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment: &env\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: broker,controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka1:9093,2@kafka2:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:29092,CONTROLLER://:9093,HOST://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka1:29092,HOST://localhost:9092\n"
     "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
     "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,HOST:PLAINTEXT\n"
     "  kafka2:\n"
     "    <<: *kafka\n"
     "    ports: [\"9094:9092\"]\n"
     "    environment:\n"
     "      <<: *env\n"
     "      KAFKA_NODE_ID: 2\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka2:29092,HOST://localhost:9094\n"},
    {"not port-mismatch: a number as hostname names no container", "LAN-IP,LAN-IP", NULL,
     "services:\n"
     "  kafka1:\n"
     "    image: bitnamilegacy/kafka:2.7.0\n"
     "    hostname: 169.254.123.123\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment: &env\n"
     "      KAFKA_CFG_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      ALLOW_PLAINTEXT_LISTENER: \"yes\"\n"
     "      KAFKA_CFG_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_CFG_ADVERTISED_LISTENERS: PLAINTEXT://169.254.123.123:9092\n"
     "  kafka2:\n"
     "    image: bitnamilegacy/kafka:2.7.0\n"
     "    hostname: 169.254.123.123\n"
     "    ports: [\"9093:9092\"]\n"
     "    environment:\n"
     "      <<: *env\n"
     "      KAFKA_CFG_ADVERTISED_LISTENERS: PLAINTEXT://169.254.123.123:9093\n"},
    {"not client-port: who asks a controller", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: apache/kafka:3.9.1\n"
     "    environment:\n"
     "      KAFKA_NODE_ID: 1\n"
     "      KAFKA_PROCESS_ROLES: broker,controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092,CONTROLLER://:9093\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n"
     "  state:\n"
     "    image: apache/kafka:3.9.1\n"
     "    command: /opt/kafka/bin/kafka-metadata-quorum.sh --bootstrap-controller kafka:9093 "
     "describe --status\n"},
    {"not client-port: a server's own controllers", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: automqinc/automq:1.6.0\n"
     "    command: bash -c '/opt/automq/kafka/bin/kafka-server-start.sh "
     "/opt/automq/kafka/config/kraft/server.properties --override node.id=0 "
     "--override controller.quorum.voters=0@kafka:9093 "
     "--override controller.quorum.bootstrap.servers=kafka:9093 "
     "--override advertised.listeners=PLAINTEXT://kafka:9092'\n"},
    {"not proto-mismatch: as advised", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:3.7\n"
     "    environment:\n"
     "      - KAFKA_CFG_NODE_ID=0\n"
     "      - KAFKA_CFG_PROCESS_ROLES=controller,broker\n"
     "      - KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093\n"
     "      - KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER\n"
     "      - KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093\n"
     "      - KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://kafka:9092\n"
     "  ui:\n"
     "    image: provectuslabs/kafka-ui\n"
     "    environment:\n"
     "      - KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS=kafka:9092\n"
     "      - KAFKA_CLUSTERS_0_PROPERTIES_SECURITY_PROTOCOL=PLAINTEXT\n"},
    {"port-not-published: redpanda", "PORT-NOT-PUBLISHED", "ok",
     "services:\n"
     "  redpanda:\n"
     "    image: redpandadata/redpanda:v23.3.1\n"
     "    command: redpanda start --kafka-addr internal://0.0.0.0:9092,external://0.0.0.0:19092 "
     "--advertise-kafka-addr internal://redpanda:9092,external://localhost:19092\n"},
    {"port-not-published: bitnami, only exposed", "PORT-NOT-PUBLISHED", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: bitnami/kafka:3.7\n"
     "    expose:\n"
     "      - \"9094\"\n"
     "    environment:\n"
     "      - KAFKA_CFG_NODE_ID=0\n"
     "      - KAFKA_CFG_PROCESS_ROLES=controller,broker\n"
     "      - KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@kafka:9093\n"
     "      - KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER\n"
     "      - KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093,EXTERNAL://:9094\n"
     "      - KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://kafka:9092,EXTERNAL://localhost:9094\n"
     "      - "
     "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,EXTERNAL:"
     "PLAINTEXT\n"},
    {"not host-name-only: `localhost` is nobody's name", "", "ok",
     "services:\n"
     "  kafka:\n"
     "    image: wurstmeister/kafka:2.13-2.8.1\n"
     "    hostname: localhost\n"
     "    ports: [\"9092:9092\"]\n"
     "    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
     "      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092\n"},
};

static char path[64];

static struct compose *load(const char *text, size_t length, const char *name)
{
    const char *files[] = {path, NULL};
    struct compose_request request = {.files = files};
    struct compose *compose = NULL;
    struct error error = {0};
    FILE *file = fopen(path, "w");

    CHECK(file && fwrite(text, 1, length, file) == length, name);
    fclose(file);
    if (compose_load(&request, &compose, &error))
        fail_msg("%s: %s", name, error.text);
    return compose;
}

static void list_findings(const struct diagnosis *diagnosis, struct buf *out)
{
    buf_text(out, "");
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct finding *finding = &diagnosis->findings[i];
        buf_format(out, "%s%s%s", i ? "," : "", finding->rule->id,
                   finding->severity == SEVERITY_ERROR  ? "!"
                   : finding->severity == SEVERITY_NOTE ? "~"
                                                        : "");
    }
}

/* The last first, so that the places of the others stay. */
static const struct edit *last_edit(const struct diagnosis *diagnosis, const struct edit *before)
{
    const struct edit *last = NULL;
    bool passed = !before;

    for (size_t i = diagnosis->finding_count; i-- > 0;)
        for (size_t k = diagnosis->findings[i].edit_count; k-- > 0;) {
            const struct edit *edit = &diagnosis->findings[i].edits[k];
            if (edit == before)
                passed = true;
            else if ((!before || edit->start < before->start ||
                      (edit->start == before->start && passed)) &&
                     (!last || edit->start > last->start))
                last = edit;
        }
    return last;
}

static char *edited(const struct diagnosis *diagnosis, const char *text, size_t *length)
{
    struct buf out = {0};

    buf_text(&out, text);
    for (const struct edit *edit = last_edit(diagnosis, NULL); edit;
         edit = last_edit(diagnosis, edit)) {
        char *rest = mem_bytes(out.data + edit->end, out.length - edit->end);
        out.length = edit->start;
        buf_text(&out, edit->text);
        buf_text(&out, rest);
        free(rest);
    }
    *length = out.length;
    return out.data;
}

static void check_after(const struct diagnosis *diagnosis, const char *text, const char *verdict,
                        const char *name)
{
    size_t length;
    char *changed = edited(diagnosis, text, &length);
    struct compose *compose = load(changed, length, name);
    struct diagnosis *after = diagnose(compose);

    if (strcmp(verdict_name(after->verdict), verdict)) {
        struct buf list = {0};
        list_findings(after, &list);
        print_error("%s: after the edits %s (%s):\n%s\n", name, verdict_name(after->verdict),
                    list.data, changed);
        buf_free(&list);
        fail();
    }
    diagnosis_free(after);
    compose_free(compose);
    free(changed);
}

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct compose *compose = load(rows[i].file, strlen(rows[i].file), rows[i].name);
        struct diagnosis *diagnosis = diagnose(compose);
        struct buf list = {0};
        list_findings(diagnosis, &list);
        if (strcmp(list.data, rows[i].findings))
            fail_msg("%s: found %s, not %s", rows[i].name, list.data, rows[i].findings);
        if (rows[i].after)
            check_after(diagnosis, rows[i].file, rows[i].after, rows[i].name);
        buf_free(&list);
        diagnosis_free(diagnosis);
        compose_free(compose);
    }
}

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = list; (at = strstr(at, word)); at++)
        if ((at == list || at[-1] == ',') && !isalpha((unsigned char)at[length]) &&
            at[length] != '-')
            return true;
    return false;
}

/* Each rule from the first of reachability on: it fires, does not on a near miss, and is ok
 * afterwards; test_rules_start.c has the others. */
static void test_every_rule(void **state)
{
    (void)state;
    for (const struct rule *rule = rule_find("LOCAL-INTERNAL"); rule->id; rule++) {
        size_t fires = 0, misses = 0, ok = 0, length = strlen(rule->id);
        for (size_t i = 0; i < COUNT(rows); i++) {
            const char *name = rows[i].name;
            bool fired = has_word(rows[i].findings, rule->id);
            bool missed = !fired && !strncmp(name, "not ", 4) &&
                          !strncasecmp(name + 4, rule->id, length) && name[4 + length] == ':';
            fires += fired;
            misses += missed;
            ok += (fired && rows[i].after) ||
                  (missed && !strcmp(name + 4 + length, ": as advised") && rows[i].after);
        }
        CHECK(fires && misses && ok && fires + misses >= 3, rule->id);
    }
}

static void test_addresses(void **state)
{
    static const struct {
        const char *text, *found; /* host|port|scheme */
    } texts[] = {
        {"kafka:9092", "kafka|9092| "},
        {"PLAINTEXT://kafka:9092", "kafka|9092|plaintext "},
        {"a:1,b-2:2, c_3.d:3", "a|1| b-2|2| c_3.d|3| "},
        {"http://user:secret@host:80/x", "host|80|http "},
        {"[::1]:9092", "[::1]|9092| "},
        {"topic:1:1", ""},
        {"10:30", ""},
        {"kafka:", ""},
        {"kafka:0", ""},
        {"kafka:65536", ""},
        {"kafka:9092x", ""},
        {"kafka:123456", ""},
        {"1@voter:9093", "voter|9093| "},
        {"\"brokers\":[\"k:9092\"]", "k|9092| "},
        {"", ""},
        {":9092", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct address address;
        struct buf out = {0};
        buf_text(&out, "");
        for (size_t at = 0; address_find(texts[i].text, at, &address);
             at = address.start + address.length)
            buf_format(&out, "%.*s|%d|%s ", (int)address.host_length, texts[i].text + address.start,
                       address.port, address.scheme);
        if (strcmp(out.data, texts[i].found))
            fail_msg("%s: %s", texts[i].text, out.data);
        buf_free(&out);
    }
}

static void test_hosts(void **state)
{
    static const struct {
        const char *host;
        enum host_kind kind;
    } hosts[] = {
        {"", HOST_NONE},
        {"localhost", HOST_LOCAL},
        {"127.0.0.1", HOST_LOCAL},
        {"::1", HOST_LOCAL},
        {"0.0.0.0", HOST_ANY},
        {"host.docker.internal", HOST_GATEWAY},
        {"10.1.2.3", HOST_PRIVATE},
        {"172.31.0.1", HOST_PRIVATE},
        {"172.32.0.1", HOST_PUBLIC},
        {"192.168.0.1", HOST_PRIVATE},
        {"8.8.8.8", HOST_PUBLIC},
        {"<ip>", HOST_PLACEHOLDER},
        {"YOUR_IP", HOST_PLACEHOLDER},
        {"your-host", HOST_PLACEHOLDER},
        {"x.x.x.x", HOST_PLACEHOLDER},
        {"kafka", HOST_LABEL},
        {"kafka-1", HOST_LABEL},
        {"kafka.example.com", HOST_DOMAIN},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++)
        CHECK(host_kind(hosts[i].host) == hosts[i].kind, hosts[i].host);
}

static void test_vantages(void **state)
{
    static const struct {
        const char *name, *file, *expected;
    } files[] = {
        {"two listeners",
         "services:\n"
         "  kafka:\n"
         "    image: apache/kafka:3.8.0\n"
         "    ports: [\"9092:9092\"]\n"
         "    networks: [a, b]\n"
         "    environment:\n"
         "      KAFKA_NODE_ID: 1\n"
         "      KAFKA_PROCESS_ROLES: broker,controller\n"
         "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093\n"
         "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
         "      KAFKA_LISTENERS: IN://:19092,CONTROLLER://:9093,OUT://:9092\n"
         "      KAFKA_ADVERTISED_LISTENERS: IN://kafka:19092,OUT://localhost:9092\n"
         "      KAFKA_INTER_BROKER_LISTENER_NAME: IN\n"
         "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
         "IN:PLAINTEXT,OUT:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
         "networks: {a: , b: , c: }\n",
         "the host: localhost:9092\n"
         "a container on `a`: kafka:19092\n"
         "a container on `b`: kafka:19092\n"
         "a container on `c`: - no broker is on that network\n"
         "other machines: - the broker advertises localhost:9092, which there is the other machine "
         "itself: "
         "advertise this machine's address\n"},
        {"localhost alone",
         "services:\n"
         "  kafka:\n"
         "    image: apache/kafka:3.8.0\n"
         "    ports: [\"9092:9092\"]\n",
         "the host: localhost:9092\n"
         "a container on `default`: - kafka:9092 sends its clients on to localhost:9092, which "
         "leads "
         "nowhere from there\n"
         "other machines: - the broker advertises localhost:9092, which there is the other machine "
         "itself: "
         "advertise this machine's address\n"},
        {"the host's network",
         "services:\n"
         "  kafka:\n"
         "    image: apache/kafka:3.8.0\n"
         "    network_mode: host\n",
         "the host: localhost:9092\n"
         "other machines: - the broker advertises localhost:9092, which there is the other machine "
         "itself: "
         "advertise this machine's address\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct compose *compose = load(files[i].file, strlen(files[i].file), files[i].name);
        struct diagnosis *diagnosis = diagnose(compose);
        struct buf out = {0};
        for (size_t k = 0; k < diagnosis->vantage_count; k++) {
            const struct vantage *vantage = &diagnosis->vantages[k];
            buf_format(&out, "%s:", vantage->from);
            for (char **address = vantage->addresses; *address; address++)
                buf_format(&out, " %s", *address);
            buf_format(&out, *vantage->failure ? " - %s\n" : "%s\n", vantage->failure);
        }
        if (strcmp(out.data, files[i].expected))
            fail_msg("%s:\n%s", files[i].name, out.data);
        buf_free(&out);
        diagnosis_free(diagnosis);
        compose_free(compose);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),     cmocka_unit_test(test_every_rule),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_vantages),
    };
    int failed;

    snprintf(path, sizeof path, "/tmp/tally-reach-%d.yaml", getpid());
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
