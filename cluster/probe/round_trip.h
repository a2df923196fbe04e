/* round_trip.h: one record there and back, through a topic made for it. */
#ifndef TALLY_ROUND_TRIP_H
#define TALLY_ROUND_TRIP_H

#include <stdbool.h>

#include "cluster/kafka.h"

#define ROUND_TRIP_TOPIC "tally-doctor-probe"

/* Texts are NULL until round_trip has filled them in. */
struct round_trip {
    char *address, *reason; /* reason: "" when it was well */
    bool ok;
    double produce_ms, consume_ms; /* until acknowledged; until read. -1: it did not come to that */
};

/* At `address`, with the settings; the topic is ROUND_TRIP_TOPIC and the suffix,
 * which keeps probes from several places apart. It is deleted afterwards where
 * the broker allows that. */
void round_trip(const struct kafka_settings *settings, const char *address, const char *suffix,
                struct round_trip *trip);
void round_trip_free(struct round_trip *trip);

#endif
