/* The start-up rules: a compose file in, the ids of its findings out, in the
 * order of the table. FIXED rows are corrected by the findings' own edits, and
 * then nothing of these rules is found. */
#include "tests/unit/doctor.h"

#include <string.h>

#include "cluster/doctor/finding.h"

enum after { NO_EDIT, FIXED };

#define NODE    "      KAFKA_NODE_ID: 1\n      KAFKA_PROCESS_ROLES: broker,controller\n"
#define VOTER   "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@k:9093\n"
#define NAMES   "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
#define KRAFT   NODE VOTER NAMES
#define V(line) "      " line "\n"
#define CLUSTER "CLUSTER_ID: MkU3OEVBNTcwNTJENDM2Qk"
#define APACHE(version, lines)                                                                     \
    "services:\n  k:\n    image: apache/kafka:" version "\n    environment:\n" lines
#define TALLY(lines) "services:\n  k:\n    image: tally/kafka\n    environment:\n" lines
#define CONFLUENT(version, lines)                                                                  \
    "services:\n  k:\n    image: confluentinc/cp-kafka:" version "\n    environment:\n" lines
#define ZK(lines) CONFLUENT("7.5.0", V("KAFKA_ZOOKEEPER_CONNECT: zk:2181") lines)
#define BITNAMI(version, lines)                                                                    \
    "services:\n  k:\n    image: bitnami/kafka:" version "\n    environment:\n" lines
#define BKRAFT                                                                                     \
    V("- KAFKA_CFG_NODE_ID=0")                                                                     \
    V("- KAFKA_CFG_PROCESS_ROLES=controller,broker")                                               \
    V("- KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@k:9093")                                             \
    V("- KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER")
#define WURST(lines)                                                                               \
    "services:\n  k:\n    image: wurstmeister/kafka:2.13-2.8.1\n    environment:\n"                \
    "      KAFKA_ZOOKEEPER_CONNECT: zk:2181\n" lines
#define ZOO  V("KAFKA_ZOOKEEPER_CONNECT: zk:2181")
#define ROLE V("KAFKA_PROCESS_ROLES: broker") VOTER NAMES V(CLUSTER)
#define PAIR(version, one, two)                                                                    \
    "services:\n  k:\n    image: confluentinc/cp-kafka:" version                                   \
    "\n    environment:\n" V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:9092") one                 \
        "  l:\n    image: confluentinc/cp-kafka:" version                                          \
        "\n    environment:\n" V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://l:9092") two
#define TWO V("KAFKA_LISTENERS: PLAINTEXT://:9092,CONTROLLER://:9093")
#define ADV V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092")

