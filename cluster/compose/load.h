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
    const struct node *name; /* the top level's `name:`, not that of an included file */
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

/* What an unquoted number or boolean becomes where Compose makes a text of it: in mappings of
 * environment and args, and in ports. */
void plain_read(struct loader *loader, const struct node *node, struct compose_text *text);

/* That a file which was read is named there. */
void add_reference(struct loader *loader, const char *path, const struct place *place);

/* EXIT_INPUT at a node's place; always -1. */
int fail_node(struct loader *loader, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void add_unknown(struct loader *loader, const char *service, const struct place *place,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
