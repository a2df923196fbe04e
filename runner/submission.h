/* submission.h: what `submit` and `run --master` ask Spark for, put together
 * from the command line, the job's spec and files of settings. Of one setting
 * the later of these holds: spark-defaults.conf, the job's spec,
 * --properties-file, --conf, an option of its own; before all of them the
 * environment's that spark-submit knows. */
#ifndef TALLY_SUBMISSION_H
#define TALLY_SUBMISSION_H

#include "cluster/spark_conf.h"
#include "cluster/spark.h"
#include "jobs/spec.h"
#include "runner/local_files.h"
#include "runner/options.h"

#define LIST_COUNT 4 /* spark.jars, spark.submit.pyFiles, spark.files, spark.archives */

struct submission {
    struct spark_masters masters;
    struct spark_conf *conf;
    struct local_files *files; /* what is served to the workers, until submission_free */
    char **arguments;          /* ends at NULL; owned */
    size_t argument_count;
    const char *resource, *main_class;
    char *found_class;     /* what main_class is when no --class was given; NULL: it was */
    const char *name;      /* the application's */
    const char *script;    /* a Python application, which is no resource; else NULL */
    const char *local_jar; /* the resource's path where it is to be served; else NULL */
    char *path;            /* what resource or script points to when it is not served; else NULL */
    bool is_offered[LIST_COUNT]; /* by an option of its own: what is here of it is served */
    bool others;                 /* there are other places for the main class than the resource */
    bool is_job;                 /* not an application of the caller's own */
};

/* Whether it is an application, not a job: it ends in .jar or .py, or has a scheme. */
bool is_application(const char *operand);

/* The job `spec` by our jar, or (NULL) the application in options->arguments. Options
 * and spec must outlive it. Free with submission_free, also after a failure. */
int submission_make(const struct options *options, struct spec *spec, struct submission *submission,
                    struct error *error);
void submission_free(struct submission *submission);
/* Once, before submission_fit: serves what only this machine has, the
 * application and what --jars, --py-files, --files and --archives name, until
 * submission_free. What --conf or a file names is as the workers find it. Errors
 * as local_files_offer. */
int submission_serve(const struct options *options, struct submission *submission,
                     struct error *error);
/* Once, before it is sent: what depends on the cluster. `url`: the masters as
 * the driver shall find them, where it does not know its own or there are
 * several; `version`: Spark's there, or NULL. */
void submission_fit(struct submission *submission, const char *url, const char *version);
/* After that, once more: whether each part can stand on the driver's command line,
 * as it is sent: EXIT_USAGE. */
int submission_check(const struct submission *submission, struct error *error);
/* What is sent, as it is for spark_create; the texts are the submission's. */
struct spark_submission submission_message(const struct submission *submission);

#endif
