package com.example

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.functions.{col, window}

/** An application as people bring it: the tutorial's class name and arguments, BROKERS TOPIC CHECKPOINT; or as first
  * argument what is to become of it. */
object KafkaWordCount {
  private def session = SparkSession.builder.getOrCreate()

  private def fail(depth: Int): Unit =
    try sys.error("the root of it")
    catch { case e: RuntimeException => throw new IllegalStateException(s"what was to be done, $depth", e) }

  /** A streaming query with a watermark and state, of rows that Spark makes by itself. */
  private def stream(): Unit = {
    val spark = session
    val words = spark.readStream.format("rate").option("rowsPerSecond", 20).load()
      .select(col("timestamp"), (col("value") % 7).as("word"))
    words.withWatermark("timestamp", "2 seconds").groupBy(window(col("timestamp"), "1 second"), col("word")).count()
      .writeStream.queryName("words").outputMode("update").format("console").start().awaitTermination()
  }

  /** As the tutorial's: how often each record occurs in a topic, into the topic beside it. */
  private def count(brokers: String, topic: String, checkpoint: String): Unit =
    session.readStream.format("kafka").option("kafka.bootstrap.servers", brokers).option("subscribe", topic)
      .option("startingOffsets", "earliest").load()
      .groupBy(col("value")).count().select(col("value").as("key"), col("count").cast("string").as("value"))
      .writeStream.queryName("counts").outputMode("update").format("kafka")
      .option("kafka.bootstrap.servers", brokers).option("topic", topic + "-counts")
      .option("checkpointLocation", checkpoint).start().awaitTermination()

  def sees(name: String): Boolean = Thread.currentThread.getContextClassLoader.getResource(name) != null

  /** Where a file of a package is on the class path. */
  private def find(name: String): Unit = {
    val executor = session.sparkContext.parallelize(Seq(name), 1).map(sees).first()
    println(s"driver ${sees(name)}, executor $executor")
  }

  /** Dies three times. What is counted stands in the driver's folder, which its next start finds again. */
  private def thrice(): Unit = {
    val deaths = new java.io.File("deaths")
    val before = deaths.length
    if (before < 3) {
      val out = new java.io.FileOutputStream(deaths, true)
      out.write('x')
      out.close()
      throw new IllegalStateException(s"death ${before + 1} of 3")
    }
  }

  def main(args: Array[String]): Unit = {
    println(args.map(_.length).toList)
    args.headOption.getOrElse("stream") match {
      case "exit"   => sys.exit(args(1).toInt)
      case "throw"  => fail(1)
      case "batch"  => println(session.range(1000).selectExpr("sum(id)").collect().toList)
      case "broken" => session.range(10).rdd.map(n => 1 / (n - n)).count()
      case "loop"   => session; while (true) { println("女生 loop"); Thread.sleep(200) }
      case "kafka"  => session.readStream.format("kafka").option("subscribe", "sex").load()
      case "stream" => stream()
      case "sleep"  => session; Thread.sleep(args(1).toLong * 1000)
      case "thrice" => thrice()
      case "find"   => find(args(1))
      case brokers  => count(brokers, args(1), args(2))
    }
  }
}
