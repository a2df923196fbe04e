/* limits.h: every size that comes from outside has its bound here, by name.
 *
 * A limit is a promise about memory: nothing below grows with the input, with
 * time or with the number of slow readers. Each has a test. */
#ifndef TALLY_LIMITS_H
#define TALLY_LIMITS_H

#include "cluster/base/limits_compose.h"

/* CSV: a row longer than this, or one that spans more lines, is rejected. */
#define LIMIT_CSV_ROW       65536
#define LIMIT_CSV_ROW_LINES 100
#define LIMIT_CSV_COLUMNS   4096

/* Job specs. */
#define LIMIT_SPEC_BYTES  (1 << 20)
#define LIMIT_SPEC_DEPTH  16
#define LIMIT_LABELS      20000
#define LIMIT_NAME        64
#define LIMIT_FIELD       256
#define LIMIT_WINDOW_MS   (7LL * 24 * 3600 * 1000)
#define LIMIT_LATENESS_MS (365LL * 24 * 3600 * 1000)
/* (size + lateness) / slide x series: the cells that open windows may take. */
#define LIMIT_OPEN_CELLS (1 << 20)

/* Event times, in ms since the epoch: up to the year 9999. */
#define LIMIT_TIME_MS 253402300799999LL

/* Kafka. */
#define LIMIT_PARTITIONS   1024
#define LIMIT_RECORD_BYTES (1 << 20)
#define LIMIT_JSON_DEPTH   64
/* Result records sent and not yet acknowledged; more wait in their windows. */
#define LIMIT_UNACKNOWLEDGED 10000
/* Records one turn of the loop takes at a time. */
#define LIMIT_BATCH 512
/* Read ahead from all partitions together, and in one fetch, of a result topic and of the local
 * engine's source: records (librdkafka takes 300 bytes for each), values in units of 1000 bytes,
 * and bytes as they were compressed. One fetch from each broker may lie above. */
#define LIMIT_QUEUE_RECORDS      20000
#define LIMIT_QUEUE_KILOBYTES    2048
#define LIMIT_FETCH_BYTES        524288
#define LIMIT_FETCHED_RECORDS    100000
#define LIMIT_FETCHED_KILOBYTES  16384
#define LIMIT_ENGINE_FETCH_BYTES 131072
/* Records, of 24 bytes, that wait for a partition behind theirs. */
#define LIMIT_WAITING (1 << 20)
/* The in-process broker keeps 5 MiB a partition: what is fed or counted ahead
 * of its reader stays well below. */
#define LIMIT_AHEAD_RECORDS 10000
#define LIMIT_AHEAD_BYTES   (1 << 20)

/* The live server. */
#define LIMIT_HISTORY  3600 /* windows kept of a job, unless --history says more */
#define LIMIT_SNAPSHOT 600
/* --history: windows x series of a job. A window takes some 150 bytes and 8 a series. */
#define LIMIT_HISTORY_CELLS (1 << 20)
/* Of results that carry no window: values that one point may have beside those of the job. */
#define LIMIT_POINT_VALUES 64
#define LIMIT_POINT_COUNT  100000000000000LL
#define LIMIT_CLIENTS      20000
#define LIMIT_BEHIND       64
#define LIMIT_JOBS         16
#define LIMIT_HTTP_LINE    4096
#define LIMIT_CLIENT_FRAME 65536 /* of a WebSocket's client */
/* A Spark master is asked this often for what the page shows of it. */
#define SPARK_PANEL_MS 2000

/* Spark. An answer of its REST API or its page, with 200 drivers and as many
 * applications in it, takes some 100 kB. */
#define LIMIT_MASTERS      8
#define LIMIT_ANSWER_BYTES (8 << 20)
#define LIMIT_CONF_BYTES   (1 << 20)
#define LIMIT_URL_BYTES    512
#define LIMIT_KEY_BYTES    1024 /* of a JWS key */
/* Linux's MAX_ARG_STRLEN (32 pages), which bounds each argument and each -D of
 * the driver's command line, the NUL included. */
#define LIMIT_ARGUMENT_BYTES (131072 - 1)
/* Of a driver's log, in one request; the worker gives 1 MiB at most. */
#define LIMIT_LOG_PAGE 262144
#define LIMIT_LOG_LINE 16384

/* The Docker engine: its list of containers; of a file out of one so much at its
 * end; tar's blocks before it. */
#define LIMIT_DOCKER_ANSWER (8 << 20)
#define LIMIT_DOCKER_FILE   (16 << 20)
#define LIMIT_DOCKER_HEAD   65536

/* The live probe of listeners: an answer of Kafka's, the nodes in it, the length
 * of a host's name; addresses looked at from one place, and places; this program
 * with its libraries, as an image. */
#define LIMIT_PROBE_ANSWER    (1 << 20)
#define LIMIT_PROBE_NODES     256
#define LIMIT_HOST            255
#define LIMIT_PROBE_ENDPOINTS 64
#define LIMIT_PROBE_NETWORKS  16
#define LIMIT_DOCKER_IMAGE    (512 << 20)

/* Files served to workers: how many, to how many at once, and the longest
 * request for one. */
#define LIMIT_SERVED_FILES   64
#define LIMIT_SERVED_CLIENTS 64
#define LIMIT_SERVED_REQUEST 8192

/* A local jar: its directory (some 100 bytes an entry), and of its entries the
 * manifest and class files that are looked into, unpacked. */
#define LIMIT_JAR_DIRECTORY (64 << 20)
#define LIMIT_JAR_ENTRY     (1 << 20)
#define LIMIT_JAR_CLASSES   64

/* Events in time. */
#define EMIT_EVERY_MS     100
#define COMMIT_EVERY_MS   1000
#define IDLE_PARTITION_MS 5000

/* HTTP to Spark: to connect; in all. */
#define HTTP_CONNECT_MS 3000
#define HTTP_TOTAL_MS   15000

#endif
