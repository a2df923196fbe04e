package tally;

import org.apache.spark.SparkConf;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Spark's settings, and the query's own, which stand beside them as spark.tally.*: all come from the spec's
 * spark.conf. What the submitter gives wins, except for what correct counts need.
 */
final class Settings {
    private static final String TRIGGER = "spark.tally.trigger";
    /** An option of Spark's Kafka source follows: Kafka's own begin with kafka. */
    private static final String SOURCE = "spark.tally.source.";
    private static final String SINK = "spark.tally.sink.";

    /**
     * Name, value; what the submitter gives wins. Effects: window end to last total in Kafka and the batch's
     * length, medians at 10 records/s with windows of a second, on two cores, each with those above it.
     */
    private static final String[][] DEFAULTS = {
        // 200 state stores by default. The checkpoint keeps the number it began with.
        {"spark.sql.shuffle.partitions", "1"},
        // Makes its files without starting processes: batches of 230 ms instead of 400.
        {"spark.hadoop.fs.AbstractFileSystem.file.impl", CheckpointFs.class.getName()},
        // Update mode has nothing to say in a batch without records; old state goes with the next one.
        {"spark.sql.streaming.noDataMicroBatches.enabled", "false"},
        // A task waits 3 s for the executor that had its state; fetching that costs less.
        {"spark.locality.wait", "0s"},
        // Streaming switches it off by itself, with two warnings.
        {"spark.sql.adaptive.enabled", "false"},
        // Rates, latency and watermark by the query's name in the driver's /metrics/json.
        {"spark.sql.streaming.metricsEnabled", "true"},
        // The worker sends SIGKILL 10 s after SIGTERM.
        {"spark.sql.streaming.stopTimeout", "3000"},
        // What the driver remembers for its page: a thousand of each of many small jobs need not fit in 512m.
        {"spark.ui.retainedJobs", "100"},
        {"spark.ui.retainedStages", "100"},
        {"spark.ui.retainedTasks", "1000"},
        {"spark.sql.ui.retainedExecutions", "20"},
        {"spark.log.level", "WARN"},
        // In ms, between two batches' starts; 0: the next begins when the last is done.
        {TRIGGER, "0"},
        // Spark's reader asks for the partition's ends behind every fetch, and a broker answers one request a
        // connection at a time: what the consumer has fetched ahead would hold that answer up to half a
        // second, or until the next record. Nothing polls between batches: this makes no busy loop.
        {SOURCE + "kafka.fetch.max.wait.ms", "1"},
        {SINK + "kafka.linger.ms", "0"},
    };

    private final SparkConf conf = new SparkConf();

    Settings(Spec spec) {
        conf.setIfMissing("spark.app.name", "tally-" + spec.name);
        for (String[] each : DEFAULTS) {
            conf.setIfMissing(each[0], each[1]);
        }
        conf.set("spark.sql.session.timeZone", "UTC"); // windows are aligned to the epoch
        if (!conf.get(TRIGGER).matches("[0-9]{1,15}")) {
            throw new JobError(JobError.USAGE,
                    TRIGGER + " takes milliseconds, not '" + conf.get(TRIGGER) + "'");
        }
    }

    SparkConf conf() {
        return conf;
    }

    /** In ms. */
    long trigger() {
        return Long.parseLong(conf.get(TRIGGER));
    }

    /** Options of the query's source. */
    Map<String, String> source() {
        return options(SOURCE);
    }

    /** Options of the query's sink. */
    Map<String, String> sink() {
        return options(SINK);
    }

    private Map<String, String> options(String prefix) {
        return Arrays.stream(conf.getAllWithPrefix(prefix))
                .collect(Collectors.toMap(each -> each._1, each -> each._2));
    }
}
