/* submission.h: what `submit` and `run --master` ask Spark for, put together
 * from the command line, the job's spec and spark-defaults.conf. */
#ifndef TALLY_SUBMISSION_H
#define TALLY_SUBMISSION_H

#include "cluster/spark_conf.h"
#include "cluster/spark.h"
#include "jobs/spec.h"
#include "runner/local_files.h"
#include "runner/options.h"

struct submission {
    struct spark_masters masters;
    struct spark_conf *conf;
    struct local_files *files; /* what is served to the workers, until submission_free */
    char **arguments;          /* ends at NULL; owned */
    size_t argument_count;
    const char *resource, *main_class;
    char *found_class; /* what main_class is when no --class was given; NULL: it was */
    const char *name;  /* the application's */
};

/* Whether it is a jar, not a job: it ends in .jar, or has a scheme. */
bool is_jar(const char *operand);

/* The masters of --master, or else of spark.master in `conf` (may be NULL). */
int find_masters(const struct options *options, const struct spark_conf *conf,
                 struct spark_masters *masters, struct error *error);
/* --master, for commands about drivers that are there. */
struct spark *open_spark(const struct options *options, struct error *error);

/* The job `spec` by our jar, or (NULL) the jar in options->arguments. Options
 * and spec must outlive it. Free with submission_free, also after a failure. */
int submission_make(const struct options *options, struct spec *spec, struct submission *submission,
                    struct error *error);
void submission_free(struct submission *submission);
/* spark_create with it; says on standard error what it does. */
int submission_send(const struct submission *submission, struct spark *spark, char **id,
                    struct error *error);

#endif
