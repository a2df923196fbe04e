/* rules.c: all rules, one row each. */
#include "cluster/doctor/rules.h"

#include <string.h>
#include <strings.h>

const struct rule rules[] = {
    /* ---- A broker refuses to start: rules_start*.c */

    {.id = "PARSE",
     .severity = SEVERITY_ERROR,
     .title = "Every listener is written NAME://HOST:PORT.",
     .why = "Kafka reads the lists before anything else and ends: \"Error creating broker "
            "listeners from '127.0.0.1:9092': Unable to parse 127.0.0.1:9092 to a broker "
            "endpoint\". A port beyond 65535 ends it a little later: \"port out of range:99999\", "
            "or \"Cannot serialize invalid port number 99999 in ListenerInfo.\" Blanks around "
            "commas are fine, quotes within the value are not.",
     .check = check_parse},
    {.id = "NAME-DUP",
     .severity = SEVERITY_ERROR,
     .title = "A listener's name stands once in each list; small and capital letters are the same.",
     .why = "\"requirement failed: Each listener must have a different name, listeners: "
            "PLAINTEXT://0.0.0.0:9092,plaintext://0.0.0.0:29092\"",
     .check = check_names},
    {.id = "PORT-DUP",
     .severity = SEVERITY_ERROR,
     .title = "Each listener has a port of its own.",
     .why = "\"requirement failed: Each listener must have a different port, listeners: "
            "PLAINTEXT://:9092,HOST://:9092\". Since 3.6 one IPv4 and one IPv6 address may share "
            "one (\"If you have two listeners on the same port then one needs to be IPv4 and the "
            "other IPv6\"), but not with 0.0.0.0 or [::], which take it on both: \"Address already "
            "in use\". "
            "Advertised ports may be equal since 2.7, but apache/kafka and Confluent's images "
            "derive the listeners from them where KAFKA_LISTENERS is not set.",
     .check = check_ports},
    {.id = "ADV-NOT-SUBSET",
     .severity = SEVERITY_ERROR,
     .title = "What is advertised is among the listeners, by its name.",
     .why = "\"requirement failed: advertised.listeners listener names must be equal to or a "
            "subset of the ones defined in listeners. Found PLAINTEXT,X. The valid options based "
            "on the current configuration are CONTROLLER,PLAINTEXT\"",
     .check = check_subset},
    {.id = "ADV-WILDCARD",
     .severity = SEVERITY_ERROR,
     .title = "0.0.0.0 is an address to bind to, not one to come back to.",
     .why = "\"requirement failed: advertised.listeners cannot use the nonroutable meta-address "
            "0.0.0.0. Use a routable IP address.\" Without advertised.listeners it is the "
            "listeners that are advertised. Kafka 3.9.0 alone says it of a controller's listener, "
            "too, though nothing advertises that (KAFKA-18281).",
     .check = check_wildcard},
    {.id = "BIND-FOREIGN",
     .severity = SEVERITY_ERROR,
     .title = "A listener binds to an address of its own container.",
     .why = "\"org.apache.kafka.common.KafkaException: Socket server failed to bind to "
            "192.168.1.10:9092: Cannot assign requested address.\" The Docker host's address, or "
            "another service's name, is none of the container's: it belongs in what is "
            "advertised.",
     .check = check_bind},
    {.id = "MAP-MISSING",
     .severity = SEVERITY_ERROR,
     .title = "Every listener that is not called like a protocol has its protocol in the map.",
     .why = "\"Error creating broker listeners from 'CONTROLLER://:9093,X://:9092': No security "
            "protocol defined for listener X\". KRaft maps controllers' names to PLAINTEXT by "
            "itself only while no map is given, and nothing says SSL or SASL.",
     .check = check_map},
    {.id = "MAP-BADPROTO",
     .severity = SEVERITY_ERROR,
     .title = "A protocol is one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL.",
     .why = "\"org.apache.kafka.common.config.ConfigException: Invalid security protocol `PLAIN` "
            "defined in listener.security.protocol.map\"; where the colon is missing: \"Error "
            "parsing configuration property 'listener.security.protocol.map': begin 0, end -1, "
            "length 9\". Small letters are fine, but in security.inter.broker.protocol, since 3.3.",
     .check = check_protocols},
    {.id = "IBL-UNKNOWN",
     .severity = SEVERITY_ERROR,
     .title = "Brokers speak to each other through a listener that is advertised.",
     .why = "It is PLAINTEXT where nothing is said: \"requirement failed: "
            "inter.broker.listener.name must be a listener name defined in advertised.listeners. "
            "The valid options based on currently configured listeners are INTERNAL,HOST\", or, "
            "of a name that the map lacks, too: \"Listener with name X defined in "
            "inter.broker.listener.name not found in listener.security.protocol.map.\"",
     .check = check_inter_broker},
    {.id = "IBL-BOTH",
     .severity = SEVERITY_ERROR,
     .title = "The brokers' own listener is given by its name or by its protocol, not by both.",
     .why = "\"Only one of inter.broker.listener.name and security.inter.broker.protocol should be "
            "set.\"",
     .check = check_inter_broker_both},
    {.id = "ROLES",
     .severity = SEVERITY_ERROR,
     .title = "A node is a broker, a controller, or both.",
     .why = "\"Invalid value BROKER for configuration process.roles: String must be one of: "
            "broker, controller\": in small letters, each once, and no comma behind the last.",
     .check = check_roles},
    {.id = "CTRL-ADV",
     .severity = SEVERITY_ERROR,
     .title = "Up to Kafka 3.8 the controllers' listener is not advertised; the images refuse any "
              "advertised listener on a node that is a controller only.",
     .why = "\"The advertised.listeners config must not contain KRaft controller listeners from "
            "controller.listener.names when process.roles contains the broker role\"; from the "
            "images' scripts: \"KAFKA_ADVERTISED_LISTENERS is not supported on a KRaft "
            "controller.\" Kafka itself takes both since 3.9.",
     .check = check_controller_advertised},
    {.id = "CTRL-MISSING",
     .severity = SEVERITY_ERROR,
     .title = "A controller has the controllers' listener; a broker that is no controller has not; "
              "a controller that is no broker has nothing else.",
     .why = "\"requirement failed: controller.listener.names must contain at least one value "
            "appearing in the 'listeners' configuration when running the KRaft controller role\". "
            "The listeners that apache/kafka and Confluent's images derive from the advertised "
            "ones lack it. The names are compared letter by letter with capitals.",
     .check = check_controller_listener},
    {.id = "VOTERS",
     .severity = SEVERITY_ERROR,
     .title = "Each controller is among the voters, by its id, a name of its container, and its "
              "controllers' port.",
     .why =
         "\"requirement failed: If process.roles contains the 'controller' role, the node id 1 "
         "must be included in the set of voters controller.quorum.voters=Set(2)\"; a name that "
         "nothing has: \"java.net.UnknownHostException: kafka\"; another port: it waits for a "
         "controller, and ends after a minute: \"Received a fatal error while waiting for the "
         "controller to acknowledge that we are caught up\". The ids themselves are numbers: "
         "\"Invalid value abc for configuration broker.id: Not a number of type INT\". Bootstrap "
         "servers replace the voters since 3.9 only, and in no image's script for a controller.",
     .check = check_voters},
    {.id = "CLUSTER-ID",
     .severity = SEVERITY_ERROR,
     .title = "All nodes are given one cluster's id; before Kafka 3.7 it is 22 signs of base64.",
     .why = "\"Cluster ID string my-cluster does not appear to be a valid UUID: Input string "
            "`my-cluster` decoded as 7 bytes, which is not equal to the expected 16 bytes of a "
            "base64-encoded UUID\". Letters, digits, '-' and '_': 22 of them make 16 bytes, "
            "whatever they say. Since 3.7 any text will do. All nodes have the same: \"Unexpected "
            "error INCONSISTENT_CLUSTER_ID in VOTE response\"; bitnami's image makes each node "
            "another where none is given.",
     .check = check_cluster_id},
    {.id = "ID-DUP",
     .severity = SEVERITY_ERROR,
     .title = "Each broker of a cluster has an id of its own.",
     .why = "The second that comes ends. With ZooKeeper: \"Error while creating ephemeral at "
            "/brokers/ids/1, node already exists\" and \"KeeperErrorCode = NodeExists\"; with "
            "KRaft: \"Unable to register broker 1 because "
            "the controller returned error DUPLICATE_BROKER_REGISTRATION\", for a minute.",
     .check = check_ids},
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
     .check = check_image},
    {.id = "WRONG-STYLE",
     .severity = SEVERITY_ERROR,
     .title = "Variables are named as their image names them.",
     .why = "KAFKA_CFG_... is bitnami's: apache/kafka and Confluent's images make properties of it "
            "that Kafka does not know, and lack the real ones: \"Missing required configuration "
            "\"process.roles\" which has no default value.\", \"KAFKA_ADVERTISED_LISTENERS is not "
            "set\". Of plain KAFKA_... bitnami's image takes a few only.",
     .check = NULL},
    {.id = "ZK-LATEST",
     .severity = SEVERITY_ERROR,
     .title = "Kafka 4 and later have no ZooKeeper; an image without a tag, or with `latest`, is "
              "that by now.",
     .why = "\"Missing required configuration \"process.roles\" which has no default value.\"",
     .check = NULL},
    {.id = "IMG-DEPRECATED-ENV",
     .severity = SEVERITY_ERROR,
     .title = "Confluent's images refuse KAFKA_HOST, KAFKA_PORT and their ADVERTISED_ twins.",
     .why = "\"port is deprecated. Please use KAFKA_ADVERTISED_LISTENERS instead.\"",
     .check = check_deprecated},

    /* ---- It starts, and clients fail: rules_client.c, rules_reach.c, rules_outside.c */
    {.id = "LOCAL-INTERNAL",
     .severity = SEVERITY_ERROR,
     .title = "A client in a container is sent to localhost.",
     .why = "The bootstrap address works, but the broker tells the client to come back to "
            "localhost, which within a container is the container itself: \"Connection to node 1 "
            "(localhost/127.0.0.1:9092) could not be established. Broker may not be available.\"",
     .check = check_clients},
    {.id = "IBL-LOCALHOST",
     .severity = SEVERITY_ERROR,
     .title = "Several brokers call each other at localhost.",
     .why = "The inter-broker listener is advertised as localhost, so each broker calls itself "
            "when it means another; nothing is replicated: \"Connection to node 2 "
            "(localhost/127.0.0.1:9093) could not be established\".",
     .check = check_brokers},
    {.id = "PORT-MISMATCH",
     .severity = SEVERITY_ERROR,
     .title = "The advertised port is not the one at which the listener is reached.",
     .why = "The bootstrap works by the published port, and the address that follows has another: "
            "\"Connect to ipv4#127.0.0.1:9092 failed: Connection refused\".",
     .check = check_advertised},
    {.id = "CROSSED",
     .severity = SEVERITY_ERROR,
     .title = "An advertised port leads to another listener.",
     .why = "The client that comes back gets another listener, or another broker, than the one "
            "that sent it: \"Timed out waiting for a node assignment\"."},
    {.id = "UNRESOLVABLE",
     .severity = SEVERITY_ERROR,
     .title = "A name that nobody has.",
     .why = "No service, container name, alias or hostname of the file is called so: \"Failed to "
            "resolve 'kafka:9092': Name or service not known\". A broker whose ZooKeeper is meant "
            "ends: \"Unable to resolve address: zoo1:2181\".",
     .check = check_zookeeper},
    {.id = "CLIENT-PORT",
     .severity = SEVERITY_ERROR,
     .title = "A client uses a port on which the broker, or a broker one on which its ZooKeeper, "
              "does not listen.",
     .why = "Between containers published ports mean nothing; the port is that of the listener in "
            "the container: \"Connection refused\"."},
    {.id = "CLIENT-LOCALHOST",
     .severity = SEVERITY_ERROR,
     .title = "A client in a container looks for the broker, or a broker for its ZooKeeper, at "
              "localhost.",
     .why = "Within a container localhost is that container: \"Connection to node -1 "
            "(localhost/127.0.0.1:9092) could not be established\"."},
    {.id = "NET-SPLIT",
     .severity = SEVERITY_ERROR,
     .title =
         "A client and its broker, or a broker and its ZooKeeper or controllers, share no network.",
     .why = "Docker resolves names only on shared networks: \"Failed to resolve 'kafka:9092'\".",
     .check = check_quorum},
    {.id = "BIND-LOCALHOST",
     .severity = SEVERITY_ERROR,
     .title = "A published listener is bound to the container's localhost.",
     .why = "Docker's proxy takes the connection, and nothing is behind it: \"Disconnected while "
            "requesting ApiVersion\".",
     .check = check_binding},
    {.id = "ADV-DUP",
     .severity = SEVERITY_ERROR,
     .title = "Two brokers advertise one address.",
     .why = "Clients that mean one broker get the other: \"NOT_LEADER_OR_FOLLOWER\"; under "
            "ZooKeeper the second refuses to start: \"Configured end points localhost:9092 in "
            "advertised listeners are already registered by broker 1\".",
     .check = check_claims},
    {.id = "PROTO-MISMATCH",
     .severity = SEVERITY_ERROR,
     .title = "A client speaks another protocol than the listener.",
     .why = "TLS to a plaintext listener: \"Invalid receive (size = 369295617 larger than "
            "104857600)\"; plaintext to one with TLS: \"Disconnected\", \"SSL handshake failed\"."},
    {.id = "PORT-NOT-PUBLISHED",
     .severity = SEVERITY_WARNING,
     .title = "An address for the host, without a published port.",
     .why = "The listener is advertised as localhost, and no port of the host leads to it: "
            "\"Connection refused\"."},
    {.id = "HOST-NAME-ONLY",
     .severity = SEVERITY_WARNING,
     .title = "A published port whose advertised name only containers know.",
     .why = "The bootstrap works from the host, the address that follows does not: \"Failed to "
            "resolve 'kafka:9092'\"."},
    {.id = "LAN-IP",
     .severity = SEVERITY_WARNING,
     .title = "A fixed address of a local network is advertised.",
     .why = "It works as long as the machine has that address."},
    {.id = "PUBLIC-IP",
     .severity = SEVERITY_WARNING,
     .title = "A public address is advertised.",
     .why = "It works on the one machine that has it, if its firewall lets clients in."},
    {.id = "CUSTOM-DNS",
     .severity = SEVERITY_WARNING,
     .title = "A name is advertised that a DNS server outside the file must know.",
     .why = "Clients that do not know it: \"Failed to resolve\"."},
    {.id = "PLACEHOLDER",
     .severity = SEVERITY_WARNING,
     .title = "A placeholder is advertised.",
     .why = "It was to be replaced by an address: \"Failed to resolve\"."},
    {.id = "UNSET-VAR",
     .severity = SEVERITY_WARNING,
     .title = "A variable without value or default.",
     .why = "Compose puts nothing in its place and warns: \"The HOST_IP variable is not set. "
            "Defaulting to a blank string.\"",
     .check = check_unset},
    {.id = "HOST-DOCKER-INTERNAL",
     .severity = SEVERITY_WARNING,
     .title = "host.docker.internal is advertised.",
     .why = "Docker Desktop knows that name; on Linux containers need an extra_hosts entry, and "
            "the host itself does not know it."},
    {.id = "NO-ADV",
     .severity = SEVERITY_WARNING,
     .title = "A published listener is advertised without a host.",
     .why = "Kafka then tells clients the container's own name, which only containers know: "
            "\"Failed to resolve '3f2a...:9092'\"."},
    {.id = "TYPO-ENV",
     .severity = SEVERITY_WARNING,
     .title = "A variable is nearly one of Kafka's.",
     .why = "Kafka ignores settings that it does not know.",
     .check = check_typo},
    {.id = "EPHEMERAL",
     .severity = SEVERITY_WARNING,
     .title = "The host's port is whatever is free.",
     .why = "Docker chooses another port at each start, and the advertised one stays: \"Connection "
            "refused\"."},
    {.id = "LEGACY",
     .severity = SEVERITY_NOTE,
     .title = "A setting that Kafka has given up.",
     .why = "advertised.host.name and advertised.port are gone since Kafka 3.0; images of older "
            "ones still take them.",
     .check = check_legacy},
    {.id = "CONFIG-FILE",
     .severity = SEVERITY_WARNING,
     .title = "The listeners are set where they cannot be read.",
     .why = "A mounted configuration or a script decides, and it is not here.",
     .check = check_config_file},
    {.id = "FRAGMENT",
     .severity = SEVERITY_WARNING,
     .title = "A part of the file is elsewhere.",
     .why = "An env_file, an `extends` or an `include` that is not here may change everything.",
     .check = check_fragment},

    {.id = NULL},
};

const struct rule *rule_find(const char *id)
{
    for (const struct rule *rule = rules; rule->id; rule++)
        if (strcasecmp(rule->id, id) == 0)
            return rule;
    return NULL;
}
