/* spark_streaming.h: how the streaming queries of an application go, by the
 * gauges on its driver's page (/metrics/json/, MetricsReporter.scala). They are
 * there with spark.sql.streaming.metricsEnabled=true. Bytes in, a record out. */
#ifndef TALLY_SPARK_STREAMING_H
#define TALLY_SPARK_STREAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of several queries: the sums, the longest batch, the smallest watermark. */
struct spark_streaming {
    int queries;
    double input_rate, processing_rate; /* rows a second, of the last batch */
    int64_t batch_ms;
    int64_t watermark; /* ms since the epoch; 0: none yet */
    int64_t state_rows;
};

/* False when the bytes are not that application's page; `queries` is 0 when there is no streaming.
 */
bool spark_streaming_read(const char *bytes, size_t length, const char *app_id,
                          struct spark_streaming *streaming);

#endif
