/* start.h: what the files of start-up rules share. */
#ifndef TALLY_DOCTOR_START_H
#define TALLY_DOCTOR_START_H

#include "cluster/doctor/edit.h"
#include "cluster/doctor/image_parts.h"
#include "cluster/doctor/rules.h"

/* Runs `check` for each broker whose configuration can be read. Redpanda is
 * left out: it has none of Kafka's start-up rules. */
void each_broker(struct diagnosis *diagnosis,
                 void (*check)(struct diagnosis *diagnosis, const struct broker *broker));
/* What nobody gave is known, too: it is the image's or Kafka's default. */
bool whole(const struct broker *broker);
/* A value that depends on nothing unset; NULL is one. */
bool certain(const struct property *property);
/* Both lists of listeners are of Kafka's form, and certain. */
bool readable(const struct broker *broker);
/* A value that only this service has, and that can be changed in its place. */
bool own_value(const struct property *property);
/* The property's text; "" if there is none. */
const char *property_text(const struct broker *broker, const char *name);
/* KAFKA_ADVERTISED_LISTENERS or KAFKA_CFG_...: as the image calls it, or as it stands in the file.
 * Until the next call. */
const char *variable_name(const struct broker *broker, const char *property);
/* Where to point: the property's value, or the service. */
const struct place *place_of(const struct broker *broker, const char *property);
/* One of Kafka's four. */
bool is_protocol(const char *name);
bool in_list(char *const *list, const char *item);
/* Puts `item` behind the property's list, or makes the variable with `otherwise`. */
bool edit_append(struct finding *finding, const struct broker *broker, const char *property,
                 const char *item, const char *otherwise);
/* NAME://service:port of each listener that is for clients; free it. */
char *advertise_all(const struct broker *broker);
/* A port that none of the broker's listeners has. */
int free_port(const struct broker *broker, int from);

#endif
