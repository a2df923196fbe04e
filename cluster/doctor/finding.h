/* finding.h: what is wrong with the listeners of compose files, by a table of
 * rules: each has its id, its one condition, its severity, its words. */
#ifndef TALLY_DOCTOR_FINDING_H
#define TALLY_DOCTOR_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/compose/compose.h"
#include "cluster/doctor/broker.h"

enum severity {
    SEVERITY_NOTE,    /* worth to know; changes no verdict */
    SEVERITY_WARNING, /* suspicious */
    SEVERITY_ERROR,   /* broken */
};

enum verdict { VERDICT_OK, VERDICT_SUSPICIOUS, VERDICT_BROKEN };

struct diagnosis;

struct rule {
    const char *id; /* "ADV-NOT-SUBSET" */
    enum severity severity;
    const char *title; /* one sentence: what the rule says */
    const char *why;   /* what happens, with the error message that the user will see */
    void (*check)(struct diagnosis *diagnosis); /* NULL: checked with another rule */
};

/* A change to a file: the bytes from `start` to `end` become `text`. Of several at one place those
 * whose text begins with a line's end come last: they are lines of their own. */
struct edit {
    const struct source *source;
    size_t start, end;
    char *text;
};

struct finding {
    const struct rule *rule;
    enum severity
        severity; /* the rule's, or less where something outside the file may make it good */
    struct place place;
    char *service;      /* the service whose line it is */
    char *message;      /* one sentence, with the values */
    char *fix;          /* what to do, one sentence or the new line; "" : nothing is known */
    struct edit *edits; /* what --fix does; none: it cannot */
    size_t edit_count;
};

/* A bootstrap address and where it works from. */
struct vantage {
    char *from;       /* "the host", "a container on `default`", "other machines" */
    char **addresses; /* "localhost:9092"; NULL-terminated; none: nothing works from there */
    char *failure;    /* why nothing works from there; "" */
};

/* A client in the files: an address of a broker in one of its variables, words or health check. */
struct client {
    const struct compose_service *service;
    const struct compose_text *value;
    char *host;
    int port;
    const char *variable;  /* or "command" */
    size_t offset, length; /* of host:port within value->text; of the host alone, if `port_value` */
    const struct compose_text *port_value; /* NULL, or the port is in a variable of its own */
    bool knock;  /* it only looks whether the port is open: nc, wait-for-it */
    bool inside; /* a health check, or at a broker's own side: nobody else fails with it */
};

struct diagnosis {
    const struct compose *compose;
    struct brokers brokers;
    struct client *clients;
    size_t client_count;
    struct finding *findings; /* by file, line, column */
    size_t finding_count;
    struct vantage *vantages;
    size_t vantage_count;
    enum verdict verdict;
};

/* Never fails: what cannot be known is a finding. Free with diagnosis_free. */
struct diagnosis *diagnose(const struct compose *compose);
void diagnosis_free(struct diagnosis *diagnosis);

/* All rules, in the order of --explain; ends at NULL id. */
extern const struct rule rules[];
/* `id` in any case. */
const struct rule *rule_find(const char *id);

/* Two whole compose files: the first breaks the rule, the other does not, and is ok. */
struct example {
    const char *id, *wrong, *right;
};
/* Each rule has one. */
const struct example *rule_example(const struct rule *rule);

const char *verdict_name(enum verdict verdict);    /* "ok" */
const char *severity_name(enum severity severity); /* "error" */

/* For the rules: adds a finding that points at `place`; its fix is added to the result. */
struct finding *finding_add(struct diagnosis *diagnosis, const char *id,
                            const struct compose_service *service, const struct place *place,
                            const char *format, ...) __attribute__((format(printf, 5, 6)));
void finding_fix(struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Takes `text`. */
void finding_edit(struct finding *finding, const struct source *source, size_t start, size_t end,
                  char *text);

#endif
