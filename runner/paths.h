/* paths.h: what is sent of a file's path, as spark-submit sends it: the workers
 * stand in other folders, expand no patterns, and read an application's path as
 * a URI. */
#ifndef TALLY_PATHS_H
#define TALLY_PATHS_H

#include <stdbool.h>

/* "file:/x", "hdfs://n/x": RFC 3986's scheme. */
bool path_has_scheme(const char *path);

/* The path from the root, where it began in the working directory; one with a
 * scheme as it is. free() it. */
char *path_whole(const char *path);
/* The same as a worker takes an application: a file: URI where the path has
 * characters that mean something else in one, or nothing. */
char *path_uri(const char *path);
/* Each of a list between commas as path_whole, and in the place of a pattern
 * with a "*" the files here that match it; of one that none matches a warning,
 * naming `property`. free() it. */
char *path_list(const char *property, const char *list);

#endif
