/* rules.c: all rules, one row each. */
#include "cluster/doctor/rules.h"

#include <string.h>

const struct rule rules[] = {
    /* ---- A broker refuses to start: rules_start.c, rules_start_kraft.c, rules_start_image.c */

    {.id = "PARSE",
     .severity = SEVERITY_ERROR,
     .title = "Every listener is written NAME://HOST:PORT.",
     .why = "Kafka reads the lists before anything else and ends: \"Error creating broker "
            "listeners from '127.0.0.1:9092': Unable to parse 127.0.0.1:9092 to a broker "
            "endpoint\". A port beyond 65535 ends it a little later: \"port out of range:99999\", "
            "or \"Cannot serialize invalid port number 99999 in ListenerInfo.\" Blanks around "
            "commas are fine, quotes within the value are not.",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: localhost:9092",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092",
     .check = check_parse},
    {.id = "NAME-DUP",
     .severity = SEVERITY_ERROR,
     .title = "A listener's name stands once in each list; small and capital letters are the same.",
     .why = "\"requirement failed: Each listener must have a different name, listeners: "
            "PLAINTEXT://0.0.0.0:9092,plaintext://0.0.0.0:29092\"",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://broker:29092,PLAINTEXT://localhost:9092",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://broker:29092,HOST://localhost:9092",
     .check = check_names},
    {.id = "PORT-DUP",
     .severity = SEVERITY_ERROR,
     .title = "Each listener has a port of its own.",
     .why = "\"requirement failed: Each listener must have a different port, listeners: "
            "PLAINTEXT://:9092,HOST://:9092\". Since 3.6 one IPv4 and one IPv6 address may share "
            "one. Advertised ports may be equal since 2.7, but apache/kafka and Confluent's images "
            "derive the listeners from them where KAFKA_LISTENERS is not set.",
     .wrong = "KAFKA_LISTENERS: PLAINTEXT://:9092,HOST://:9092",
     .right = "KAFKA_LISTENERS: PLAINTEXT://:29092,HOST://:9092",
     .check = check_ports},
    {.id = "ADV-NOT-SUBSET",
     .severity = SEVERITY_ERROR,
     .title = "What is advertised is among the listeners, by its name.",
     .why = "\"requirement failed: advertised.listeners listener names must be equal to or a "
            "subset of the ones defined in listeners. Found PLAINTEXT,X. The valid options based "
            "on the current configuration are CONTROLLER,PLAINTEXT\"",
     .wrong = "KAFKA_LISTENERS: PLAINTEXT://:9092\n"
              "KAFKA_ADVERTISED_LISTENERS: HOST://localhost:9092",
     .right = "KAFKA_LISTENERS: HOST://:9092\nKAFKA_ADVERTISED_LISTENERS: HOST://localhost:9092",
     .check = check_subset},
    {.id = "ADV-WILDCARD",
     .severity = SEVERITY_ERROR,
     .title = "0.0.0.0 is an address to bind to, not one to come back to.",
     .why = "\"requirement failed: advertised.listeners cannot use the nonroutable meta-address "
            "0.0.0.0. Use a routable IP address.\" Without advertised.listeners it is the "
            "listeners that are advertised. Kafka 3.9.0 alone says it of a controller's listener, "
            "too, though nothing advertises that (KAFKA-18281).",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://0.0.0.0:9092",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092",
     .check = check_wildcard},
    {.id = "BIND-FOREIGN",
     .severity = SEVERITY_ERROR,
     .title = "A listener binds to an address of its own container.",
     .why = "\"org.apache.kafka.common.KafkaException: Socket server failed to bind to "
            "192.168.1.10:9092: Cannot assign requested address.\" The Docker host's address, or "
            "another service's name, is none of the container's: it belongs into what is "
            "advertised.",
     .wrong = "KAFKA_LISTENERS: PLAINTEXT://192.168.1.10:9092",
     .right = "KAFKA_LISTENERS: PLAINTEXT://0.0.0.0:9092",
     .check = check_bind},
    {.id = "MAP-MISSING",
     .severity = SEVERITY_ERROR,
     .title = "Every listener that is not called like a protocol has its protocol in the map.",
     .why = "\"Error creating broker listeners from 'CONTROLLER://:9093,X://:9092': No security "
            "protocol defined for listener X\". KRaft maps controllers' names to PLAINTEXT by "
            "itself only while no map is given, and nothing says SSL or SASL.",
     .wrong = "KAFKA_LISTENERS: PLAINTEXT://:29092,HOST://:9092\n"
              "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT",
     .right = "KAFKA_LISTENERS: PLAINTEXT://:29092,HOST://:9092\n"
              "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT",
     .check = check_map},
    {.id = "MAP-BADPROTO",
     .severity = SEVERITY_ERROR,
     .title = "A protocol is one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL.",
     .why = "\"org.apache.kafka.common.config.ConfigException: Invalid security protocol `PLAIN` "
            "defined in listener.security.protocol.map\"; where the colon is missing: \"Error "
            "parsing configuration property 'listener.security.protocol.map': begin 0, end -1, "
            "length 9\". Small letters are fine.",
     .wrong = "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: HOST:PLAIN",
     .right = "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: HOST:PLAINTEXT",
     .check = check_protocols},
    {.id = "IBL-UNKNOWN",
     .severity = SEVERITY_ERROR,
     .title = "Brokers speak to each other through a listener that is advertised.",
     .why = "It is PLAINTEXT where nothing is said: \"requirement failed: "
            "inter.broker.listener.name must be a listener name defined in advertised.listeners. "
            "The valid options based on currently configured listeners are INTERNAL,HOST\", or, "
            "of a name that the map lacks, too: \"Listener with name X defined in "
            "inter.broker.listener.name not found in listener.security.protocol.map.\"",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: INTERNAL://broker:29092,HOST://localhost:9092",
     .right = "KAFKA_ADVERTISED_LISTENERS: INTERNAL://broker:29092,HOST://localhost:9092\n"
              "KAFKA_INTER_BROKER_LISTENER_NAME: INTERNAL",
     .check = check_inter_broker},
    {.id = "IBL-BOTH",
     .severity = SEVERITY_ERROR,
     .title = "The brokers' own listener is given by its name or by its protocol, not by both.",
     .why = "\"Only one of inter.broker.listener.name and security.inter.broker.protocol should be "
            "set.\"",
     .wrong = "KAFKA_INTER_BROKER_LISTENER_NAME: INTERNAL\n"
              "KAFKA_SECURITY_INTER_BROKER_PROTOCOL: PLAINTEXT",
     .right = "KAFKA_INTER_BROKER_LISTENER_NAME: INTERNAL",
     .check = check_inter_broker_both},
    {.id = "ROLES",
     .severity = SEVERITY_ERROR,
     .title = "A node is a broker, a controller, or both.",
     .why = "\"Invalid value BROKER for configuration process.roles: String must be one of: "
            "broker, controller\": in small letters.",
     .wrong = "KAFKA_PROCESS_ROLES: BROKER,CONTROLLER",
     .right = "KAFKA_PROCESS_ROLES: broker,controller",
     .check = check_roles},
    {.id = "CTRL-ADV",
     .severity = SEVERITY_ERROR,
     .title = "Up to Kafka 3.8 the controllers' listener is not advertised; the images refuse any "
              "advertised listener on a node that is a controller only.",
     .why = "\"The advertised.listeners config must not contain KRaft controller listeners from "
            "controller.listener.names when process.roles contains the broker role\"; from the "
            "images' scripts: \"KAFKA_ADVERTISED_LISTENERS is not supported on a KRaft "
            "controller.\" Kafka itself takes both since 3.9.",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://broker:9092,CONTROLLER://broker:9093",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://broker:9092",
     .check = check_controller_advertised},
    {.id = "CTRL-MISSING",
     .severity = SEVERITY_ERROR,
     .title = "A controller has the controllers' listener; a broker that is no controller has not; "
              "a controller that is no broker has nothing else.",
     .why = "\"requirement failed: controller.listener.names must contain at least one value "
            "appearing in the 'listeners' configuration when running the KRaft controller role\". "
            "The listeners that apache/kafka and Confluent's images derive from the advertised "
            "ones lack it. The names are compared letter by letter with capitals.",
     .wrong = "KAFKA_PROCESS_ROLES: broker,controller\n"
              "KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
              "KAFKA_LISTENERS: PLAINTEXT://:9092",
     .right = "KAFKA_PROCESS_ROLES: broker,controller\n"
              "KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER\n"
              "KAFKA_LISTENERS: PLAINTEXT://:9092,CONTROLLER://:9093",
     .check = check_controller_listener},
    {.id = "VOTERS",
     .severity = SEVERITY_ERROR,
     .title = "Each controller is among the voters, by its id, a name of its container, and its "
              "controllers' port.",
     .why = "\"requirement failed: If process.roles contains the 'controller' role, the node id 1 "
            "must be included in the set of voters controller.quorum.voters=Set(2)\"; a name that "
            "nothing has: \"java.net.UnknownHostException: kafka\"; another port: it waits for a "
            "controller, and ends after some minutes.",
     .wrong = "KAFKA_NODE_ID: 1\nKAFKA_CONTROLLER_QUORUM_VOTERS: 0@broker:9093",
     .right = "KAFKA_NODE_ID: 1\nKAFKA_CONTROLLER_QUORUM_VOTERS: 1@broker:9093",
     .check = check_voters},
    {.id = "IMG-REQUIRED",
     .severity = SEVERITY_ERROR,
     .title = "An image is given the variables without which it does not start.",
     .why = "cp-kafka: \"KAFKA_ADVERTISED_LISTENERS is required.\" and \"Command "
            "[/usr/local/bin/dub ensure KAFKA_ADVERTISED_LISTENERS] FAILED !\". apache/kafka drops "
            "its own configuration for any KAFKA_ variable: \"Missing required configuration "
            "\"process.roles\" which has no default value.\" wurstmeister/kafka: \"ERROR: Missing "
            "environment variable KAFKA_LISTENERS. Must be specified when using "
            "KAFKA_ADVERTISED_LISTENERS\". bitnami/kafka: \"Kafka requires at least one process "
            "role to be set.\"",
     .wrong = "image: confluentinc/cp-kafka:7.6.0\n"
              "environment:\n  KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181",
     .right = "image: confluentinc/cp-kafka:7.6.0\n"
              "environment:\n  KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
              "  KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://broker:9092",
     .check = check_image},
    {.id = "WRONG-STYLE",
     .severity = SEVERITY_ERROR,
     .title = "Variables are named as their image names them.",
     .why = "KAFKA_CFG_... is bitnami's: apache/kafka and Confluent's images make properties of it "
            "that Kafka does not know, and lack the real ones. Of plain KAFKA_... bitnami's image "
            "takes a few only.",
     .wrong = "image: apache/kafka:4.1.1\n"
              "environment:\n  KAFKA_CFG_PROCESS_ROLES: broker,controller",
     .right = "image: apache/kafka:4.1.1\nenvironment:\n  KAFKA_PROCESS_ROLES: broker,controller",
     .check = NULL},
    {.id = "ZK-LATEST",
     .severity = SEVERITY_ERROR,
     .title = "Kafka 4 and later have no ZooKeeper; an image without a tag, or with `latest`, is "
              "that by now.",
     .why = "\"Missing required configuration \"process.roles\" which has no default value.\"",
     .wrong = "image: confluentinc/cp-kafka:latest\n"
              "environment:\n  KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181",
     .right = "image: confluentinc/cp-kafka:7.8.0\n"
              "environment:\n  KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181",
     .check = NULL},
    {.id = "IMG-DEPRECATED-ENV",
     .severity = SEVERITY_ERROR,
     .title = "Confluent's images refuse KAFKA_HOST, KAFKA_PORT and their ADVERTISED_ twins.",
     .why = "\"port is deprecated. Please use KAFKA_ADVERTISED_LISTENERS instead.\"",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://broker:9092\nKAFKA_PORT: 9092",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://broker:9092",
     .check = check_deprecated},

    /* ---- It starts, and clients fail: rules_reach.c */

    {.id = NULL},
};

const struct rule *rule_find(const char *id)
{
    for (const struct rule *rule = rules; rule->id; rule++)
        if (!strcmp(rule->id, id))
            return rule;
    return NULL;
}
