package tally;

import org.apache.hadoop.util.ShutdownHookManager;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.StreamingQuery;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** How the process ends: by itself, or at SIGTERM within the 10 s a Spark worker gives it before SIGKILL. */
final class Ending {
    /** Spark's own hooks, which stop its context, stand at FileSystem.SHUTDOWN_HOOK_PRIORITY + 30, 40. */
    private static final int BEFORE_SPARK = 100;
    private static final int LAST = 0;
    private static final long BATCH_PATIENCE_MS = 3000;

    /** The end is under way, by itself or by a signal. */
    private static volatile boolean ending;

    private Ending() {
    }

    static void exit(int code) {
        ending = true;
        System.exit(code);
    }

    /** Ends the application, and says what was not counted. */
    static void finish(SparkSession spark, Progress progress) {
        if (ending) {
            return; // the hook does it
        }
        spark.stop(); // which brings the last batch's figures to the listener
        progress.end();
    }

    /**
     * SIGTERM and SIGINT run the hooks, in the order of their priorities, highest first. The JVM's exit code
     * stays 143 or 130: of a driver that ends with 0 when it is killed, the worker would say FINISHED.
     */
    static void stopAtSignal(StreamingQuery query, Progress progress) {
        ShutdownHookManager hooks = ShutdownHookManager.get();

        hooks.addShutdownHook(() -> stop(query, progress), BEFORE_SPARK);
        hooks.addShutdownHook(progress::end, LAST);
    }

    private static void stop(StreamingQuery query, Progress progress) {
        if (ending) {
            return;
        }
        ending = true;
        awaitBatch(query);
        try {
            query.stop();
        } catch (TimeoutException e) {
            Say.line("the batch under way does not stop; it will be counted again");
        }
    }

    /** A batch stopped midway would be counted again, and fill the log with the traces of its tasks. */
    private static void awaitBatch(StreamingQuery query) {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(BATCH_PATIENCE_MS);

        while (query.status().isTriggerActive() && System.nanoTime() < until) {
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                return;
            }
        }
    }
}
