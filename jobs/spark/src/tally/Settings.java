package tally;

import org.apache.spark.SparkConf;

/** Spark's settings. What the submitter gives wins, except for what correct counts need. */
final class Settings {
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
    };

    private Settings() {
    }

    static SparkConf of(Spec spec) {
        SparkConf conf = new SparkConf();

        conf.setIfMissing("spark.app.name", "tally-" + spec.name);
        for (String[] each : DEFAULTS) {
            conf.setIfMissing(each[0], each[1]);
        }
        conf.set("spark.sql.session.timeZone", "UTC"); // windows are aligned to the epoch
        return conf;
    }
}
