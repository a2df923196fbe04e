/* room.h: the cores and the memory that a cluster has free, and for what. */
#ifndef TALLY_ROOM_H
#define TALLY_ROOM_H

#include "cluster/base/buf.h"
#include "cluster/spark_conf.h"
#include "cluster/spark_state.h"

/* What a submission asks for, as a standalone master counts it: no overhead is
 * added to either memory; a worker takes a driver or an executor when it is ALIVE
 * and has its cores and its memory free, an executor those of
 * spark.executor.cores, or 1 (Master.scala, canLaunch and canLaunchExecutor,
 * 4.0; StandaloneRestServer.scala). */
struct demand {
    int64_t driver_cores, driver_memory;     /* memory in MiB */
    int64_t executor_cores, executor_memory; /* the least that one executor needs */
    int64_t most_cores;                      /* of all executors; INT64_MAX: no bound */
    bool waits; /* for what is not free: --no-preflight; not in a submission's settings */
};

struct demand demand_of(const struct spark_conf *conf);

/* "512 of 3072 MiB and 0 of 4 cores on HOST, ...": the living workers, a few of them. */
void describe_room(const struct spark_state *state, struct buf *text);
/* Whether an executor could ever start, whatever is free: EXIT_REFUSED when one
 * takes more cores than all may (Master.scala, startExecutorsOnWorkers). */
int check_executor(const struct demand *demand, struct error *error);
/* Whether driver and one executor can start now, with what the workers have free:
 * EXIT_REFUSED with what is asked, what is free, and who holds the rest. */
int check_room(const struct spark_state *state, const struct demand *demand, struct error *error);

#endif
