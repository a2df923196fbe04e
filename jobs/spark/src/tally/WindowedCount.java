package tally;

import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.StreamingQuery;
import org.apache.spark.sql.streaming.StreamingQueryException;

import java.util.concurrent.TimeoutException;

/**
 * Counts a Kafka topic's records per window of event time and series: a job spec as Spark Structured
 * Streaming.
 */
public final class WindowedCount {
    private WindowedCount() {
    }

    public static void main(String[] argv) {
        int code;

        try {
            code = run(Arguments.parse(argv));
        } catch (JobError e) {
            Say.error(e.getMessage());
            code = e.code;
        } catch (RuntimeException e) {
            Say.error("the job could not be run: " + e);
            e.printStackTrace();
            code = JobError.FAILED;
        }
        Ending.exit(code);
    }

    private static int run(Arguments arguments) {
        Spec spec = Spec.parse(arguments.spec);
        Settings settings = new Settings(spec);
        TopicDescription source = prepare(arguments, spec, settings.conf());
        SparkSession spark = SparkSession.builder().config(settings.conf()).getOrCreate();
        Classify.Rejects rejects = rejects(spark.sparkContext());
        Progress progress = new Progress(spec, rejects);

        spark.streams().addListener(progress);
        try {
            boolean onePartition = source.partitions().size() == 1;
            StreamingQuery query = new Query(spark, settings, arguments, spec, onePartition).start(rejects);
            Ending.stopAtSignal(query, progress);
            Say.line("job " + spec.name + " counts topic '" + spec.topic + "' into '" + spec.sink + "'");
            query.awaitTermination();
        } catch (StreamingQueryException | TimeoutException | RuntimeException e) {
            throw Failure.of(e, arguments, spec);
        } finally {
            Ending.finish(spark, progress);
        }
        return 0;
    }

    /** All that can be refused is refused here, before there is an application. */
    private static TopicDescription prepare(Arguments arguments, Spec spec, SparkConf conf) {
        Configurator.setLevel("org.apache.kafka", Level.WARN); // it lists its settings in a hundred lines
        try (Topics topics = new Topics(arguments.brokers)) {
            TopicDescription source = topics.source(spec.topic);
            new Checkpoint(arguments.checkpoint, SparkHadoopUtil.get().newConfiguration(conf))
                    .claim(spec, source.topicId().toString());
            topics.makeSink(spec.sink);
            return source;
        }
    }

    private static Classify.Rejects rejects(SparkContext context) {
        return new Classify.Rejects(context.longAccumulator("rejected: format"),
                context.longAccumulator("rejected: time"), context.longAccumulator("rejected: future"));
    }
}
