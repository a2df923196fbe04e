/* docker_run.h: a short-lived container in a network, and an image for it made
 * from what runs here: so that this program can look around from inside that
 * network, without an image of its own, a registry or root. */
#ifndef TALLY_DOCKER_RUN_H
#define TALLY_DOCKER_RUN_H

#include "cluster/base/buf.h"
#include "cluster/base/error.h"
#include "cluster/docker_message.h"
#include "cluster/http.h"

/* The label of all that is made here. */
#define DOCKER_LABEL "tally.doctor"

/* This program and the libraries that it has loaded, as an image of that name,
 * "tally-doctor:4711". `*libraries`: where they are, for docker_run; free() it.
 * Remove the image with docker_remove_image, also after -1. */
int docker_import_self(struct http *http, const char *image, char **libraries, struct error *error);
/* Says nothing when it cannot. */
void docker_remove_image(struct http *http, const char *image);

/* Removes what runs that were killed have left: containers that have ended and images that nobody
 * uses, of this program, older than any run takes. Says nothing when it cannot. */
void docker_remove_stale(struct http *http);

struct docker_run {
    const char *name, *image, *network, *libraries;
    const char *const *arguments; /* the program's; ends at NULL */
    int64_t wait_ms;              /* for all of it */
};

/* Runs it to its end, with nothing but what it needs: not root, no
 * capabilities, a file system that it cannot write. `out` takes what it wrote to
 * standard output. The container is gone afterwards, whatever happened.
 * EXIT_UNREACHABLE, with the engine's words or the container's on standard error. */
int docker_run(struct http *http, const struct docker_run *run, struct buf *out,
               struct error *error);

/* The words of a running container: its command and its environment,
 * "NAME=VALUE". The list ends at NULL; free each, and it. NULL: it cannot be asked. */
char **docker_words(struct http *http, const struct docker_container *container);

#endif
