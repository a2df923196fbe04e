"""Makes an archive of the classes that a driver, an executor, a master and a worker load, for Java to map instead of reading
and checking them at every start. A cluster in one process runs a query of the kind that runs here; Java writes the archive
when it ends (-XX:ArchiveClassesAtExit, see the Dockerfile)."""

import time

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, count, lit, struct, to_json, when, window

# Of Kafka's classes those that are there before a broker answers: none does.
NO_BROKER = {"kafka.bootstrap.servers": "127.0.0.1:1", "kafka.default.api.timeout.ms": "1000",
             "kafka.request.timeout.ms": "1000", "kafka.max.block.ms": "1000"}

spark = SparkSession.builder.config("spark.sql.shuffle.partitions", "1").getOrCreate()
rows = spark.readStream.format("rate").option("rowsPerSecond", 10).load().withWatermark("timestamp", "1 second")
counts = (rows.groupBy(window("timestamp", "1 second")).agg(count(lit(1)).alias("total"),
                                                           count(when(col("value") > 5, 1)).alias("more"))
          .select(col("window.start").cast("string").alias("key"), to_json(struct("total", "more")).alias("value")))
query = counts.writeStream.format("memory").queryName("counts").outputMode("update").start()
while query.isActive and len(query.recentProgress) < 5:
    time.sleep(0.1)
query.stop()
for use in (lambda: spark.read.format("kafka").options(**NO_BROKER, subscribe="x").load().count(),
            lambda: spark.range(1).selectExpr("'' value").write.format("kafka")
            .options(**NO_BROKER, topic="x").save()):
    try:
        use()
    except (PySparkException, Py4JJavaError):
        pass
spark.stop()
