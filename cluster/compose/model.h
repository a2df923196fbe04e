/* model.h: services and networks as compose files describe them, each value with
 * its place. What this program has no use for is not kept. */
#ifndef TALLY_COMPOSE_MODEL_H
#define TALLY_COMPOSE_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/compose/source.h"

/* A value. `text` is never NULL; it is the value after interpolation. */
struct compose_text {
    char *text;
    struct place place;
    bool interpolated; /* a variable stood in it */
    char *unset;       /* the first variable in it that has neither a value nor a default; NULL */
};

/* Of `environment`, `env_file` and `extra_hosts`. */
struct compose_pair {
    char *name;
    struct compose_text value;
    bool from_file; /* of env_file */
    bool absent; /* `NAME:` or `- NAME` alone: the value is the shell's, and the shell has none */
    bool shared; /* by an anchor, a merge key or `extends`: a change there would hit others, too */
};

/* Of `ports`, one for each port of a range. Only TCP is kept. */
struct compose_port {
    char *host_ip; /* "" : all addresses */
    int published; /* of the host; 0: whatever is free */
    int target;    /* of the container */
    char *unset;   /* as of compose_text */
    /* The whole text of the short form; in the long form, of `published` or else `target`. */
    struct place place;
};

struct compose_use { /* of a network, by a service */
    char *network;   /* its key in `networks`, or "default" */
    char **aliases;  /* NULL-terminated */
    char *address;   /* ipv4_address; "" */
    struct place place;
};

struct compose_volume {
    char
        *source; /* of a bind mount, made relative to nothing: a path that can be opened; else "" */
    char *target;
};

/* Where a line can be added: behind byte `at` (the end of a line, before its
 * newline or CRLF, or of the file), `indent` columns in. */
struct compose_gap {
    const struct source
        *source; /* NULL: there is no such block, or it cannot be added to (flow style) */
    size_t at, indent;
    bool list;  /* "- item", not "key: value" */
    bool given; /* the key is there, whatever it holds */
};

struct compose_service {
    char *name;
    struct place place;        /* of its key */
    struct compose_text image; /* "" : none */
    bool build;                /* an image of its own */
    char *build_base; /* the FROM of its Dockerfile's last stage, if that is in reach; else "" */
    struct compose_text container_name, hostname, network_mode; /* "" : not given */
    struct compose_use
        *uses; /* "default" alone, if the file says nothing; none with network_mode */
    size_t use_count;
    struct compose_port *ports;
    size_t port_count;
    struct compose_pair *environment; /* each name once: the one that holds */
    size_t environment_count;
    struct compose_text *command, *entrypoint; /* as words; a string is split as a shell does */
    size_t command_count, entrypoint_count;
    bool has_command;           /* also an empty one */
    struct compose_pair *hosts; /* extra_hosts: name -> address */
    size_t host_count;
    struct compose_volume *volumes;
    size_t volume_count;
    char **depends_on, **links /* "service" or "service:alias" */, **profiles; /* NULL-terminated */
    struct compose_text healthcheck;                            /* its test as one text; "" */
    long replicas;                                              /* deploy.replicas or scale; 1 */
    struct compose_gap environment_gap, ports_gap, service_gap; /* service_gap: a new key of it */
};

struct compose_network {
    char *key, *name; /* name: as Docker has it, with the project's before it */
    bool external, internal;
    struct place place;
};

#endif
