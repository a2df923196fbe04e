/* jar.h: what is in a jar on this machine, as far as it can be told before
 * Spark tries to run it. */
#ifndef TALLY_JAR_H
#define TALLY_JAR_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/base/error.h"

/* Which Scala the code was compiled with. Scala 2.13 changed the collections'
 * binary names, so that code of either does not run with the other's library. */
enum jar_scala {
    JAR_SCALA_NONE, /* no Scala, or it cannot be told */
    JAR_SCALA_212,  /* 2.12 or older */
    JAR_SCALA_213,  /* 2.13, or Scala 3, which uses its library */
};

struct jar;

/* NULL with EXIT_INPUT: not to be read, no jar, or beyond a limit. */
struct jar *jar_open(const char *path, struct error *error);
void jar_close(struct jar *jar); /* NULL is fine */
/* Main-Class of its manifest; free() it; NULL if it names none. */
char *jar_main_class(struct jar *jar);
/* `name`: "my.Main", nested classes as "my.Main$Inner". */
bool jar_has_class(struct jar *jar, const char *name);
/* By the classes of that one's package. */
enum jar_scala jar_scala(struct jar *jar, const char *main_class);

/* Whether `main_class` is in the jar, and its Scala fits the Spark of that
 * version ("4.2.0"; "" when it is not known). Classes of Spark's own are not
 * looked for. EXIT_REFUSED says what is wrong; EXIT_INPUT as jar_open. Where
 * other jars go along, the class may be in one of them: `others`. */
int jar_check(const char *path, const char *main_class, const char *spark_version, bool others,
              struct error *error);

/* By the names that a class file refers to; bytes that are none: JAR_SCALA_NONE. */
enum jar_scala jar_class_scala(const char *bytes, size_t length);
/* The value of "Main-Class" in a manifest's main section; free() it; NULL if there is none. */
char *jar_manifest_main_class(const char *bytes, size_t length);

#endif
