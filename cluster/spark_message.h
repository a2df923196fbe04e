/* spark_message.h: the messages of Spark's REST submission protocol, "v1":
 * what is sent, as JSON, and what comes back. Bytes in, records out; no I/O.
 * (SubmitRestProtocolRequest.scala, SubmitRestProtocolResponse.scala) */
#ifndef TALLY_SPARK_MESSAGE_H
#define TALLY_SPARK_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

/* DriverState.scala. Of these the last four are ends; RELAUNCHING is one of
 * the id: the driver goes on under another. */
enum spark_driver_state {
    SPARK_NO_STATE, /* the master knows no such driver */
    SPARK_SUBMITTED,
    SPARK_RUNNING,
    SPARK_RELAUNCHING,
    SPARK_UNKNOWN,
    SPARK_FINISHED,
    SPARK_KILLED,
    SPARK_FAILED,
    SPARK_ERROR,
};

/* "RUNNING"; never NULL. */
const char *spark_state_name(enum spark_driver_state state);
/* A name Spark may give a state in the future is SPARK_UNKNOWN. */
enum spark_driver_state spark_state_of(const char *name);
/* No more will come of it. */
bool spark_state_is_end(enum spark_driver_state state);

struct spark_property {
    const char *name, *value;
};

/* What is asked for. All texts belong to the caller. */
struct spark_submission {
    const char *resource; /* the jar, as the worker finds it */
    const char *main_class;
    const char *const *arguments; /* ends at NULL */
    const struct spark_property *properties;
    size_t property_count;
};

/* The CreateSubmissionRequest, ASCII only: the master reads the body in its
 * JVM's own charset. On one line, or `pretty`. free() it. */
char *spark_create_message(const struct spark_submission *submission, bool pretty);

/* What came. Texts are never NULL but where it says so. Free with spark_answer_free. */
struct spark_answer {
    bool success;  /* what was asked is done, or is being done */
    bool is_error; /* an ErrorResponse: the request was not understood, or not by this master */
    char *message; /* Spark's own, with stack traces; "" if there is none */
    char *id;      /* "" */
    enum spark_driver_state state;
    char *worker_id; /* "" */
    char *worker;    /* "HOST:PORT" of its RPC; "" */
    char *version;   /* the master's: "4.2.0"; "" */
};

/* -1 when the bytes are no answer of a Spark master; then nothing is to be freed. */
int spark_answer_read(const char *bytes, size_t length, struct spark_answer *answer);
void spark_answer_free(struct spark_answer *answer);
/* This master does not lead (or not yet): the next one may. */
bool spark_answer_is_standby(const struct spark_answer *answer);

/* The one line of a message that tells the cause, without Java's decoration. free() it. */
char *spark_reason(const char *message);
/* What an answer that is no message of Spark's says of itself: a page's
 * title, or its first line. free() it. */
char *spark_page_title(const char *bytes, size_t length);

#endif
