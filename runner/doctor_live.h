/* doctor_live.h: `tally doctor --live`: Kafka's addresses tried from this
 * machine and from inside the Docker networks of its brokers. */
#ifndef TALLY_DOCTOR_LIVE_H
#define TALLY_DOCTOR_LIVE_H

#include "cluster/doctor/finding.h"
#include "runner/options.h"

/* `addresses`: bootstrap servers, each "HOST:PORT[,...]"; none: the published
 * ports of the brokers that run in Docker, or else localhost:9092. `diagnosis`:
 * of the compose file at hand, to name the line to change; NULL: the files that
 * the containers' labels tell are searched. Prints a table and the causes, or JSON
 * (--json; docs/json.md). EXIT_FAILED: something is broken; EXIT_UNREACHABLE:
 * nothing answers anywhere. Of the options: json, from, round_trip, kafka. */
int doctor_live(const struct options *options, const char *const *addresses,
                const struct diagnosis *diagnosis, struct error *error);

#endif
