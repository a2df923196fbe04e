/* limits_compose.h: the page of limits.h for compose files and the listener
 * doctor: the same promise. */
#ifndef TALLY_LIMITS_COMPOSE_H
#define TALLY_LIMITS_COMPOSE_H

/* The listener doctor: corrections of corrections, and how far a difference is
 * looked along for equal lines. */
#define LIMIT_FIX_ROUNDS 8
#define LIMIT_DIFF_LINES 1000
/* Bytes of a value in which an item is looked for, where the file writes it in another way. */
#define LIMIT_FIX_BYTES 16384

/* Compose files. All files of a project together, how deep lists and mappings
 * go, values in a file, and what aliases and merge keys may make of them. */
#define LIMIT_COMPOSE_BYTES    (4 << 20)
#define LIMIT_COMPOSE_FILES    256
#define LIMIT_COMPOSE_DEPTH    64
#define LIMIT_COMPOSE_NODES    250000
#define LIMIT_COMPOSE_VISITS   500000
#define LIMIT_COMPOSE_SERVICES 2048
#define LIMIT_COMPOSE_EXTENDS  64 /* one of another of another ... */
#define LIMIT_COMPOSE_PORTS    65536
#define LIMIT_COMPOSE_UNKNOWN  1000
/* A value with its variables replaced, as long as an argument may be; defaults in defaults. */
#define LIMIT_COMPOSE_VALUE    131072
#define LIMIT_COMPOSE_DEFAULTS 16
#define LIMIT_ENV_FILE_BYTES   (1 << 20)
#define LIMIT_DOCKERFILE_BYTES (1 << 20)

/* A broker of a compose file: its properties, and the items of each of their
 * lists; what is beyond is not looked at. */
#define LIMIT_PROPERTIES 2000
#define LIMIT_LISTENERS  200
/* Addresses that clients are given, of all services; what is beyond is not looked at. */
#define LIMIT_CLIENT_ADDRESSES 2000
/* Bytes of one of Redpanda's lists before another flag of that name. */
#define LIMIT_ADDRESSES      8192
#define LIMIT_REDPANDA_BYTES 65536 /* of redpanda.yaml */

#endif
