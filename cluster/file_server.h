/* file_server.h: a few files of this machine over HTTP, to those who know
 * their URLs: each has 128 random bits in it. GET and HEAD of exactly these;
 * anything else is 404. It runs in a thread of its own, so that its owner may
 * wait for other things meanwhile. */
#ifndef TALLY_FILE_SERVER_H
#define TALLY_FILE_SERVER_H

#include <stddef.h>

#include "cluster/base/error.h"

struct file_server;

/* Listens on one address of this machine, which also stands in the URLs: a
 * host name or an IP address (IPv6 without brackets), not "all of them".
 * `port` 0: any free one. EXIT_USAGE when that is no address of this machine,
 * EXIT_REFUSED when it cannot be used. Free with file_server_close. */
struct file_server *file_server_open(const char *address, int port, struct error *error);
/* Offers the file; its URL, or NULL (EXIT_INPUT). The file stays open: it is
 * served even when its name is gone. The URL ends in the file's name, where
 * characters that mean something in URLs or in Spark's lists are '_'. It
 * belongs to the server. */
const char *file_server_add(struct file_server *server, const char *path, struct error *error);
/* How often the file of that URL has been fetched whole; `*peer` is who did it
 * last, "" while nobody has. */
int file_server_fetches(struct file_server *server, const char *url, char peer[64]);
/* Ends the thread and whatever it is sending. NULL is fine. */
void file_server_close(struct file_server *server);

/* Of a request's bytes so far. */
enum file_request { FILE_REQUEST_MORE, FILE_REQUEST_GET, FILE_REQUEST_HEAD, FILE_REQUEST_OTHER };

/* `*path` points into the bytes; with GET and HEAD only. */
enum file_request file_request_read(const char *bytes, size_t length, const char **path,
                                    size_t *path_length);

#endif
