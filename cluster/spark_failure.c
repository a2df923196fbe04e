#include "cluster/spark_failure.h"

#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/number.h"

#define JOB_ERROR "tally-job: error: "
#define LAUNCH    "Launch Command: " /* DriverRunner.scala writes it at each start */
#define APP_NAME  "\"-Dspark.app.name="
#define WRAPPER   "\"org.apache.spark.deploy.worker.DriverWrapper\" "
#define EXCEPTION "Exception in thread "
#define CAUSE     "Caused by: "
/* Python's: frames are indented, what was raised stands behind them (traceback.py).
 * Spark runs a script with its standard error going where its output does, the
 * driver's standard output (PythonRunner.scala). */
#define TRACEBACK "Traceback (most recent call last):"
#define RAISED    "The above exception was the direct cause of the following exception:"
#define THROWN    ": " /* behind a Py4JJavaError: what Java threw, on a line of its own */
/* StandaloneSchedulerBackend.scala, at INFO */
#define APP_ID "Connected to Spark cluster with app ID "
/* The class file of Java 1.1 is 45, that of Java 17 61. */
#define CLASS_FILE_1 44

struct spark_failure {
    char *error;
    char *head, *cause; /* of the last stack trace: what was thrown, and why */
    char *last;         /* line */
    char *app_name, *app_id, *main_class;
    bool in_traceback, is_raised_on;
    bool in_task; /* the traceback is within a Java cause: PythonException */
    bool begun;   /* a line was taken */
    int restarts;
};

struct spark_failure *spark_failure_new(void)
{
    return mem_alloc(1, sizeof(struct spark_failure));
}

