#include "cluster/spark_streaming.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

/* APP.driver.spark.streaming.QUERY.GAUGE: both names may hold dots. */
#define STREAMING ".spark.streaming."
#define LARGEST   9e15 /* what a double holds to the unit */

/* A batch of no duration has a rate that is not a number. */
static double value_of(const json_t *gauge)
{
    double value = json_number_value(json_object_get(gauge, "value"));

    return isfinite(value) && value >= 0 && value <= LARGEST ? value : 0;
}

static void take_gauge(struct spark_streaming *streaming, const char *gauge, double value)
{
    if (strcmp(gauge, "inputRate-total") == 0) {
        streaming->queries++;
        streaming->input_rate += value;
    } else if (strcmp(gauge, "processingRate-total") == 0) {
        streaming->processing_rate += value;
    } else if (strcmp(gauge, "latency") == 0 && (int64_t)value > streaming->batch_ms) {
        streaming->batch_ms = (int64_t)value;
    } else if (strcmp(gauge, "states-rowsTotal") == 0) {
        streaming->state_rows += (int64_t)value;
    } else if (strcmp(gauge, "eventTime-watermark") == 0 && value > 0 &&
               (streaming->watermark == 0 || (int64_t)value < streaming->watermark)) {
        streaming->watermark = (int64_t)value;
    }
}

bool spark_streaming_read(const char *bytes, size_t length, const char *app_id,
                          struct spark_streaming *streaming)
{
    json_t *root = bytes ? json_loadb(bytes, length, 0, NULL) : NULL;
    json_t *gauges = json_object_get(root, "gauges");
    size_t prefix = strlen(app_id);
    bool found = false;
    const char *name;
    json_t *gauge;

    *streaming = (struct spark_streaming){0};
    json_object_foreach(gauges, name, gauge)
    {
        const char *dot = strrchr(name, '.');
        if (strncmp(name, app_id, prefix) != 0 || name[prefix] != '.')
            continue;
        found = true;
        if (strstr(name, STREAMING) && dot)
            take_gauge(streaming, dot + 1, value_of(gauge));
    }
    json_decref(root);
    return found;
}