static const struct {
    const char *name, *yaml, *expected;
    enum after after;
} rows[] = {
    {"nothing wrong: apache", APACHE("4.1.1", KRAFT TWO ADV), "", NO_EDIT},
    {"nothing wrong: apache by default", "services:\n  k:\n    image: apache/kafka\n", "", NO_EDIT},
    {"nothing wrong: confluent on ZooKeeper", ZK(ADV), "", NO_EDIT},
    {"nothing wrong: bitnami",
     BITNAMI("3.6", BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")), "",
     NO_EDIT},
    {"nothing wrong: wurstmeister", WURST(V("KAFKA_ADVERTISED_HOST_NAME: localhost")), "", NO_EDIT},

    /* ---- PARSE */
    {"PARSE: no name", APACHE("4.1.1", KRAFT TWO V("KAFKA_ADVERTISED_LISTENERS: localhost:9092")),
     "PARSE", FIXED},
    {"PARSE: quotes in a list",
     "services:\n  k:\n    image: wurstmeister/kafka:2.13-2.8.1\n    environment:\n"
     "      - KAFKA_ZOOKEEPER_CONNECT=zk:2181\n"
     "      - KAFKA_LISTENERS=PLAINTEXT://:9092\n"
     "      - KAFKA_ADVERTISED_LISTENERS=\"PLAINTEXT://k:9092\"\n",
     "PARSE", FIXED},
    {"PARSE: one slash", ZK(V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT:/localhost:9092")), "PARSE",
     FIXED},
    {"PARSE: a slash behind", ZK(V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092/")),
     "PARSE", FIXED},
    {"PARSE: no port",
     BITNAMI("4.0", BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://,CONTROLLER://:9093")), "PARSE",
     NO_EDIT},
    {"PARSE: too large a port",
     APACHE("4.1.1", KRAFT TWO V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://h:99092")), "PARSE",
     NO_EDIT},
    {"PARSE: no name before the address",
     APACHE("4.1.1", KRAFT V("KAFKA_LISTENERS: PLAINTEXT://:9092,://:9094,CONTROLLER://:9093") ADV),
     "PARSE", NO_EDIT},
    {"PARSE: near miss: blanks and commas",
     APACHE("4.1.1", KRAFT V("KAFKA_LISTENERS: ' PLAINTEXT://:9092 , CONTROLLER://:9093 ,'") ADV),
     "", NO_EDIT},
    {"PARSE: near miss: unset",
     ZK(V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://${TALLY_NO_HOST}:${TALLY_NO_PORT}")), "",
     NO_EDIT},
    {"PARSE: near miss: underscore",
     ZK(V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://my_kafka_1:9092")), "", NO_EDIT},

    /* ---- NAME-DUP */
    {"NAME-DUP: advertised",
     ZK(V("KAFKA_LISTENERS: PLAINTEXT://:9092")
            V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:9092,plaintext://localhost:29092")),
     "NAME-DUP", NO_EDIT},
    {"NAME-DUP: the same twice",
     ZK(V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:9092, PLAINTEXT://k:9092")),
     "NAME-DUP PORT-DUP", FIXED},
    {"NAME-DUP: near miss",
     ZK(V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:9092,PLAINTEXT_HOST://localhost:29092") V(
         "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT")),
     "", NO_EDIT},

    /* ---- PORT-DUP */
    {"PORT-DUP: listeners",
     APACHE("4.1.1", KRAFT V("KAFKA_LISTENERS: PLAINTEXT://:9093,CONTROLLER://:9093")
                         V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9093")),
     "PORT-DUP", NO_EDIT},
    {"PORT-DUP: one advertises another",
     ZK(V("KAFKA_LISTENERS: PLAINTEXT://:9092,HOST://0.0.0.0:9092")
            V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:29092,HOST://localhost:9092")
                V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT")),
     "PORT-DUP", FIXED},
    {"PORT-DUP: derived",
     ZK(V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:9092,HOST://localhost:9092")
            V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT")),
     "PORT-DUP", FIXED},
    {"PORT-DUP: IPv4 and IPv6, all addresses",
     APACHE("4.1.1",
            KRAFT V("KAFKA_LISTENERS: 'PLAINTEXT://0.0.0.0:9092,X://[::]:9092,CONTROLLER://:9093'")
                ADV V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
                      "PLAINTEXT:PLAINTEXT,X:PLAINTEXT,CONTROLLER:PLAINTEXT")),
     "PORT-DUP", FIXED},
    {"PORT-DUP: near miss: advertised only",
     ZK(V("KAFKA_LISTENERS: PLAINTEXT://:29092,HOST://:9092")
            V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:9092,HOST://localhost:9092")
                V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT")),
     "", NO_EDIT},
    {"PORT-DUP: near miss: IPv4 and IPv6",
     APACHE(
         "3.9.1",
         KRAFT V("KAFKA_LISTENERS: 'PLAINTEXT://127.0.0.1:9092,X://[::1]:9092,CONTROLLER://:9093'")
             ADV V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
                   "PLAINTEXT:PLAINTEXT,X:PLAINTEXT,CONTROLLER:PLAINTEXT")),
     "", NO_EDIT},

    /* ---- ADV-NOT-SUBSET */
    {"ADV-NOT-SUBSET: another name",
     WURST(V("KAFKA_LISTENERS: PLAINTEXT://:9092,OUT://:9094")
               V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:9092,OUTSIDE://localhost:9094")
                   V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "
                     "PLAINTEXT:PLAINTEXT,OUT:PLAINTEXT,OUTSIDE:PLAINTEXT")),
     "ADV-NOT-SUBSET", FIXED},
    {"ADV-NOT-SUBSET: no such listener",
     BITNAMI("3.6",
             BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")
                 V("- KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://k:9092,EXTERNAL://localhost:9094")
                     V("- "
                       "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=PLAINTEXT:PLAINTEXT,CONTROLLER:"
                       "PLAINTEXT,EXTERNAL:PLAINTEXT")),
     "ADV-NOT-SUBSET", FIXED},
    {"ADV-NOT-SUBSET: near miss: fewer",
     ZK(V("KAFKA_LISTENERS: PLAINTEXT://:9092,SSL://:9093") ADV), "", NO_EDIT},

    /* ---- ADV-WILDCARD */
    {"ADV-WILDCARD", ZK(V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://0.0.0.0:9092")), "ADV-WILDCARD",
     FIXED},
    {"ADV-WILDCARD: for want of others", WURST(V("KAFKA_LISTENERS: PLAINTEXT://0.0.0.0:9092")),
     "ADV-WILDCARD", FIXED},
    {"ADV-WILDCARD: redpanda",
     "services:\n  k:\n    image: redpandadata/redpanda:v24.1.1\n    command:\n"
     "      - redpanda\n      - start\n      - --advertise-kafka-addr\n      - 0.0.0.0:9092\n",
     "ADV-WILDCARD", FIXED},
    {"ADV-WILDCARD: 3.9.0 and its controllers",
     APACHE("3.9.0",
            KRAFT V("KAFKA_LISTENERS: PLAINTEXT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093") ADV),
     "ADV-WILDCARD", FIXED},
    {"ADV-WILDCARD: near miss: 3.9.1",
     APACHE("3.9.1",
            KRAFT V("KAFKA_LISTENERS: PLAINTEXT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093") ADV),
     "", NO_EDIT},
    {"ADV-WILDCARD: near miss: bound", ZK(V("KAFKA_LISTENERS: PLAINTEXT://0.0.0.0:9092") ADV), "",
     NO_EDIT},

    /* ---- BIND-FOREIGN */
    {"BIND-FOREIGN: the host's address",
     APACHE("4.1.1", KRAFT V("KAFKA_LISTENERS: PLAINTEXT://192.168.1.10:9092,CONTROLLER://:9093")
                         V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://192.168.1.10:9092")),
     "BIND-FOREIGN", FIXED},
    {"BIND-FOREIGN: another service",
     ZK(V("KAFKA_LISTENERS: PLAINTEXT://zk:9092") ADV) "  zk:\n    image: zookeeper\n",
     "BIND-FOREIGN", FIXED},
    {"BIND-FOREIGN: bitnami, a list",
     BITNAMI("3.7", BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://10.0.0.5:9092,CONTROLLER://:9093")
                        V("- KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://10.0.0.5:9092")),
     "BIND-FOREIGN", FIXED},
    {"BIND-FOREIGN: near miss: its own name",
     ZK(V("KAFKA_LISTENERS: PLAINTEXT://k:9092,HOST://kafka.example:9093")
            ADV V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT")),
     "", NO_EDIT},
    {"BIND-FOREIGN: near miss: its own address",
     ZK(V("KAFKA_LISTENERS: PLAINTEXT://10.5.0.4:9092")
            ADV) "    networks: {n: {ipv4_address: 10.5.0.4}}\nnetworks: {n: }\n",
     "", NO_EDIT},

    /* ---- MAP-MISSING */
    {"MAP-MISSING: in the map",
     ZK(V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:29092,HOST://localhost:9092")
            V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT")),
     "MAP-MISSING", FIXED},
    {"MAP-MISSING: no map",
     WURST(V("KAFKA_LISTENERS: PLAINTEXT://:9092,OUTSIDE://:9094")
               V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:9092,OUTSIDE://localhost:9094")),
     "MAP-MISSING", FIXED},
    {"MAP-MISSING: the controllers'",
     APACHE("4.1.1", KRAFT TWO ADV V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT")),
     "MAP-MISSING", FIXED},
    {"MAP-MISSING: near miss: KRaft maps controllers", APACHE("4.1.1", KRAFT TWO ADV), "", NO_EDIT},
    {"MAP-MISSING: near miss: small letters, blanks",
     ZK(V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:29092,HOST://localhost:9092")
            V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: plaintext:plaintext, host:plaintext")),
     "", NO_EDIT},

    /* ---- MAP-BADPROTO */
    {"MAP-BADPROTO: PLAIN", ZK(ADV V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAIN")),
     "MAP-BADPROTO", FIXED},
    {"MAP-BADPROTO: no colon",
     BITNAMI("3.6",
             BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")
                 V("- KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT")),
     "MAP-MISSING MAP-BADPROTO", NO_EDIT},
    {"MAP-BADPROTO: near miss",
     ZK(V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:29092,SASL_SSL://localhost:9092") V(
         "KAFKA_OPTS: -Djava.security.auth.login.config=/j") V("KAFKA_SSL_KEYSTORE_FILENAME: k")
            V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL")),
     "", NO_EDIT},

    /* ---- IBL */
    {"IBL-UNKNOWN: the default",
     WURST(V("KAFKA_LISTENERS: INSIDE://:9092,OUTSIDE://:9094")
               V("KAFKA_ADVERTISED_LISTENERS: INSIDE://k:9092,OUTSIDE://localhost:9094")
                   V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT")),
     "IBL-UNKNOWN", FIXED},
    {"IBL-UNKNOWN: another name",
     BITNAMI("3.6", BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")
                        V("- KAFKA_CFG_INTER_BROKER_LISTENER_NAME=INTERNAL")),
     "IBL-UNKNOWN", FIXED},
    {"IBL-UNKNOWN: the controllers'",
     APACHE("4.1.1", KRAFT TWO ADV V("KAFKA_INTER_BROKER_LISTENER_NAME: CONTROLLER")),
     "IBL-UNKNOWN", FIXED},
    {"IBL-UNKNOWN: empty", APACHE("4.1.1", KRAFT TWO ADV V("KAFKA_INTER_BROKER_LISTENER_NAME: ''")),
     "IBL-UNKNOWN", FIXED},
    {"IBL-UNKNOWN: empty, bitnami",
     BITNAMI("3.9", BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")
                        V("- KAFKA_CFG_INTER_BROKER_LISTENER_NAME=")),
     "IBL-UNKNOWN", FIXED},
    {"IBL-UNKNOWN: not in a controller's map",
     APACHE("4.1.1", V("KAFKA_NODE_ID: 1") V("KAFKA_PROCESS_ROLES: controller")
                         VOTER NAMES V("KAFKA_LISTENERS: CONTROLLER://:9093")
                             V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: CONTROLLER:PLAINTEXT")
                                 V("KAFKA_INTER_BROKER_LISTENER_NAME: PLAINTEXT")),
     "IBL-UNKNOWN", FIXED},
    {"IBL-UNKNOWN: near miss: a blank before it",
     BITNAMI("3.9", BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")
                        V("- KAFKA_CFG_INTER_BROKER_LISTENER_NAME= PLAINTEXT")),
     "", NO_EDIT},
    {"IBL-UNKNOWN: near miss: controllers' names without KRaft",
     CONFLUENT("7.0.0", V("KAFKA_ZOOKEEPER_CONNECT: zk:2181")
                            ADV V("KAFKA_CONTROLLER_LISTENER_NAMES: PLAINTEXT")),
     "", NO_EDIT},
    {"IBL-UNKNOWN: near miss: small letters",
     ZK(ADV V("KAFKA_INTER_BROKER_LISTENER_NAME: plaintext")), "", NO_EDIT},
    {"IBL-UNKNOWN: near miss: by the protocol",
     ZK(V("KAFKA_ADVERTISED_LISTENERS: SSL://k:9092") V("KAFKA_SSL_KEYSTORE_FILENAME: k")
            V("KAFKA_SECURITY_INTER_BROKER_PROTOCOL: SSL")),
     "", NO_EDIT},
    {"IBL-BOTH",
     ZK(ADV V("KAFKA_SECURITY_INTER_BROKER_PROTOCOL: PLAINTEXT")
            V("KAFKA_INTER_BROKER_LISTENER_NAME: PLAINTEXT")),
     "IBL-BOTH", FIXED},
    {"IBL-BOTH: near miss: bitnami of old drops one",
     BITNAMI("2.8", V("- ALLOW_PLAINTEXT_LISTENER=yes") V("- KAFKA_CFG_ZOOKEEPER_CONNECT=zk:2181")
                        V("- KAFKA_CFG_SECURITY_INTER_BROKER_PROTOCOL=PLAINTEXT")
                            V("- KAFKA_CFG_INTER_BROKER_LISTENER_NAME=PLAINTEXT")),
     "", NO_EDIT},
    {"IBL-BOTH: near miss: one", ZK(ADV V("KAFKA_SECURITY_INTER_BROKER_PROTOCOL: PLAINTEXT")), "",
     NO_EDIT},

    /* ---- KRaft */
    {"ROLES",
     APACHE("4.1.1", V("KAFKA_NODE_ID: 1") V("KAFKA_PROCESS_ROLES: broker,controler")
                         VOTER NAMES V("KAFKA_LISTENERS: PLAINTEXT://:9092") ADV),
     "ROLES VOTERS", NO_EDIT},
    {"ROLES: capitals",
     APACHE("4.1.1",
            V("KAFKA_NODE_ID: 1") V("KAFKA_PROCESS_ROLES: BROKER,CONTROLLER") VOTER NAMES TWO ADV),
     "ROLES", FIXED},
    {"ROLES: bitnami, a list",
     BITNAMI("3.7", V("- KAFKA_CFG_NODE_ID=0") V("- KAFKA_CFG_PROCESS_ROLES=Controller,Broker")
                        V("- KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@k:9093")
                            V("- KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER")
                                V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")),
     "ROLES", FIXED},
    {"ROLES: a comma behind",
     APACHE("4.1.1", V("KAFKA_NODE_ID: 1") V("KAFKA_PROCESS_ROLES: 'broker,controller,'")
                         VOTER NAMES TWO ADV),
     "ROLES", FIXED},
    {"ROLES: one twice",
     CONFLUENT("7.6.0", V("KAFKA_NODE_ID: 1") V("KAFKA_PROCESS_ROLES: broker,controller,broker")
                            VOTER NAMES TWO ADV V(CLUSTER)),
     "ROLES", FIXED},
    {"ROLES: near miss: a blank",
     APACHE("4.1.1",
            V("KAFKA_NODE_ID: 1") V("KAFKA_PROCESS_ROLES: broker, controller") VOTER NAMES TWO ADV),
     "", NO_EDIT},
    {"CTRL-ADV: 3.8",
     APACHE(
         "3.8.0",
         KRAFT TWO V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092,CONTROLLER://k:9093")),
     "CTRL-ADV", FIXED},
    {"CTRL-ADV: the script's",
     CONFLUENT("7.6.0", V("KAFKA_NODE_ID: 1") V("KAFKA_PROCESS_ROLES: controller")
                            VOTER NAMES V("KAFKA_LISTENERS: CONTROLLER://:9093") V(CLUSTER)
                                V("KAFKA_ADVERTISED_LISTENERS: CONTROLLER://k:9093")),
     "CTRL-ADV", FIXED},
    {"CTRL-ADV: a controller of bitnami's",
     BITNAMI("3.7", V("- KAFKA_CFG_NODE_ID=0") V("- KAFKA_CFG_PROCESS_ROLES=controller")
                        V("- KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@k:9093")
                            V("- KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER")
                                V("- KAFKA_CFG_LISTENERS=CONTROLLER://:9093")
                                    V("- KAFKA_CFG_ADVERTISED_LISTENERS=CONTROLLER://k:9093")),
     "CTRL-ADV", FIXED},
    {"CTRL-ADV: nothing else",
     APACHE("4.1.1", KRAFT TWO V("KAFKA_ADVERTISED_LISTENERS: CONTROLLER://k:9093")), "CTRL-ADV",
     FIXED},
    {"CTRL-MISSING: nothing else", APACHE("4.1.1", KRAFT V("KAFKA_LISTENERS: CONTROLLER://:9093")),
     "CTRL-MISSING", FIXED},
    {"PARSE: nothing", APACHE("4.1.1", KRAFT TWO V("KAFKA_ADVERTISED_LISTENERS: ''")), "PARSE",
     FIXED},
    {"MAP-BADPROTO: the brokers' own",
     APACHE("4.1.1", KRAFT TWO ADV V("KAFKA_SECURITY_INTER_BROKER_PROTOCOL: plaintext")),
     "MAP-BADPROTO", FIXED},
    {"MAP-BADPROTO: the brokers' own, 3.3",
     CONFLUENT("7.3.0", V("KAFKA_ZOOKEEPER_CONNECT: zk:2181")
                            ADV V("KAFKA_SECURITY_INTER_BROKER_PROTOCOL: plaintext")),
     "MAP-BADPROTO", FIXED},
    {"MAP-BADPROTO: near miss: 3.2 takes small letters",
     CONFLUENT("7.2.0", V("KAFKA_ZOOKEEPER_CONNECT: zk:2181")
                            ADV V("KAFKA_SECURITY_INTER_BROKER_PROTOCOL: plaintext")),
     "", NO_EDIT},
    {"MAP-BADPROTO: the brokers' own is empty",
     ZK(ADV V("KAFKA_SECURITY_INTER_BROKER_PROTOCOL: ''")), "MAP-BADPROTO", FIXED},
    {"MAP-BADPROTO: nothing between two commas",
     ZK(ADV V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,,SSL:SSL'")),
     "MAP-BADPROTO", NO_EDIT},
    {"MAP-BADPROTO: an entry without a name",
     CONFLUENT("7.6.0", V("KAFKA_ZOOKEEPER_CONNECT: zk:2181") ADV V(
                            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,:SSL'")),
     "MAP-BADPROTO", NO_EDIT},
    {"MAP-BADPROTO: near miss: 3.5 takes one without a name",
     CONFLUENT("7.5.0", V("KAFKA_ZOOKEEPER_CONNECT: zk:2181") ADV V(
                            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,:SSL'")),
     "", NO_EDIT},
    {"MAP-BADPROTO: near miss: commas behind",
     ZK(ADV V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT, ,'")), "", NO_EDIT},
    {"IMG-REQUIRED: bitnami, a node's id",
     BITNAMI("4.0", V("- KAFKA_CFG_BROKER_ID=0") V("- KAFKA_CFG_PROCESS_ROLES=controller,broker")
                        V("- KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@k:9093")
                            V("- KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER")
                                V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")),
     "IMG-REQUIRED", FIXED},
    {"CTRL-ADV: near miss: 3.9",
     APACHE(
         "3.9.1",
         KRAFT TWO V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092,CONTROLLER://k:9093")),
     "", NO_EDIT},
    {"CTRL-MISSING: derived", CONFLUENT("7.6.0", KRAFT ADV V(CLUSTER)), "CTRL-MISSING", FIXED},
    {"CTRL-MISSING: no names",
     APACHE("4.1.1",
            NODE VOTER TWO ADV V(
                "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT")),
     "CTRL-MISSING", FIXED},
    {"CTRL-MISSING: bitnami", BITNAMI("3.7", BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092")),
     "CTRL-MISSING", FIXED},
    {"CTRL-MISSING: a broker has one",
     APACHE("4.1.1", V("KAFKA_NODE_ID: 2") V("KAFKA_PROCESS_ROLES: broker") VOTER NAMES TWO ADV),
     "CTRL-MISSING", FIXED},
    {"CTRL-MISSING: a controller has others",
     APACHE("4.1.1", V("KAFKA_NODE_ID: 1") V("KAFKA_PROCESS_ROLES: controller") VOTER NAMES TWO),
     "CTRL-MISSING", FIXED},
    {"CTRL-MISSING: small letters",
     APACHE("4.1.1", NODE VOTER V("KAFKA_CONTROLLER_LISTENER_NAMES: controller") TWO ADV),
     "CTRL-MISSING", NO_EDIT},
    {"CTRL-MISSING: small letters in the listeners, bitnami",
     BITNAMI("3.9", BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,controller://:9093")),
     "CTRL-MISSING", NO_EDIT},
    {"CTRL-MISSING: near miss: small letters in the listeners",
     APACHE("4.1.1", KRAFT V("KAFKA_LISTENERS: PLAINTEXT://:9092,controller://:9093") ADV), "",
     NO_EDIT},
    {"CTRL-MISSING: near miss: any name",
     APACHE("4.1.1", NODE VOTER V("KAFKA_CONTROLLER_LISTENER_NAMES: QUORUM")
                         V("KAFKA_LISTENERS: PLAINTEXT://:9092,QUORUM://:9093") ADV),
     "", NO_EDIT},
    {"CTRL-MISSING: near miss: broker and controller apart",
     "services:\n  c:\n    image: apache/kafka:4.1.1\n    environment:\n"
     "      KAFKA_NODE_ID: 1\n      KAFKA_PROCESS_ROLES: controller\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@c:9093\n      KAFKA_LISTENERS: CONTROLLER://:9093\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
     "  b:\n    image: apache/kafka:4.1.1\n    environment:\n"
     "      KAFKA_NODE_ID: 2\n      KAFKA_PROCESS_ROLES: broker\n"
     "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@c:9093\n      KAFKA_LISTENERS: PLAINTEXT://:9092\n"
     "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://b:9092\n"
     "      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n",
     "", NO_EDIT},
    {"VOTERS: another id",
     APACHE("4.1.1",
            V("KAFKA_NODE_ID: 2") V("KAFKA_PROCESS_ROLES: broker,controller") VOTER NAMES TWO ADV),
     "VOTERS", FIXED},
    {"VOTERS: another port",
     APACHE("4.1.1", KRAFT V("KAFKA_LISTENERS: PLAINTEXT://:9092,CONTROLLER://:29093") ADV),
     "VOTERS", FIXED},
    {"VOTERS: a name that nothing has",
     APACHE("4.1.1", NODE V("KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093") NAMES TWO ADV),
     "VOTERS", FIXED},
    {"VOTERS: none",
     BITNAMI("3.7", V("- KAFKA_CFG_NODE_ID=0") V("- KAFKA_CFG_PROCESS_ROLES=controller,broker")
                        V("- KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER")
                            V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")),
     "VOTERS", FIXED},
    {"VOTERS: no id",
     CONFLUENT("7.6.0", V("KAFKA_PROCESS_ROLES: broker,controller") VOTER NAMES TWO ADV V(CLUSTER)),
     "VOTERS", FIXED},
    {"VOTERS: 0.0.0.0",
     APACHE("4.1.1", NODE V("KAFKA_CONTROLLER_QUORUM_VOTERS: 1@0.0.0.0:9093") NAMES TWO ADV),
     "VOTERS", FIXED},
    {"VOTERS: no form",
     APACHE("4.1.1", NODE V("KAFKA_CONTROLLER_QUORUM_VOTERS: k:9093") NAMES TWO ADV), "VOTERS",
     FIXED},
    {"VOTERS: a comma behind",
     APACHE("4.1.1", NODE V("KAFKA_CONTROLLER_QUORUM_VOTERS: '1@k:9093,'") NAMES TWO ADV), "VOTERS",
     FIXED},
    {"VOTERS: two in one",
     APACHE("4.1.1", NODE V("KAFKA_CONTROLLER_QUORUM_VOTERS: 1@k:9093 2@l:9093") NAMES TWO ADV),
     "VOTERS", FIXED},
    {"VOTERS: a blank before the name",
     APACHE("4.1.1", NODE V("KAFKA_CONTROLLER_QUORUM_VOTERS: 1@ k:9093") NAMES TWO ADV), "VOTERS",
     FIXED},
    {"VOTERS: none, but bootstrap servers",
     APACHE("4.1.1", NODE V("KAFKA_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS: k:9093") NAMES TWO ADV),
     "VOTERS", FIXED},
    {"VOTERS: bootstrap servers before 3.9",
     CONFLUENT("7.7.0", V("KAFKA_NODE_ID: 1") V("KAFKA_PROCESS_ROLES: broker")
                            V("KAFKA_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS: c:9093")
                                NAMES ADV V("KAFKA_LISTENERS: PLAINTEXT://:9092") V(CLUSTER)),
     "VOTERS", NO_EDIT},
    {"VOTERS: bootstrap servers are not enough for bitnami's script",
     BITNAMI("3.9", V("- KAFKA_CFG_NODE_ID=1") V("- KAFKA_CFG_PROCESS_ROLES=broker")
                        V("- KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER")
                            V("- KAFKA_CFG_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS=c:9093")
                                V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092")),
     "VOTERS", NO_EDIT},
    {"VOTERS: an empty id beside the right one",
     APACHE("4.1.1", KRAFT V("KAFKA_BROKER_ID: ''") TWO ADV), "VOTERS", FIXED},
    {"VOTERS: an id that is no number",
     ZK(V("KAFKA_BROKER_ID: kafka-1") V("KAFKA_LISTENERS: PLAINTEXT://:9092") ADV), "VOTERS",
     NO_EDIT},
    {"VOTERS: a negative id",
     APACHE("4.1.1",
            V("KAFKA_NODE_ID: -1") V("KAFKA_PROCESS_ROLES: broker,controller") VOTER NAMES TWO ADV),
     "VOTERS", NO_EDIT},
    {"VOTERS: an id that ZooKeeper hands out", ZK(V("KAFKA_BROKER_ID: 1001") ADV), "VOTERS",
     NO_EDIT},
    {"VOTERS: two ids on ZooKeeper", ZK(V("KAFKA_BROKER_ID: 1") V("KAFKA_NODE_ID: 2") ADV),
     "VOTERS", FIXED},
    {"VOTERS: near miss: two ids on ZooKeeper before 3.1",
     CONFLUENT("7.0.0", V("KAFKA_ZOOKEEPER_CONNECT: zk:2181") V("KAFKA_BROKER_ID: 1")
                            V("KAFKA_NODE_ID: 2") ADV),
     "", NO_EDIT},
    {"VOTERS: near miss: wurstmeister's script fills in an empty id",
     WURST(V("KAFKA_ADVERTISED_HOST_NAME: k") V("KAFKA_BROKER_ID: ''")), "", NO_EDIT},
    {"VOTERS: near miss: the reserved ids begin later",
     ZK(V("KAFKA_BROKER_ID: 1001") V("KAFKA_RESERVED_BROKER_MAX_ID: 2000") ADV), "", NO_EDIT},
    {"VOTERS: near miss: one id in two ways, with blanks",
     APACHE("4.1.1", KRAFT V("KAFKA_BROKER_ID: ' 01 '") TWO ADV), "", NO_EDIT},
    {"VOTERS: near miss: a broker with bootstrap servers",
     APACHE("4.1.1", V("KAFKA_NODE_ID: 2") V("KAFKA_PROCESS_ROLES: broker")
                         V("KAFKA_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS: c:9093")
                             NAMES ADV V("KAFKA_LISTENERS: PLAINTEXT://:9092")),
     "", NO_EDIT},
    {"VOTERS: near miss: broker.id alone, localhost",
     CONFLUENT("7.6.0",
               V("KAFKA_BROKER_ID: 1") V("KAFKA_PROCESS_ROLES: broker,controller")
                   V("KAFKA_CONTROLLER_QUORUM_VOTERS: 1@localhost:9093") NAMES TWO ADV V(CLUSTER)),
     "", NO_EDIT},
    {"VOTERS: near miss: container_name",
     APACHE("4.1.1", NODE V("KAFKA_CONTROLLER_QUORUM_VOTERS: 1@kafka:9093")
                         NAMES TWO ADV) "    container_name: kafka\n",
     "", NO_EDIT},

    /* ---- Images */
    {"nothing wrong: tally", TALLY(KRAFT TWO ADV), "", NO_EDIT},
    {"IMG-REQUIRED: tally, advertised", TALLY(KRAFT TWO), "IMG-REQUIRED", FIXED},
    {"IMG-REQUIRED: tally, roles", TALLY(ADV), "IMG-REQUIRED", FIXED},
    {"WRONG-STYLE: tally",
     TALLY(V("KAFKA_NODE_ID: 1") V("KAFKA_CFG_PROCESS_ROLES: broker,controller")
               VOTER NAMES TWO ADV),
     "MAP-MISSING WRONG-STYLE", FIXED},
    {"ZK-LATEST: tally", TALLY(V("KAFKA_ZOOKEEPER_CONNECT: zk:2181") ADV), "ZK-LATEST", FIXED},
    /* ---- CLUSTER-ID */
    {"CLUSTER-ID: confluent, a word",
     CONFLUENT("7.6.0", KRAFT TWO ADV V("CLUSTER_ID: kraft-cluster")), "CLUSTER-ID", FIXED},
    {"CLUSTER-ID: confluent, a UUID as it is mostly written",
     CONFLUENT("7.5.0", KRAFT TWO ADV V("CLUSTER_ID: 6d8f5e0a-1c1b-4b61-9f0e-6a2b8f3c9d10")),
     "CLUSTER-ID", FIXED},
    {"CLUSTER-ID: confluent, a sign that is not in the alphabet",
     CONFLUENT("7.4.0", KRAFT TWO ADV V("CLUSTER_ID: 4L6g3nShT+eMCtK--X86sw")), "CLUSTER-ID",
     FIXED},
    {"CLUSTER-ID: bitnami",
     BITNAMI("3.6", BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")
                        V("- KAFKA_KRAFT_CLUSTER_ID=my-cluster")),
     "CLUSTER-ID", FIXED},
    {"CLUSTER-ID: bitnami, several nodes and none",
     BITNAMI("4.0", V("- KAFKA_CFG_NODE_ID=0") V("- KAFKA_CFG_PROCESS_ROLES=controller,broker")
                        V("- KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@k:9093,1@l:9093")
                            V("- KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER")
                                V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")),
     "CLUSTER-ID", FIXED},
    {"CLUSTER-ID: near miss: bitnami, several nodes with one",
     BITNAMI("4.0", V("- KAFKA_CFG_NODE_ID=0") V("- KAFKA_CFG_PROCESS_ROLES=controller,broker")
                        V("- KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@k:9093,1@l:9093")
                            V("- KAFKA_CFG_CONTROLLER_LISTENER_NAMES=CONTROLLER")
                                V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")
                                    V("- KAFKA_KRAFT_CLUSTER_ID=abcdefghijklmnopqrstuv")),
     "", NO_EDIT},
    {"CLUSTER-ID: near miss: bitnami, one node",
     BITNAMI("4.0", BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")), "",
     NO_EDIT},
    {"CLUSTER-ID: near miss: words of 22 signs",
     CONFLUENT("7.5.0", KRAFT TWO ADV V("CLUSTER_ID: kafka-docker-cluster-1")), "", NO_EDIT},
    {"CLUSTER-ID: near miss: filled up",
     CONFLUENT("7.5.0", KRAFT TWO ADV V("CLUSTER_ID: MkU3OEVBNTcwNTJENDM2Qg==")), "", NO_EDIT},
    {"CLUSTER-ID: near miss: Kafka 3.7 takes any",
     CONFLUENT("7.7.0", KRAFT TWO ADV V("CLUSTER_ID: kraft-cluster")), "", NO_EDIT},
    {"CLUSTER-ID: near miss: latest",
     APACHE("latest", KRAFT TWO ADV V("CLUSTER_ID: kraft-cluster")), "", NO_EDIT},
    {"CLUSTER-ID: near miss: a variable",
     CONFLUENT("7.5.0", KRAFT TWO ADV V("CLUSTER_ID: ${TALLY_NO_ID}")), "", NO_EDIT},
    {"CLUSTER-ID: near miss: on ZooKeeper nobody asks", ZK(ADV V("CLUSTER_ID: kraft-cluster")), "",
     NO_EDIT},

    /* ---- ID-DUP */
    {"ID-DUP: on ZooKeeper",
     PAIR("7.5.0", V("KAFKA_BROKER_ID: 1") ZOO, V("KAFKA_BROKER_ID: 1") ZOO), "ID-DUP", FIXED},
    {"ID-DUP: brokers under controllers of their own",
     PAIR("7.6.0", V("KAFKA_NODE_ID: 4") ROLE, V("KAFKA_NODE_ID: 4") ROLE), "ID-DUP", FIXED},
    {"ID-DUP: bitnami, a list",
     "services:\n  k:\n    image: bitnami/kafka:3.9.0\n    environment:\n" V(
         "- KAFKA_CFG_ZOOKEEPER_CONNECT=zk:2181")
         V("- KAFKA_CFG_BROKER_ID=0") "  l:\n    image: bitnami/kafka:3.9.0\n    environment:\n" V(
             "- KAFKA_CFG_ZOOKEEPER_CONNECT=zk:2181") V("- KAFKA_CFG_BROKER_ID=0"),
     "ID-DUP", FIXED},
    {"ID-DUP: near miss: two ids",
     PAIR("7.5.0", V("KAFKA_BROKER_ID: 1") ZOO, V("KAFKA_BROKER_ID: 2") ZOO), "", NO_EDIT},
    {"ID-DUP: near miss: two clusters",
     PAIR("7.5.0", V("KAFKA_BROKER_ID: 1") V("KAFKA_ZOOKEEPER_CONNECT: zk:2181/a"),
          V("KAFKA_BROKER_ID: 1") V("KAFKA_ZOOKEEPER_CONNECT: zk:2181/b")),
     "", NO_EDIT},
    {"ID-DUP: near miss: made by itself", PAIR("7.5.0", ZOO, ZOO), "", NO_EDIT},
    {"ID-DUP: near miss: never at once",
     "services:\n  k:\n    profiles: [dev]\n    image: confluentinc/cp-kafka:7.5.0\n    "
     "environment:\n" V("KAFKA_BROKER_ID: 1") ZOO ADV
     "  l:\n    profiles: [prod]\n    image: confluentinc/cp-kafka:7.5.0\n    environment:\n" V(
         "KAFKA_BROKER_ID: 1") ZOO ADV,
     "", NO_EDIT},

    {"IMG-REQUIRED: confluent, advertised", ZK(V("KAFKA_BROKER_ID: 1")), "IMG-REQUIRED", FIXED},
    {"IMG-REQUIRED: confluent, CLUSTER_ID", CONFLUENT("8.0.0", KRAFT TWO ADV), "IMG-REQUIRED",
     FIXED},
    {"IMG-REQUIRED: confluent, no KRaft before 7.4", CONFLUENT("7.2.1", KRAFT TWO ADV V(CLUSTER)),
     "IMG-REQUIRED", FIXED},
    {"IMG-REQUIRED: apache, one variable", APACHE("4.1.1", ADV), "IMG-REQUIRED", FIXED},
    {"IMG-REQUIRED: apache, with names of its own",
     APACHE("3.9.1",
            V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:19092,HOST://localhost:9092")
                V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT")),
     "IMG-REQUIRED", FIXED},
    {"IMG-REQUIRED: bitnami, no mode", BITNAMI("4.0", V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092")),
     "IMG-REQUIRED", FIXED},
    {"IMG-REQUIRED: bitnami of old, plain text",
     BITNAMI("2.8.1", V("- KAFKA_CFG_ZOOKEEPER_CONNECT=zk:2181")), "IMG-REQUIRED", FIXED},
    {"IMG-REQUIRED: wurstmeister, listeners",
     WURST(V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:9092")), "IMG-REQUIRED", FIXED},
    {"IMG-REQUIRED: SASL",
     ZK(V("KAFKA_ADVERTISED_LISTENERS: SASL_PLAINTEXT://k:9092")
            V("KAFKA_SECURITY_INTER_BROKER_PROTOCOL: SASL_PLAINTEXT")),
     "IMG-REQUIRED", NO_EDIT},
    {"IMG-REQUIRED: near miss: a script took it out",
     "services:\n  k:\n    image: confluentinc/cp-kafka:7.2.1\n"
     "    command: bash -c '/tmp/update_run.sh && /etc/confluent/docker/run'\n    "
     "environment:\n" KRAFT TWO ADV,
     "", NO_EDIT},
    {"CTRL-MISSING: behind a script, what stands in the file",
     "services:\n  k:\n    image: confluentinc/cp-kafka:7.2.1\n"
     "    command: bash -c '/tmp/update_run.sh && /etc/confluent/docker/run'\n    "
     "environment:\n" V("KAFKA_NODE_ID: 2") V("KAFKA_PROCESS_ROLES: broker") VOTER NAMES TWO ADV,
     "CTRL-MISSING", FIXED},
    {"VOTERS: behind a script, what stands in the file",
     "services:\n  k:\n    image: confluentinc/cp-kafka:7.2.1\n"
     "    command: bash -c '/tmp/update_run.sh && /etc/confluent/docker/run'\n    "
     "environment:\n" V("KAFKA_NODE_ID: 3") V("KAFKA_PROCESS_ROLES: broker,controller")
         VOTER NAMES TWO ADV,
     "VOTERS", NO_EDIT},
    {"VOTERS: near miss: a script may set what the file does not",
     "services:\n  k:\n    image: confluentinc/cp-kafka:7.2.1\n"
     "    command: bash -c '. /tmp/settings && /etc/confluent/docker/run'\n    "
     "environment:\n" V("KAFKA_PROCESS_ROLES: broker,controller") ADV,
     "", NO_EDIT},
    {"IMG-REQUIRED: near miss: apache without any", APACHE("4.1.1", V("KAFKA_HEAP_OPTS: -Xmx1g")),
     "", NO_EDIT},
    {"IMG-REQUIRED: bitnami 3.4, a tag that moved",
     BITNAMI("3.4", V("- ALLOW_PLAINTEXT_LISTENER=yes")), "IMG-REQUIRED", NO_EDIT},
    {"IMG-REQUIRED: bitnami 3.5, half of KRaft",
     BITNAMI("3.5", V("- ALLOW_PLAINTEXT_LISTENER=yes") V("- KAFKA_CFG_NODE_ID=0")
                        V("- KAFKA_CFG_CONTROLLER_QUORUM_VOTERS=0@k:9093")),
     "IMG-REQUIRED", NO_EDIT},
    {"IMG-REQUIRED: near miss: bitnami 3.4.0",
     BITNAMI("3.4.0", V("- ALLOW_PLAINTEXT_LISTENER=yes")), "", NO_EDIT},
    {"IMG-REQUIRED: near miss: bitnami, one build",
     BITNAMI("3.4.1-debian-11-r0", V("- ALLOW_PLAINTEXT_LISTENER=yes")), "", NO_EDIT},
    {"IMG-REQUIRED: near miss: bitnami 3.5 on ZooKeeper",
     BITNAMI("3.5", V("- KAFKA_CFG_ZOOKEEPER_CONNECT=zk:2181")), "", NO_EDIT},
    {"IMG-DEPRECATED-ENV", ZK(ADV V("KAFKA_PORT: 9092")), "IMG-DEPRECATED-ENV", FIXED},
    {"IMG-DEPRECATED-ENV: a list",
     CONFLUENT("7.5.0", V("- KAFKA_ZOOKEEPER_CONNECT=zk:2181")
                            V("- KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092")
                                V("- KAFKA_ADVERTISED_PORT=9092")),
     "IMG-DEPRECATED-ENV", FIXED},
    {"IMG-DEPRECATED-ENV: near miss: HOST_NAME", ZK(ADV V("KAFKA_ADVERTISED_HOST_NAME: localhost")),
     "", NO_EDIT},
    {"IMG-DEPRECATED-ENV: near miss: wurstmeister",
     WURST(V("KAFKA_ADVERTISED_HOST_NAME: k") V("KAFKA_PORT: 9092")), "", NO_EDIT},
    {"WRONG-STYLE: bitnami's on apache",
     APACHE("4.1.1", V("KAFKA_CFG_NODE_ID: 1") V("KAFKA_CFG_PROCESS_ROLES: broker,controller")
                         V("KAFKA_CFG_CONTROLLER_QUORUM_VOTERS: 1@k:9093")
                             V("KAFKA_CFG_CONTROLLER_LISTENER_NAMES: CONTROLLER")
                                 V("KAFKA_CFG_LISTENERS: PLAINTEXT://:9092,CONTROLLER://:9093")),
     "WRONG-STYLE", FIXED},
    {"WRONG-STYLE: on confluent",
     CONFLUENT("7.6.0", V("KAFKA_ZOOKEEPER_CONNECT: zk:2181")
                            V("KAFKA_CFG_ADVERTISED_LISTENERS: PLAINTEXT://k:9092")),
     "WRONG-STYLE", FIXED},
    {"WRONG-STYLE: plain on bitnami",
     BITNAMI("3.7", V("- KAFKA_NODE_ID=0") V("- KAFKA_PROCESS_ROLES=controller,broker")
                        V("- KAFKA_CONTROLLER_QUORUM_VOTERS=0@k:9093")
                            V("- KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER")
                                V("- KAFKA_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")),
     "WRONG-STYLE", FIXED},
    {"WRONG-STYLE: near miss: the right ones are there, too",
     ZK(ADV V("KAFKA_CFG_ADVERTISED_LISTENERS: PLAINTEXT://k:9092")), "", NO_EDIT},
    {"IMG-REQUIRED: SASL without a login",
     ZK(V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:9092,OUT://localhost:29092")
            V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,OUT:SASL_PLAINTEXT")),
     "IMG-REQUIRED", NO_EDIT},
    {"IMG-REQUIRED: SASL without a login, the controllers'",
     APACHE("4.1.1",
            KRAFT TWO ADV V(
                "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,CONTROLLER:SASL_SSL")),
     "IMG-REQUIRED", NO_EDIT},
    {"IMG-REQUIRED: bitnami's brokers log in to each other",
     BITNAMI("3.9",
             BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,OUT://:9094,CONTROLLER://:9093")
                 V("- KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://k:9092,OUT://localhost:9094")
                     V("- KAFKA_CFG_INTER_BROKER_LISTENER_NAME=OUT")
                         V("- KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=PLAINTEXT:PLAINTEXT,"
                           "OUT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT")),
     "IMG-REQUIRED", FIXED},
    {"IMG-REQUIRED: bitnami's controllers log in to each other",
     BITNAMI("4.0", BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093")
                        V("- KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=PLAINTEXT:PLAINTEXT,"
                          "CONTROLLER:SASL_PLAINTEXT")),
     "IMG-REQUIRED", FIXED},
    {"IMG-REQUIRED: near miss: SASL with a login in a variable",
     ZK(V("KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k:9092,OUT://localhost:29092")
            V("KAFKA_LISTENER_NAME_OUT_PLAIN_SASL_JAAS_CONFIG: x")
                V("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,OUT:SASL_PLAINTEXT")),
     "", NO_EDIT},
    {"IMG-REQUIRED: near miss: SASL with bitnami's own login",
     BITNAMI("3.9",
             BKRAFT V("- KAFKA_CFG_LISTENERS=PLAINTEXT://:9092,OUT://:9094,CONTROLLER://:9093")
                 V("- KAFKA_CFG_ADVERTISED_LISTENERS=PLAINTEXT://k:9092,OUT://localhost:9094")
                     V("- KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP=PLAINTEXT:PLAINTEXT,"
                       "OUT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT")),
     "", NO_EDIT},
    {"ZK-LATEST: confluent", CONFLUENT("latest", V("KAFKA_ZOOKEEPER_CONNECT: zk:2181") ADV),
     "ZK-LATEST", FIXED},
    {"ZK-LATEST: confluent, a variable's default",
     CONFLUENT("${TALLY_NO_TAG:-latest}", V("KAFKA_ZOOKEEPER_CONNECT: zk:2181") ADV), "ZK-LATEST",
     FIXED},
    {"ZK-LATEST: bitnami, a variable's default",
     BITNAMI("${TALLY_NO_TAG-latest}", V("- KAFKA_CFG_ZOOKEEPER_CONNECT=zk:2181")), "ZK-LATEST",
     FIXED},
    {"ZK-LATEST: bitnami 4", BITNAMI("4.0", V("- KAFKA_CFG_ZOOKEEPER_CONNECT=zk:2181")),
     "ZK-LATEST", FIXED},
    {"ZK-LATEST: apache, any", APACHE("3.9.1", V("KAFKA_ZOOKEEPER_CONNECT: zk:2181") ADV),
     "ZK-LATEST", FIXED},
    {"ZK-LATEST: apache, an id of its own",
     APACHE("4.1.1", V("KAFKA_BROKER_ID: 5") V("KAFKA_ZOOKEEPER_CONNECT: zk:2181") ADV),
     "ZK-LATEST", FIXED},
    {"ZK-LATEST: apache, two of them",
     APACHE("4.1.1", V("KAFKA_ZOOKEEPER_CONNECT: zk:2181")
                         ADV) "  k2:\n    image: apache/kafka\n"
                              "    environment:\n      KAFKA_ZOOKEEPER_CONNECT: zk:2181\n"
                              "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://k2:9092\n",
     "ZK-LATEST", NO_EDIT},
    {"ZK-LATEST: near miss: wurstmeister's latest is old",
     "services:\n  k:\n    image: wurstmeister/kafka\n    environment:\n"
     "      KAFKA_ZOOKEEPER_CONNECT: zk:2181\n      KAFKA_ADVERTISED_HOST_NAME: k\n",
     "", NO_EDIT},
    {"ZK-LATEST: near miss: pinned", ZK(ADV), "", NO_EDIT},
};

static bool start_rule(const struct finding *finding)
{
    const struct rule *last = rule_find("IMG-DEPRECATED-ENV");

    return finding->rule <= last && finding->severity == SEVERITY_ERROR;
}

/* The ids, each once, in the table's order. */
static void ids(struct buf *out, const struct diagnosis *diagnosis)
{
    for (const struct rule *rule = rules; rule->id; rule++)
        for (size_t i = 0; i < diagnosis->finding_count; i++)
            if (diagnosis->findings[i].rule == rule && start_rule(&diagnosis->findings[i])) {
                buf_format(out, "%s%s", out->length ? " " : "", rule->id);
                break;
            }
}

static int later_first(const void *a, const void *b)
{
    const struct edit *left = *(const struct edit *const *)a;
    const struct edit *right = *(const struct edit *const *)b;

    if (left->start != right->start)
        return left->start < right->start ? 1 : -1;
    /* Of those at one place a new line goes behind what is added to the old one: in first. */
    if ((*left->text == '\n') != (*right->text == '\n'))
        return *left->text == '\n' ? -1 : 1;
    return left < right ? 1 : -1;
}

/* The text with all edits of the start-up rules in it. */
static char *apply(const struct diagnosis *diagnosis, const char *text, size_t *length)
{
    const struct edit *edits[256];
    size_t count = 0;
    char *bytes = mem_bytes(text, *length);

    for (size_t i = 0; i < diagnosis->finding_count; i++)
        for (size_t k = 0; start_rule(&diagnosis->findings[i]) &&
                           k < diagnosis->findings[i].edit_count && count < 256;
             k++)
            edits[count++] = &diagnosis->findings[i].edits[k];
    qsort(edits, count, sizeof *edits, later_first);
    for (size_t i = 0; i < count; i++) {
        struct buf next = {0};

        assert_true(edits[i]->start <= edits[i]->end && edits[i]->end <= *length);
        buf_add(&next, bytes, edits[i]->start);
        buf_text(&next, edits[i]->text);
        buf_add(&next, bytes + edits[i]->end, *length - edits[i]->end);
        free(bytes);
        bytes = next.data;
        *length = next.length;
    }
    return bytes;
}

/* Fails unless the ids are those expected; returns the corrected text. */
static char *examine(const char *row, const char *text, size_t *length, const char *expected)
{
    struct compose *compose = doctor_load(row, text, *length);
    struct diagnosis *diagnosis = diagnose(compose);
    struct buf found = {0};
    char *fixed;

    ids(&found, diagnosis);
    if (strcmp(found.data ? found.data : "", expected)) {
        for (size_t i = 0; i < diagnosis->finding_count; i++)
            print_error("%zu: %s: %s\n", diagnosis->findings[i].place.line,
                        diagnosis->findings[i].rule->id, diagnosis->findings[i].message);
        fail_msg("%s: found \"%s\", not \"%s\"\n%s", row, found.data ? found.data : "", expected,
                 text);
    }
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        CHECK(*diagnosis->findings[i].message && diagnosis->findings[i].place.source, row);
        CHECK(!start_rule(&diagnosis->findings[i]) || *diagnosis->findings[i].fix, row);
    }
    fixed = apply(diagnosis, text, length);
    buf_free(&found);
    diagnosis_free(diagnosis);
    compose_free(compose);
    return fixed;
}

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = strlen(rows[i].yaml);
        char *fixed = examine(rows[i].name, rows[i].yaml, &length, rows[i].expected), *again;

        if (rows[i].after == FIXED) {
            CHECK(strcmp(fixed, rows[i].yaml), rows[i].name);
            again = examine(rows[i].name, fixed, &length, "");
            free(again);
        }
        free(fixed);
    }
}

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = list; (at = strstr(at, word)); at++)
        if ((at == list || at[-1] == ' ') && (!at[length] || at[length] == ' '))
            return true;
    return false;
}

/* Each start-up rule: it fires, does not on a near miss, and is corrected; test_rules_reach.c has
 * the others. */
static void test_every_rule(void **state)
{
    (void)state;
    for (const struct rule *rule = rules; rule <= rule_find("IMG-DEPRECATED-ENV"); rule++) {
        size_t fires = 0, misses = 0, ok = 0, length = strlen(rule->id);

        for (size_t i = 0; i < COUNT(rows); i++) {
            const char *name = rows[i].name;
            bool fired = has_word(rows[i].expected, rule->id);

            fires += fired;
            misses += !fired && !strncmp(name, rule->id, length) &&
                      !strncmp(name + length, ": near miss", 11);
            ok += fired && rows[i].after == FIXED;
        }
        CHECK(fires && misses && ok && fires + misses >= 3, rule->id);
    }
}

/* Bytes of the rows changed, doubled and taken away: nothing crashes, and every finding has its
 * words. */
static void test_mutations(void **state)
{
    static const char bytes[] = ",:/$@\"'-= {}[]0\n\t\0x";
    unsigned seed = 7;

    (void)state;
    for (size_t i = 0; i < 4 * sizeof rows / sizeof *rows; i++) {
        const char *yaml = rows[i % (sizeof rows / sizeof *rows)].yaml;
        size_t length = strlen(yaml), header = strlen("services:\n  k:\n    image: ");
        char *text = mem_bytes(yaml, length);
        const char *files[] = {NULL, NULL};
        struct compose_request request = {.files = files};
        struct compose *compose = NULL;
        struct error error = {0};
        char path[128];

        for (int k = 0; k < 6; k++) {
            size_t at = header + (size_t)rand_r(&seed) % (length - header);

            text[at] = bytes[(size_t)rand_r(&seed) % (sizeof bytes - 1)];
        }
        doctor_write("compose.yaml", text, length);
        snprintf(path, sizeof path, "%s/compose.yaml", doctor_folder);
        files[0] = path;
        if (!compose_load(&request, &compose, &error)) {
            struct diagnosis *diagnosis = diagnose(compose);

            free(apply(diagnosis, text, &length));
            for (size_t k = 0; k < diagnosis->finding_count; k++)
                CHECK(*diagnosis->findings[k].message, yaml);
            diagnosis_free(diagnosis);
            compose_free(compose);
        }
        free(text);
    }
}

/* Every row of the table says what it is for. */
static void test_table(void **state)
{
    (void)state;
    for (const struct rule *rule = rules; rule->id; rule++) {
        CHECK(*rule->title && *rule->why && rule_example(rule), rule->id);
        CHECK(rule_find(rule->id) == rule, rule->id);
    }
    assert_null(rule_find("NONE"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules), cmocka_unit_test(test_every_rule),
        cmocka_unit_test(test_mutations), cmocka_unit_test(test_table)};

    return cmocka_run_group_tests(tests, doctor_open, doctor_close);
}
