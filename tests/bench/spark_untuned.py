"""The gender job as one writes it for Spark at first: the same counts and the same records, and no setting but those that
the line gives. Run by a driver on the cluster.

usage: spark_untuned.py BROKERS SOURCE SINK CHECKPOINT append|update
"""

import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, concat_ws, count, lit, struct, to_json, unix_millis, when, window

LABELS = {"female": ["0"], "male": ["1"], "unknown": ["2", "", "NULL"]}


def main(brokers, source, sink, checkpoint, mode):
    spark = SparkSession.builder.getOrCreate()
    kafka = {"kafka.bootstrap.servers": brokers}
    records = (spark.readStream.format("kafka").options(**kafka, subscribe=source, startingOffsets="earliest").load()
               .select(col("timestamp"), col("value").cast("string"))
               .withWatermark("timestamp", "1 second"))
    known = [value for values in LABELS.values() for value in values]
    series = [count(when(col("value").isin(values), 1)).alias(name) for name, values in LABELS.items()]
    other = count(when(~col("value").isin(known), 1)).alias("other")
    counts = records.groupBy(window("timestamp", "1 second")).agg(count(lit(1)).alias("total"), *series, other)
    start, end = unix_millis("window.start"), unix_millis("window.end")
    value = struct(lit("gender").alias("job"), start.alias("start"), end.alias("end"),
                   struct(*LABELS, "other").alias("counts"), "total")
    (counts.select(concat_ws("/", lit("gender"), start).alias("key"), to_json(value).alias("value"))
     .writeStream.queryName("gender").format("kafka").options(**kafka, topic=sink, checkpointLocation=checkpoint)
     .outputMode(mode).start().awaitTermination())


if __name__ == "__main__":
    main(*sys.argv[1:])