static bool starts(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

static void keep(char **place, char *text)
{
    free(*place);
    *place = text;
}

/* Java's own lines of a stack trace tell nothing by themselves. */
static bool is_trace(const char *line)
{
    return starts(line, "\tat ") || starts(line, "\t... ") || starts(line, "====") || !*line;
}

/* The command's words stand in quotes: the wrapper's are the worker, the jar, the class. */
static void take_launch(struct spark_failure *failure, const char *line)
{
    const char *name = strstr(line, APP_NAME), *at = strstr(line, WRAPPER);

    failure->restarts += failure->begun;
    failure->in_traceback = failure->in_task = failure->is_raised_on = false;
    if (name) {
        name += strlen(APP_NAME);
        keep(&failure->app_name, mem_bytes(name, strcspn(name, "\"")));
    }
    for (int i = 0; at && i < 3; i++) {
        at = strstr(at, "\" \"");
        at = at ? at + 2 : NULL;
    }
    if (at)
        keep(&failure->main_class, mem_bytes(at + 1, strcspn(at + 1, "\"")));
}

/* Exception in thread "main" java.lang.X: why */
static void take_exception(struct spark_failure *failure, const char *line)
{
    const char *at = line + strlen(EXCEPTION);
    const char *behind = *at == '"' ? strchr(at + 1, '"') : NULL;

    keep(&failure->head, mem_text(behind && behind[1] == ' ' ? behind + 2 : at));
    keep(&failure->cause, NULL);
}

/* What only passes on what another threw: DriverWrapper calls main so. */
static bool is_wrapping(const char *head)
{
    return starts(head, "java.lang.reflect.InvocationTargetException");
}

static void take_cause(struct spark_failure *failure, const char *cause)
{
    failure->in_traceback = failure->in_task = strstr(cause, TRACEBACK) != NULL;
    if (!failure->head || is_wrapping(failure->head))
        keep(&failure->head, mem_text(cause));
    else
        keep(&failure->cause, mem_text(cause));
}

/* What was raised; its cause, where it was raised on, came before. */
static void take_raised(struct spark_failure *failure, const char *line)
{
    bool in_task = failure->in_task;

    failure->in_traceback = failure->in_task = false;
    if (in_task) {
        keep(failure->cause ? &failure->cause : &failure->head, mem_text(line));
        return;
    }
    if (failure->is_raised_on && !failure->cause) {
        failure->cause = failure->head;
        failure->head = NULL;
    } else if (!failure->is_raised_on) {
        keep(&failure->cause, NULL);
    }
    failure->is_raised_on = false;
    keep(&failure->head, mem_text(line));
}

/* True when it was one of Python's lines. */
static bool take_python(struct spark_failure *failure, const char *line)
{
    if (starts(line, TRACEBACK))
        failure->in_traceback = true;
    else if (starts(line, RAISED))
        failure->is_raised_on = failure->head != NULL;
    else if (failure->in_traceback && *line && *line != ' ')
        take_raised(failure, line);
    else if (starts(line, THROWN) && failure->head && starts(failure->head, "py4j."))
        keep(&failure->cause, mem_text(line + strlen(THROWN)));
    else
        return failure->in_traceback;
    return true;
}

void spark_failure_take(struct spark_failure *failure, const char *line)
{
    const char *app = strstr(line, APP_ID);

    if (starts(line, LAUNCH))
        take_launch(failure, line);
    else if (take_python(failure, line))
        app = NULL;
    else if (starts(line, JOB_ERROR) && !failure->error)
        failure->error = mem_text(line + strlen(JOB_ERROR));
    else if (starts(line, EXCEPTION))
        take_exception(failure, line);
    else if (starts(line, CAUSE))
        take_cause(failure, line + strlen(CAUSE));
    else if (!is_trace(line))
        keep(&failure->last, mem_text(line));
    failure->begun = true;
    if (app) {
        app += strlen(APP_ID);
        keep(&failure->app_id, mem_bytes(app, strcspn(app, " ")));
    }
}

const char *spark_failure_error(const struct spark_failure *failure)
{
    return failure->error;
}

bool spark_failure_is_told(const struct spark_failure *failure)
{
    return failure->error || failure->head;
}

/* ---- Known causes. Each was brought about on real clusters of 3.5.1 and
 * 4.2.0, but for those that name a GitHub issue. */

struct known {
    const char *kind; /* of the root cause, by its class's name */
    const char *text; /* somewhere in it */
    char *(*say)(const struct spark_failure *failure, const char *cause, const char *version);
};

/* What came with Scala 2.13. */
static bool is_of_213(const char *cause)
{
    static const char *const names[] = {
        "scala.collection.ArrayOps",
        "scala.collection.IterableOnce",        /* dataflint/spark#42 */
        "scala.collection.immutable.ArraySeq",  /* pinecone-io/spark-pinecone#4 */
        "scala/collection/immutable/ArraySeq;", /* scylladb/scylla-migrator#184 */
        "scala.$less$colon$less",               /* databricks/spark-xml#576 */
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strstr(cause, names[i]))
            return true;
    return false;
}

/* Spark 4 has 2.13 only, Spark 3 has either. Traits had a class X$class up to
 * 2.11 (dasmiq/passim#11, databricks/spark-redshift#333). */
static char *say_scala(const struct spark_failure *failure, const char *cause, const char *version)
{
    const char *jar = NULL, *spark = *version >= '4' ? "2.13" : NULL;

    (void)failure;
    if (strstr(cause, "$class"))
        jar = "2.11 or older";
    else if (spark)
        jar = "2.12";
    else if (is_of_213(cause)) {
        jar = "2.13";
        spark = "2.12";
    }
    return mem_format("the jar is built for %s%s, this Spark%s%s%s has %s: take one built for that",
                      jar ? "Scala " : "another Scala", jar ? jar : "", *version ? " (" : "",
                      version, *version ? ")" : "", spark ? spark : "its own");
}

static char *say_kafka(const struct spark_failure *failure, const char *cause, const char *version)
{
    (void)failure;
    (void)cause;
    return mem_format("Spark's Kafka connector is not there: add "
                      "org.apache.spark:spark-sql-kafka-0-10_%s:%s to the application's jars",
                      *version >= '4' ? "2.13" : "2.12", *version ? version : "VERSION");
}

/* NULL for any other class. */
static char *say_main_class(const struct spark_failure *failure, const char *cause,
                            const char *version)
{
    const char *name = strchr(cause, ' ');

    (void)version;
    if (!name || !failure->main_class || strcmp(name + 1, failure->main_class) != 0)
        return NULL;
    return mem_format("the jar has no main class %s: see --class", failure->main_class);
}

/* "class file version 65.0), ... up to 61.0" */
static int java_of(const char *cause, const char *mark)
{
    const char *at = strstr(cause, mark);
    int64_t version;

    if (!at)
        return 0;
    at += strlen(mark);
    if (!number_int64(at, strspn(at, "0123456789"), &version) || version <= CLASS_FILE_1 ||
        version > CLASS_FILE_1 + 1000)
        return 0;
    return (int)version - CLASS_FILE_1;
}

static char *say_java(const struct spark_failure *failure, const char *cause, const char *version)
{
    int jar = java_of(cause, "(class file version ");
    int worker = java_of(cause, "class file versions up to ");

    (void)failure;
    (void)version;
    if (!jar || !worker)
        return NULL;
    return mem_format("the jar is compiled for Java %d, the worker has Java %d", jar, worker);
}

static const struct known known[] = {
    {"UnsupportedClassVersionError", "", say_java},
    {"ClassNotFoundException", "", say_main_class},
    {"", "Failed to find data source: kafka", say_kafka},
    {"ClassNotFoundException", "scala.", say_scala},
    {"NoClassDefFoundError", "scala/", say_scala},
    {"NoSuchMethodError", "scala", say_scala},
};

/* free() it; NULL when nothing is known of it. */
static char *say_known(const struct spark_failure *failure, const char *cause, const char *version)
{
    size_t name = strcspn(cause, ":");
    char *kind = mem_bytes(cause, name), *said = NULL;

    for (size_t i = 0; i < sizeof known / sizeof known[0] && !said; i++)
        if (strstr(kind, known[i].kind) && strstr(cause, known[i].text))
            said = known[i].say(failure, cause, version);
    free(kind);
    return said;
}

char *spark_failure_reason(const struct spark_failure *failure, const char *version)
{
    const char *root = failure->cause ? failure->cause : failure->head;
    char *said, *reason;

    if (failure->error)
        return mem_text(failure->error);
    if (!root) /* the program's own words, or just what Spark said last */
        return failure->last ? mem_format("the last line of its log: %s", failure->last) : NULL;
    said = say_known(failure, root, version);
    if (failure->cause)
        reason = mem_format("%s%s%s (thrown on as %s)", said ? said : "", said ? ": " : "", root,
                            failure->head);
    else
        reason = mem_format("%s%s%s", said ? said : "", said ? ": " : "", root);
    free(said);
    return reason;
}

int spark_failure_restarts(const struct spark_failure *failure)
{
    return failure->restarts;
}

const char *spark_failure_app_name(const struct spark_failure *failure)
{
    return failure->app_name;
}

const char *spark_failure_app_id(const struct spark_failure *failure)
{
    return failure->app_id;
}

void spark_failure_free(struct spark_failure *failure)
{
    if (!failure)
        return;
    free(failure->error);
    free(failure->head);
    free(failure->cause);
    free(failure->last);
    free(failure->app_name);
    free(failure->app_id);
    free(failure->main_class);
    free(failure);
}
