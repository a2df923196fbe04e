/* engine_parts.h: what the engine's files share: its state, and the parts that
 * fetch (engine_fetch.c), read and count (engine_source.c), send and commit
 * (engine_sink.c). For them only. */
#ifndef TALLY_ENGINE_PARTS_H
#define TALLY_ENGINE_PARTS_H

#include "cluster/consumer_queue.h"
#include "cluster/wake.h"
#include "jobs/engine.h"
#include "jobs/extract.h"
#include "jobs/labels.h"
#include "jobs/pace.h"
#include "jobs/windows.h"

#define NO_TIME INT64_MIN

/* A record that was read and has to wait until some window is closed. */
struct waiting {
    int64_t time, offset;
    uint32_t series;
};

/* One partition of the source topic. */
struct source {
    int64_t position;        /* the next offset to count */
    int64_t read;            /* the next offset to read; what lies between the two is waiting */
    struct waiting *waiting; /* a ring of waiting_room() of them; NULL before the first */
    size_t waiting_first, waiting_count;
    int64_t target;      /* engine_finish: the end as it was then */
    int64_t largest;     /* event time seen, or NO_TIME */
    int64_t quiet_since; /* monotonic ms */
    int64_t committed;
    int32_t broker; /* that its last record came from; -1: none came */
    bool at_end;    /* the broker has said so, and nothing came since */
    bool aside;     /* no room for more that waits: not fetched until it is counted */
    bool left_out;  /* of the watermark: at its end and idle */
};

struct engine {
    struct ev_loop *loop;
    const struct kafka_settings *settings;
    const struct spec *spec;
    struct engine_options options;
    struct wake wake;
    ev_timer tick, updates;

    rd_kafka_t *consumer, *producer;
    rd_kafka_topic_t *source_topic, *sink_topic;
    rd_kafka_queue_t *commits; /* their outcomes */
    rd_kafka_queue_t *consumer_events, *producer_events;
    struct consumer_queue records; /* of all partitions: its bounds hold for them together */
    rd_kafka_message_t *batch[LIMIT_BATCH]; /* taken from it, not yet read */
    size_t batch_at, batch_count;
    struct source *sources;
    int32_t source_count;
    const struct source *slowest; /* whose largest time is the smallest; NULL: not known */
    int64_t next_slowest;         /* no other's is smaller than this */
    bool *live;                   /* a partition: its leader answers */
    bool connected;
    int missing;         /* statistics in a row that did not find the topic */
    int64_t last_record; /* monotonic ms; of any partition */
    int64_t now;         /* of the batch that is counted: monotonic ms, and ... */
    int64_t now_wall;    /* ... since the epoch */

    struct windows *windows;
    struct labels labels;
    struct extract *extract;
    struct record_writer *writer;
    struct buf key, value;
    int64_t restored; /* the committed watermark, or NO_WATERMARK */

    struct window *closed, **closed_end; /* closed, in order, not yet acknowledged */
    size_t unacknowledged;               /* records sent */
    struct pace pace;                    /* of the updates */
    int64_t hurried_at; /* monotonic ms of the last that did not wait for their turn */
    bool changed;       /* some open window since then */
    int64_t commit_at;
    int64_t committed_watermark;
    bool committing;

    bool finishing, stopping, ended;
    struct engine_stats stats;
    struct error error;
};

/* Ends the engine with engine->error; the loop hears of it in on_end. */
void engine_fail(struct engine *engine);

/* engine_source.c */
int source_open(struct engine *engine, struct error *error);
/* Counts a bounded amount; true when there is more to do now. */
bool source_turn(struct engine *engine);
/* Leaves idle partitions out of the watermark. Called now and then. */
void source_look_for_idle(struct engine *engine);
void source_take_statistics(void *context, const char *json, size_t length);
/* True when every partition has been counted up to its target. */
bool source_is_done(const struct engine *engine);
void source_close(struct engine *engine);

/* engine_fetch.c */
/* Begins to fetch every partition, from its `read`. */
int fetch_start(struct engine *engine, struct error *error);
/* Takes the next messages, of any partitions, into engine->batch; false: there are none now. */
bool fetch_batch(struct engine *engine);
/* Fetches no more of a partition, from its `read` on, until nothing of it waits. */
void fetch_set_aside(struct engine *engine, struct source *source);
void fetch_close(struct engine *engine);

/* engine_sink.c */
int sink_open(struct engine *engine, struct error *error);
/* True while no more may be sent before some is acknowledged. */
bool sink_is_full(const struct engine *engine);
/* Sends the records of windows that the watermark has closed (`all`: of all). */
void sink_send_closed(struct engine *engine, bool all);
/* Sends the windows that changed, if the last updates are long enough ago, or if one of those
 * windows has ended (or `now`). */
void sink_send_changed(struct engine *engine, bool now);
/* Commits what is safe, if it is time (or `now`) and it differs from the last. */
void sink_commit(struct engine *engine, bool now);
void sink_take_outcomes(struct engine *engine);
void sink_close(struct engine *engine);

#endif
