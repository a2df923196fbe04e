/* parts.h: what the server's own files share: reply.c sends one answer,
 * stream.c feeds the live clients, answer.c knows the paths, server.c owns it
 * all and talks to libwebsockets. Not for others: they use server.h. */
#ifndef TALLY_PARTS_H
#define TALLY_PARTS_H

#include <ev.h>
#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>

#include "dashboard/access_log.h"
#include "dashboard/body.h"
#include "dashboard/history_range.h"
#include "dashboard/listen.h"
#include "dashboard/metrics.h"
#include "dashboard/request.h"
#include "dashboard/server.h"
#include "dashboard/site.h"

/* What one write hands to the kernel; what does not fit there is copied by
 * libwebsockets, so this bounds a slow client's memory. */
#define CHUNK_BYTES 16384
/* An answer that is longer is made while it is sent, so much at a time: it takes
 * a millisecond, and the windows of LIMIT_HISTORY are less than that. */
#define PIECE_BYTES (1 << 20)
/* Answers made for one client each (/api/windows), all together. */
#define ANSWER_BYTES (64 << 20)

_Static_assert(BODY_ROOM >= LWS_PRE, "a body has room for a frame header");

/* One job and all its clients. */
struct channel {
    struct server *server;
    struct relay *relay;
    const struct spec *spec;
    struct history *history;
    struct body *status[TRANSPORTS]; /* this second's */
    struct metrics_latency latency;
    bool connected; /* to Kafka, as last told */
    bool gone;      /* the topic, likewise */
    bool filled;
    char edition[HISTORY_EDITION]; /* of the history, likewise */
    uint64_t update;               /* the history's last one */
    ev_timer quietness;            /* see QUIET_S */
    bool quiet;                    /* it ran out, and no news since */
    bool bare;                     /* as history_is_bare, when the clients were told */
};

enum client_kind { CLIENT_NONE, CLIENT_ANSWER, CLIENT_WS, CLIENT_SSE, CLIENT_REFUSED };

/* What libwebsockets keeps for us with a connection, zeroed by it. */
struct client {
    struct lws *wsi;
    struct server *server;
    struct channel *channel;
    struct client *next, **back; /* in server->streams */
    struct body *sending;        /* a message or an answer that takes several writes */
    size_t sent;
    union {
        uint64_t cursor;               /* of a stream */
        struct history_reader *reader; /* of an answer: what is not made yet, or NULL */
    };
    ev_io gone;              /* see client_watch and watch_first_frame */
    uint32_t snapshot_round; /* of server->round, when it last got one */
    uint32_t message;        /* what came of the client's own one, in bytes */
    uint8_t kind;
    uint8_t slot;   /* spreads the timed work over the seconds */
    uint8_t missed; /* beats without a sign of life */
    bool wants_snapshot, wants_status, wants_beat, awaits_pong, waits;
};

struct server {
    struct ev_loop *loop;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct server_config config;
    struct request_rules rules;
    char *token; /* NULL: none is asked for */
    char *cookie;
    const char *base;       /* of the paths; "" */
    struct access_log *log; /* NULL: none */
    char *url;
    struct site *site;
    struct listen_sockets sockets;
    ev_io accepts[LISTEN_SOCKETS];
    ev_timer timer;
    uint32_t tick; /* seconds */
    /* A client that is far behind gets one snapshot a round; a round ends with
     * the second, or a moment after a client had to wait for its end. */
    ev_timer round_end;
    uint32_t round;
    bool paused; /* no descriptors left: accepts again in a second */
    int descriptor_limit;
    struct channel *channels;
    size_t channel_count;
    struct client *streams;
    int counts[TRANSPORTS];
    size_t answer_bytes;
    uint64_t snapshots, refused, requests, sent_bytes;
    uint64_t dropped[TRANSPORTS];
};

/* ---- reply.c */

struct reply {
    int status;
    const char *type;  /* NULL: no body */
    struct body *body; /* the reply's own reference, or NULL */
    /* What comes behind the body, in chunks; the reply's own, or NULL. */
    struct history_reader *rest;
    struct buf headers; /* more of them, each with its line end */
    bool head;          /* asked with HEAD: the body's length, not the body */
    bool close;
    bool cut; /* close, and do not wait for a body */
};

/* Both return what the callback of libwebsockets shall return. */
int reply_send(struct client *client, struct reply *reply);
int reply_continue(struct client *client);
/* The head, and the first text of a body that has no end. */
int reply_open(struct client *client, struct reply *reply, const char *first);
/* Before an upgrade: a short one, then the end of the connection. */
int reply_refuse(struct server *server, struct lws *wsi, struct reply *reply);
/* {"error":"..."} */
struct reply reply_error(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes a piece of the body that `sending` holds; 1 when that was the last. */
int client_send_piece(struct client *client);
/* Closes the connection as soon as its peer is gone. */
void client_watch(struct client *client);
/* Forgets all that hangs on a client; may be called again. */
void client_end(struct client *client);

/* ---- stream.c */

bool stream_full(const struct server *server);
/* Both own nothing; called once, and once at the end. */
void stream_start(struct channel *channel);
void stream_stop(struct channel *channel);
/* `last`: the id to resume after, or NULL; `edition`: the one it is of, or NULL: not told. */
void stream_open(struct client *client, struct channel *channel, const char *last,
                 const char *edition, enum transport transport);
int stream_write(struct client *client);
void stream_alive(struct client *client);
/* Sends a WebSocket's client away with a close code, and reads no more of what
 * it says; returns what the callback of libwebsockets shall return. */
int stream_refuse(struct client *client, enum lws_close_status code);
/* The same where it is libwebsockets that ends the connection, and has a code. */
void stream_say_why(struct client *client);
/* The channel's history or connection changed. */
void stream_changed(struct channel *channel);
/* Once a second. */
void stream_tick(struct server *server);
/* A new round of snapshots. */
void stream_round(struct server *server);
void stream_write_status(struct channel *channel, struct buf *buf);
void stream_say_goodbye(struct server *server);

/* ---- metrics.c */

void metrics_write(const struct server *server, struct buf *buf);

/* ---- answer.c */

int answer_http(struct client *client, struct lws *wsi);
/* 0: let it become a WebSocket. */
int answer_upgrade(struct server *server, struct lws *wsi);
/* Opens the stream of a WebSocket that answer_upgrade let through. */
int answer_websocket(struct client *client, struct lws *wsi);

#endif
