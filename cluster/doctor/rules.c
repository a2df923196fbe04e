/* rules.c: all rules, one row each. */
#include "cluster/doctor/rules.h"

#include <string.h>

const struct rule rules[] = {
    /* ---- A broker refuses to start: rules_start.c */

    /* ---- It starts, and clients fail: rules_client.c, rules_reach.c, rules_outside.c */
    {.id = "LOCAL-INTERNAL",
     .severity = SEVERITY_ERROR,
     .title = "A client in a container is sent to localhost.",
     .why = "The bootstrap address works, but the broker tells the client to come back to "
            "localhost, which within a container is the container itself: \"Connection to node 1 "
            "(localhost/127.0.0.1:9092) could not be established. Broker may not be available.\"",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092  # and an app that uses "
              "kafka:9092",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092,PLAINTEXT_HOST://localhost:29092",
     .check = check_clients},
    {.id = "IBL-LOCALHOST",
     .severity = SEVERITY_ERROR,
     .title = "Several brokers call each other at localhost.",
     .why = "The inter-broker listener is advertised as localhost, so each broker calls itself "
            "when it means another; nothing is replicated: \"Connection to node 2 "
            "(localhost/127.0.0.1:9093) could not be established\".",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9093  # of kafka2",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka2:9092,PLAINTEXT_HOST://localhost:9093",
     .check = check_brokers},
    {.id = "PORT-MISMATCH",
     .severity = SEVERITY_ERROR,
     .title = "The advertised port is not the one at which the listener is reached.",
     .why = "The bootstrap works by the published port, and the address that follows has another: "
            "\"Connect to ipv4#127.0.0.1:9092 failed: Connection refused\".",
     .wrong = "ports: [\"9093:9092\"]  # with PLAINTEXT://localhost:9092",
     .right = "ports: [\"9093:9092\"]  # with PLAINTEXT://localhost:9093",
     .check = check_advertised},
    {.id = "CROSSED",
     .severity = SEVERITY_ERROR,
     .title = "An advertised port leads to another listener.",
     .why = "The client that comes back gets another listener, or another broker, than the one "
            "that sent it: \"Timed out waiting for a node assignment\".",
     .wrong = "ports: [\"9092:29092\"]  # PLAINTEXT_HOST://localhost:9092 listens on 9092",
     .right = "ports: [\"9092:9092\"]"},
    {.id = "UNRESOLVABLE",
     .severity = SEVERITY_ERROR,
     .title = "A name that nobody has.",
     .why = "No service, container name, alias or hostname of the file is called so: \"Failed to "
            "resolve 'kafka:9092': Name or service not known\".",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafak:9092",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092"},
    {.id = "CLIENT-PORT",
     .severity = SEVERITY_ERROR,
     .title = "A client uses a port on which the broker does not listen.",
     .why = "Between containers published ports mean nothing; the port is that of the listener in "
            "the container: \"Connection refused\".",
     .wrong = "KAFKA_BOOTSTRAP_SERVERS: kafka:9093  # ports: [\"9093:9092\"]",
     .right = "KAFKA_BOOTSTRAP_SERVERS: kafka:9092"},
    {.id = "CLIENT-LOCALHOST",
     .severity = SEVERITY_ERROR,
     .title = "A client in a container looks for the broker at localhost.",
     .why = "Within a container localhost is that container: \"Connection to node -1 "
            "(localhost/127.0.0.1:9092) could not be established\".",
     .wrong = "KAFKA_BOOTSTRAP_SERVERS: localhost:9092",
     .right = "KAFKA_BOOTSTRAP_SERVERS: kafka:9092"},
    {.id = "NET-SPLIT",
     .severity = SEVERITY_ERROR,
     .title = "A client and its broker share no network.",
     .why = "Docker resolves names only on shared networks: \"Failed to resolve 'kafka:9092'\".",
     .wrong = "kafka: {networks: [back]}, app: {networks: [front]}",
     .right = "kafka: {networks: [back]}, app: {networks: [front, back]}"},
    {.id = "BIND-LOCALHOST",
     .severity = SEVERITY_ERROR,
     .title = "A published listener is bound to the container's localhost.",
     .why = "Docker's proxy takes the connection, and nothing is behind it: \"Disconnected while "
            "requesting ApiVersion\".",
     .wrong = "KAFKA_LISTENERS: PLAINTEXT://localhost:9092",
     .right = "KAFKA_LISTENERS: PLAINTEXT://0.0.0.0:9092",
     .check = check_binding},
    {.id = "ADV-DUP",
     .severity = SEVERITY_ERROR,
     .title = "Two brokers advertise one address.",
     .why = "Clients that mean one broker get the other: \"NOT_LEADER_OR_FOLLOWER\"; under "
            "ZooKeeper the second refuses to start: \"Configured end points localhost:9092 in "
            "advertised listeners are already registered by broker 1\".",
     .wrong = "kafka1 and kafka2: PLAINTEXT://localhost:9092",
     .right = "kafka1: PLAINTEXT://localhost:9092, kafka2: PLAINTEXT://localhost:9093",
     .check = check_claims},
    {.id = "PROTO-MISMATCH",
     .severity = SEVERITY_ERROR,
     .title = "A client speaks another protocol than the listener.",
     .why = "TLS to a plaintext listener: \"Invalid receive (size = 369295617 larger than "
            "104857600)\"; plaintext to one with TLS: \"Disconnected\", \"SSL handshake failed\".",
     .wrong = "KAFKA_SECURITY_PROTOCOL: SASL_SSL  # to a PLAINTEXT listener",
     .right = "KAFKA_SECURITY_PROTOCOL: PLAINTEXT"},
    {.id = "PORT-NOT-PUBLISHED",
     .severity = SEVERITY_WARNING,
     .title = "An address for the host, without a published port.",
     .why = "The listener is advertised as localhost, and no port of the host leads to it: "
            "\"Connection refused\".",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT_HOST://localhost:29092  # and no ports",
     .right = "ports: [\"29092:29092\"]"},
    {.id = "HOST-NAME-ONLY",
     .severity = SEVERITY_WARNING,
     .title = "A published port whose advertised name only containers know.",
     .why = "The bootstrap works from the host, the address that follows does not: \"Failed to "
            "resolve 'kafka:9092'\".",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092  # ports: [\"9092:9092\"]",
     .right =
         "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092,PLAINTEXT_HOST://localhost:29092"},
    {.id = "LAN-IP",
     .severity = SEVERITY_WARNING,
     .title = "A fixed address of a local network is advertised.",
     .why = "It works as long as the machine has that address.",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://192.168.1.10:9092",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092"},
    {.id = "PUBLIC-IP",
     .severity = SEVERITY_WARNING,
     .title = "A public address is advertised.",
     .why = "It works on the one machine that has it, if its firewall lets clients in.",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://8.8.8.8:9092",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://${PUBLIC_HOST:-localhost}:9092"},
    {.id = "CUSTOM-DNS",
     .severity = SEVERITY_WARNING,
     .title = "A name is advertised that a DNS server outside the file must know.",
     .why = "Clients that do not know it: \"Failed to resolve\".",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka.example.com:9092",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092"},
    {.id = "PLACEHOLDER",
     .severity = SEVERITY_WARNING,
     .title = "A placeholder is advertised.",
     .why = "It was to be replaced by an address: \"Failed to resolve\".",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://<your-ip>:9092",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092"},
    {.id = "UNSET-VAR",
     .severity = SEVERITY_WARNING,
     .title = "A variable without value or default.",
     .why = "Compose puts nothing in its place and warns: \"The HOST_IP variable is not set. "
            "Defaulting to a blank string.\"",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://${HOST_IP}:9092",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://${HOST_IP:-localhost}:9092",
     .check = check_unset},
    {.id = "HOST-DOCKER-INTERNAL",
     .severity = SEVERITY_WARNING,
     .title = "host.docker.internal is advertised.",
     .why = "Docker Desktop knows that name; on Linux containers need an extra_hosts entry, and "
            "the host itself does not know it.",
     .wrong = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://host.docker.internal:9092",
     .right =
         "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092,PLAINTEXT_HOST://localhost:29092"},
    {.id = "NO-ADV",
     .severity = SEVERITY_WARNING,
     .title = "A published listener is advertised without a host.",
     .why = "Kafka then tells clients the container's own name, which only containers know: "
            "\"Failed to resolve '3f2a...:9092'\".",
     .wrong = "KAFKA_LISTENERS: PLAINTEXT://:9092  # ports, and nothing advertised",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092"},
    {.id = "TYPO-ENV",
     .severity = SEVERITY_WARNING,
     .title = "A variable is nearly one of Kafka's.",
     .why = "Kafka ignores settings that it does not know.",
     .wrong = "KAFKA_ADVERTISED_LISTENER: PLAINTEXT://kafka:9092",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092",
     .check = check_typo},
    {.id = "EPHEMERAL",
     .severity = SEVERITY_WARNING,
     .title = "The host's port is whatever is free.",
     .why = "Docker chooses another port at each start, and the advertised one stays: \"Connection "
            "refused\".",
     .wrong = "ports: [\"9092\"]",
     .right = "ports: [\"9092:9092\"]"},
    {.id = "LEGACY",
     .severity = SEVERITY_NOTE,
     .title = "A setting that Kafka has given up.",
     .why = "advertised.host.name and advertised.port are gone since Kafka 3.0; images of older "
            "ones still take them.",
     .wrong = "KAFKA_ADVERTISED_HOST_NAME: kafka",
     .right = "KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092",
     .check = check_legacy},
    {.id = "CONFIG-FILE",
     .severity = SEVERITY_WARNING,
     .title = "The listeners are set where they cannot be read.",
     .why = "A mounted configuration or a script decides, and it is not here.",
     .wrong = "volumes: [\"/etc/kafka/server.properties:/opt/kafka/config/server.properties\"]",
     .right = "environment: {KAFKA_LISTENERS: ..., KAFKA_ADVERTISED_LISTENERS: ...}",
     .check = check_config_file},
    {.id = "FRAGMENT",
     .severity = SEVERITY_WARNING,
     .title = "A part of the file is elsewhere.",
     .why = "An env_file, an `extends` or an `include` that is not here may change everything.",
     .wrong = "env_file: kafka.env  # which is not here",
     .right = "environment: {KAFKA_LISTENERS: ..., KAFKA_ADVERTISED_LISTENERS: ...}",
     .check = check_fragment},

    {.id = NULL},
};

const struct rule *rule_find(const char *id)
{
    for (const struct rule *rule = rules; rule->id; rule++)
        if (!strcmp(rule->id, id))
            return rule;
    return NULL;
}
