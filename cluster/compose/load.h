/* load.h: between the files of cluster/compose: what is known of the files
 * before the model is made of it. */
#ifndef TALLY_COMPOSE_LOAD_H
#define TALLY_COMPOSE_LOAD_H

#include "cluster/compose/compose.h"
#include "cluster/compose/interpolate.h"
#include "cluster/compose/yaml.h"

/* Where a piece of YAML comes from, and what its relative paths and variables mean. */
struct unit {
    const char *folder;
    const struct variables *variables;
};

/* A service or network as one file says it. Later ones go over earlier ones. */
struct layer {
    struct node *map;
    const struct unit *unit;
    bool shared; /* other services have it, too, by `extends` */
};

struct draft {
    const char *name;
    struct place place; /* of its key */
    struct layer *layers;
    size_t count;
    bool removed; /* by !reset */
};

struct drafts {
    struct draft *list;
    size_t count;
    struct names index;
};

/* A file is read once, however often it is extended. */
struct file {
    const char *path;
    struct node **documents;
    size_t count;
    bool failed;
};

/* The result with all its memory. */
struct owner {
    struct compose compose; /* first: who frees it only knows this */
    struct arena arena;
    struct names services;
};

struct loader {
    struct owner *owner;
    struct arena *arena;     /* the owner's */
    struct compose *compose; /* the owner's */
    struct budget budget;
    struct error *error;
    const struct source *const *instead; /* of files; NULL: none */
    struct drafts services, networks;
    struct variables *variables; /* of the project */
    struct names source_index, file_index, included;
    struct file *files;
    size_t file_count;
    size_t bytes; /* of all files */
    size_t ports;
    const struct node *name; /* the top level's `name:` */
    const struct unit *name_unit;
};

/* Fills the drafts. */
int load_files(struct loader *loader, const struct compose_request *request);
/* The services and networks of the drafts as the model has them. */
int load_services(struct loader *loader);
int load_networks(struct loader *loader);

/* A file beside the compose files, or NULL with the reason in `error`; it is
 * among the sources, and read once. */
const struct source *load_source(struct loader *loader, const char *path, size_t most,
                                 struct error *error);
/* `path` as seen from the folder of a compose file. */
char *path_join(struct arena *arena, const char *folder, const char *path);
char *path_folder(struct arena *arena, const char *path);

/* EXIT_INPUT at a node's place; always -1. */
int fail_node(struct loader *loader, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void add_unknown(struct loader *loader, const char *service, const struct place *place,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What the layers say under a key, weakest first; after !reset and !override. */
struct value {
    struct node *node;         /* never null in YAML's sense */
    const struct layer *layer; /* of which it is */
    bool shared;
};
struct values {
    struct value *list;
    size_t count;
};
void values_read(struct loader *loader, const struct draft *draft, const char *key,
                 struct values *values);
/* The same below a value that is a map, such as `healthcheck`; what is no map says nothing. */
void values_below(struct loader *loader, const struct values *above, const char *key,
                  struct values *values);

/* A service on its way. */
struct reading {
    struct loader *loader;
    const struct draft *draft;
    struct compose_service *service;
};

/* A scalar with its variables replaced. `what` is for the error: "image". */
int text_read(struct reading *reading, const struct value *value, const char *what,
              struct compose_text *text);
/* The strongest scalar under a key; "" if there is none. */
int text_of_key(struct reading *reading, const char *key, struct compose_text *text);
bool text_is_true(const char *text);
struct compose_text text_empty(struct loader *loader);

/* Each reads its part of a service. */
int read_environment(struct reading *reading);
int read_hosts(struct reading *reading);
int read_ports(struct reading *reading);
int read_uses(struct reading *reading);
int read_volumes(struct reading *reading);
int read_words(struct reading *reading, const char *key, char ***words);
int read_build(struct reading *reading);
int read_command(struct reading *reading, const char *key, struct compose_text **words,
                 size_t *count, bool *given);
int read_healthcheck(struct reading *reading);
void read_gaps(struct reading *reading);

/* The FROM of a Dockerfile's last stage, or of `target`; "" if that cannot be known. */
char *dockerfile_base(struct arena *arena, const char *bytes, size_t length, const char *target,
                      const struct variables *arguments);

#endif
