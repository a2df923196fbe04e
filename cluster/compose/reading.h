/* reading.h: between the files of cluster/compose: how a service of the model is
 * read from the layers that the files gave it. */
#ifndef TALLY_COMPOSE_READING_H
#define TALLY_COMPOSE_READING_H

#include "cluster/compose/load.h"

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

/* The FROM of a Dockerfile's last stage, or of `target`; "" if that cannot be known. */
char *dockerfile_base(struct arena *arena, const char *bytes, size_t length, const char *target,
                      const struct variables *arguments);

#endif
