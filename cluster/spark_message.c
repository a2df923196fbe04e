#include "cluster/spark_message.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/base/buf.h"
#include "cluster/base/limits.h"
#include "cluster/base/utf8.h"

/* What spark-submit sends in its own place; masters only compare it with theirs for a log line. */
#define CLIENT_VERSION "3.5.1"
/* Utils.BACKUP_STANDALONE_MASTER_PREFIX */
#define STANDBY    "Current state is not alive"
#define TITLE_MOST 200

static const char *const names[] = {
    [SPARK_NO_STATE] = "NOT_FOUND", [SPARK_SUBMITTED] = "SUBMITTED",
    [SPARK_RUNNING] = "RUNNING",    [SPARK_RELAUNCHING] = "RELAUNCHING",
    [SPARK_UNKNOWN] = "UNKNOWN",    [SPARK_FINISHED] = "FINISHED",
    [SPARK_KILLED] = "KILLED",      [SPARK_FAILED] = "FAILED",
    [SPARK_ERROR] = "ERROR",
};

#define STATE_COUNT (sizeof names / sizeof names[0])

const char *spark_state_name(enum spark_driver_state state)
{
    return names[state];
}

enum spark_driver_state spark_state_of(const char *name)
{
    for (size_t i = 0; i < STATE_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return (enum spark_driver_state)i;
    return SPARK_UNKNOWN;
}

bool spark_state_is_end(enum spark_driver_state state)
{
    return state >= SPARK_FINISHED;
}

/* jansson's word for text that is not UTF-8 is NULL: such bytes become U+FFFD. */
static json_t *json_of(const char *text)
{
    json_t *string = json_string(text);
    struct buf clean = {0};

    if (string)
        return string;
    for (size_t left = strlen(text); left > 0;) {
        size_t one = utf8_length((const unsigned char *)text, left);
        buf_add(&clean, one ? text : "\xef\xbf\xbd", one ? one : 3);
        text += one ? one : 1;
        left -= one ? one : 1;
    }
    string = json_string(clean.data);
    buf_free(&clean);
    return string;
}

/* Every field, and every value a string: masters before 4.0 refuse a request
 * that lacks one. */
char *spark_create_message(const struct spark_submission *submission, bool pretty)
{
    json_t *properties = json_object(), *arguments = json_array();
    json_t *message;
    char *text;

    for (size_t i = 0; i < submission->property_count; i++)
        json_object_set_new_nocheck(properties, submission->properties[i].name,
                                    json_of(submission->properties[i].value));
    for (const char *const *at = submission->arguments; at && *at; at++)
        json_array_append_new(arguments, json_of(*at));
    message = json_pack("{ss, ss, so, so, so, s{ss}, so}", "action", "CreateSubmissionRequest",
                        "clientSparkVersion", CLIENT_VERSION, "appResource",
                        json_of(submission->resource), "mainClass", json_of(submission->main_class),
                        "appArgs", arguments, "environmentVariables", "SPARK_ENV_LOADED", "1",
                        "sparkProperties", properties);
    text = json_dumps(message, JSON_ENSURE_ASCII | (pretty ? JSON_INDENT(2) : JSON_COMPACT));
    json_decref(message);
    if (!text)
        abort(); /* out of memory */
    return text;
}

static char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return mem_text(text ? text : "");
}

int spark_answer_read(const char *bytes, size_t length, struct spark_answer *answer)
{
    json_t *root = json_loadb(bytes, length, 0, NULL);
    const char *action = json_string_value(json_object_get(root, "action"));
    const char *state = json_string_value(json_object_get(root, "driverState"));

    if (!action) {
        json_decref(root);
        return -1;
    }
    *answer = (struct spark_answer){
        .success = json_is_true(json_object_get(root, "success")),
        .is_error = strcmp(action, "ErrorResponse") == 0,
        .message = text_at(root, "message"),
        .id = text_at(root, "submissionId"),
        .state = state ? spark_state_of(state) : SPARK_NO_STATE,
        .worker_id = text_at(root, "workerId"),
        .worker = text_at(root, "workerHostPort"),
        .version = text_at(root, "serverSparkVersion"),
    };
    json_decref(root);
    return 0;
}

void spark_answer_free(struct spark_answer *answer)
{
    free(answer->message);
    free(answer->id);
    free(answer->worker_id);
    free(answer->worker);
    free(answer->version);
    *answer = (struct spark_answer){0};
}

bool spark_answer_is_standby(const struct spark_answer *answer)
{
    return strstr(answer->message, STANDBY) != NULL;
}

/* "java.lang.Exception: what" says no more than "what". */
static const char *skip_words(const char *at)
{
    static const char *const words[] = {
        "Exception from the cluster:\n",
        "Malformed request: ",
        "java.lang.Exception: ",
        "org.apache.spark.deploy.rest.SubmitRestProtocolException: ",
        "org.apache.spark.SparkException: ",
    };
    bool found = true;

    while (found) {
        found = false;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (strncmp(at, words[i], strlen(words[i])) == 0) {
                at += strlen(words[i]);
                found = true;
            }
    }
    return at;
}

/* The jar is fetched by the worker: what fails there is nearly always that. */
static char *missing_file(const char *line)
{
    static const char *const words[] = {"java.nio.file.NoSuchFileException: ",
                                        "java.io.FileNotFoundException: "};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strncmp(line, words[i], strlen(words[i])) == 0)
            return mem_format("the jar is not on the worker: no file %s there",
                              line + strlen(words[i]));
    return NULL;
}

char *spark_reason(const char *message)
{
    const char *at = skip_words(message);
    char *line = mem_bytes(at, strcspn(at, "\r\n")), *better = missing_file(line);

    if (!better)
        return line;
    free(line);
    return better;
}

/* The text between two marks, without line ends. */
static char *between(const char *text, const char *from, const char *to)
{
    const char *begin = strstr(text, from), *end = begin ? strstr(begin, to) : NULL;

    if (!end)
        return NULL;
    begin += strlen(from);
    return mem_bytes(begin, end - begin > TITLE_MOST ? TITLE_MOST : (size_t)(end - begin));
}

char *spark_page_title(const char *bytes, size_t length)
{
    char *text = mem_bytes(bytes ? bytes : "", bytes ? length : 0);
    char *title = between(text, "<title>", "</title>");

    if (!title) {
        size_t line = strcspn(text, "\r\n");
        title = mem_bytes(text, line > TITLE_MOST ? TITLE_MOST : line);
    }
    free(text);
    return title;
}
