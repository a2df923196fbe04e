/* local_files.h: files that only the caller has, served to the workers over
 * HTTP for as long as it takes.
 *
 * A path without a scheme that exists here is such a file, unless --no-serve
 * says otherwise or this runs in one of the cluster's own containers, where
 * paths mean the same. A path with a scheme (file:/x.jar among them), or one
 * that does not exist here, is as the workers find it. */
#ifndef TALLY_LOCAL_FILES_H
#define TALLY_LOCAL_FILES_H

#include <stdbool.h>

#include "cluster/spark.h"
#include "runner/options.h"

struct local_files;

/* Who fetches a file, and so for how long it must be there. */
enum local_use {
    LOCAL_APPLICATION, /* the worker, once, before it starts the driver */
    LOCAL_DEPENDENCY,  /* the driver and each executor, whenever one starts: until the driver's end
                        */
};

bool is_local_file(const struct options *options, const char *path);

/* Listens on nothing yet. Options and masters must outlive it. */
struct local_files *local_files_new(const struct options *options,
                                    const struct spark_masters *masters);
/* What the cluster is to be told instead of `path`: the URL of the file, served
 * from now on, or `path` itself where the workers have it. It belongs to
 * `files`. NULL with EXIT_INPUT (not to be read), EXIT_USAGE (--serve-address),
 * EXIT_UNREACHABLE (no address to serve on). */
const char *local_files_offer(struct local_files *files, const char *path, enum local_use use,
                              struct error *error);
/* The same for each of a list between commas, all LOCAL_DEPENDENCY; free() it. */
char *local_files_offer_list(struct local_files *files, const char *list, struct error *error);
/* The name by which the driver finds an application that was offered, in its
 * own working directory, to hand on to the executors ("./my.jar"): for
 * spark.jars. `offered` itself when it is not served. free() it. */
char *local_files_for_executors(const struct local_files *files, const char *offered);
/* Once the driver is created: waits until the application has been fetched, or
 * the driver has ended: then as driver_outcome. EXIT_TIMEOUT after --timeout;
 * a signal: its exit code. Nothing to wait for: 0 at once. */
int local_files_wait(struct local_files *files, struct spark *spark, const char *id,
                     struct error *error);
/* Whether some are needed for as long as the driver runs. */
bool local_files_until_end(const struct local_files *files);
/* Whether a path leads nowhere: it is not here, and relative, which no path of the workers' is. */
bool is_missing_file(const struct options *options, const char *path);
/* Serves no more. NULL is fine. */
void local_files_free(struct local_files *files);

#endif
