/* options.h: the command line as a table. Each option is described once:
 * parsing, the environment's TALLY_NAME, --help and --verbose come from its row. */
#ifndef TALLY_OPTIONS_H
#define TALLY_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/base/error.h"
#include "cluster/kafka.h"
#include "jobs/rows.h"

#define RATE_MAX 0 /* of options.rate: as fast as it goes */

/* The values of all options. Texts belong to argv or the environment. */
struct options {
    bool help, verbose;
    struct kafka_settings *kafka;
    const char *bootstrap_servers; /* NULL: not given */
    const char *time_column;
    enum rows_header header;
    int64_t rate; /* thousandths of a record a second, or RATE_MAX */
    bool strict, loop, once, no_page, json, exit_at_end, from_end;
    int64_t start_time; /* ms; -1: not given */
    int64_t skip, partitions, count, port, max_future;
    bool port_given;
    const char *feed;
    const char *host;
    const char *token_file, *tls_cert, *tls_key, *base_path, *access_log;
    int64_t max_clients;
    int64_t history_ms, history_windows;       /* 0: not given; one of them at most */
    const char **allow_hosts, **allow_origins; /* NULL-terminated */
    /* Spark's. */
    const char *master;         /* NULL: not given */
    int64_t rest_port, ui_port; /* 0: the usual ones */
    const char *main_class, *name, *deploy_mode, *jar, *checkpoint;
    const char *job_servers, *topic, *group;
    const char **conf;       /* "KEY=VALUE", NULL-terminated; of equal keys the last holds */
    const char **properties; /* the same, of options of their own: they win over `conf` */
    const char *properties_file, *kill_id, *status_id;
    const char *jws_key_file, *ca_file, *proxy, *rest_url, *ui_url;
    const char *serve_address; /* NULL: found out */
    bool load_defaults, version, dry_run, no_preflight, no_serve;
    bool supervise, follow, wait_running, unless_running, to_stdout, keep, wait_topic;
    int64_t timeout; /* ms; -1: not given */
    int64_t tail;    /* lines; -1: all */
    bool all, yes, to_stderr;
    /* The doctor's. */
    const char **files, **env_files; /* NULL-terminated; NULL: not given */
    const char *explain;
    bool fix, diff, live, round_trip;
    const char *from;     /* --live: the place's name, inside of it; NULL: this machine and all */
    const char *executor; /* its number, or "all"; NULL: the driver's log */
    bool filling;         /* from the environment, after the command line */
    char **made;          /* texts that belong to neither; NULL-terminated */
    char **arguments;     /* what is no option, NULL-terminated; arguments[0] is the job */
    int argument_count;
};

struct command {
    const char *name;
    const char *usage;   /* "JOB [FILE]" */
    const char *summary; /* one line */
    const char *text;    /* for --help: what it does, with examples */
    const char *options; /* names of its options, between blanks */
    int most_arguments, least_arguments;
    /* Whether everything behind this operand is its own, as behind "--"; NULL: never. */
    bool (*ends_options)(const char *operand);
    int (*run)(const struct options *options, struct error *error);
};

/* Reads argv[1..] for the command; unset options get the environment's value
 * or the default. Free with options_free, also after a failure. */
int options_read(const struct command *command, int argc, char **argv, struct options *options,
                 struct error *error);
void options_free(struct options *options);

/* An option in words, for help, man pages and completion. */
struct option_text {
    const char *name;
    char letter;          /* 0: none */
    const char *argument; /* NULL: a flag; "yes|no": one of these words */
    const char *fallback; /* the default; NULL: none */
    const char *help;
};

/* The command's options in turn; `*at` starts as 0. False behind the last. */
bool options_next(const struct command *command, size_t *at, struct option_text *option);
/* Likewise the names of those that are there only to say why they cannot be;
 * options_next leaves these out. NULL behind the last. */
const char *options_refused(const struct command *command, size_t *at);
/* Whether an option of its own (--jars) gave that property of Spark's that value. */
bool options_made(const struct options *options, const char *name, const char *value);
#endif
