/* fix.h: how findings are corrected in the file: an address, an item of a
 * list, a listener more. An edit is made only where the text stands in the
 * file as it was read, and nobody else shares it. */
#ifndef TALLY_DOCTOR_FIX_H
#define TALLY_DOCTOR_FIX_H

#include "cluster/doctor/finding.h"
#include "cluster/doctor/reach.h"

/* The place of `length` bytes at `offset` of a value. False, with the value's
 * own place, if they do not stand there as such (a variable put them in). */
bool fix_place(const struct compose_text *value, size_t offset, size_t length, struct place *place);
struct place fix_endpoint_place(const struct endpoint *endpoint);

/* Somebody wrote this list; no default, nor another's copy. */
bool fix_is_given(const struct endpoints *endpoints, const char *property);

/* Some finding already changes bytes within. */
bool fix_taken(const struct diagnosis *diagnosis, const struct place *place);
/* Takes `text`, frees it if there can be no edit. */
bool fix_replace(const struct diagnosis *diagnosis, struct finding *finding,
                 const struct place *place, char *text);

/* Another container's port behind a published one: "9092:9092" -> "9092:29092". */
bool fix_target(const struct diagnosis *diagnosis, struct finding *finding,
                const struct compose_port *port, int target);
/* Another port of the host. */
bool fix_published(const struct diagnosis *diagnosis, struct finding *finding,
                   const struct compose_port *port, int published);
/* "9092" -> "9092:9092". */
bool fix_ephemeral(const struct diagnosis *diagnosis, struct finding *finding,
                   const struct compose_port *port, int published);
bool fix_published_possible(const struct compose_port *port);

/* Removes the line of a list's item, if it has one to itself. */
bool fix_remove_item(const struct diagnosis *diagnosis, struct finding *finding,
                     const struct place *place);
/* Lines more, each with its own indent, none at the end of the last. Takes `lines`. */
bool fix_lines(struct finding *finding, const struct compose_gap *gap, char *lines);

/* The file has the variable, or an edit adds it. */
bool fix_has_variable(const struct diagnosis *diagnosis, const struct compose_service *service,
                      const char *name);

/* Makes a listener the containers' own (advertised by the service's name), and
 * where a port of the host leads to it, adds another for the host. Says so as
 * the finding's fix. False: there is no edit, only the words. */
bool fix_listener(const struct diagnosis *diagnosis, const struct reach *reach,
                  struct finding *finding, const struct broker *broker, const char *name);

#endif
