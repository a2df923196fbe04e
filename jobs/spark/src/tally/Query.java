package tally;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.current_timestamp;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.unix_millis;
import static org.apache.spark.sql.functions.when;
import static org.apache.spark.sql.functions.window;

import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.DataStreamReader;
import org.apache.spark.sql.streaming.OutputMode;
import org.apache.spark.sql.streaming.StreamingQuery;
import org.apache.spark.sql.streaming.Trigger;
import org.apache.spark.sql.types.DataTypes;

import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;

/** The streaming query: Kafka's records in, one row a window, Kafka's records out. */
final class Query {
    private static final String SERIES = "series";
    private static final String TIME = "timestamp";

    private final SparkSession spark;
    private final Settings settings;
    private final Arguments arguments;
    private final Spec spec;
    private final boolean onePartition;

    /** `onePartition`: the source topic has no more. */
    Query(SparkSession spark, Settings settings, Arguments arguments, Spec spec, boolean onePartition) {
        this.spark = spark;
        this.settings = settings;
        this.arguments = arguments;
        this.spec = spec;
        this.onePartition = onePartition;
    }

    StreamingQuery start(Classify.Rejects rejects) throws TimeoutException {
        return counts(classified(records(), rejects)).writeStream()
                .queryName(spec.name)
                .format("kafka")
                .options(settings.sink())
                .option("kafka.bootstrap.servers", arguments.brokers)
                .option("topic", spec.sink)
                .option("kafka.enable.idempotence", "true")
                .option("kafka.acks", "all")
                .option("checkpointLocation", arguments.checkpoint)
                .outputMode(OutputMode.Update())
                .trigger(trigger())
                .start();
    }

    private Trigger trigger() {
        return arguments.once ? Trigger.AvailableNow() : Trigger.ProcessingTime(settings.trigger());
    }

    private Dataset<Row> records() {
        DataStreamReader reader = spark.readStream()
                .format("kafka")
                .options(settings.source())
                .option("kafka.bootstrap.servers", arguments.brokers)
                .option("subscribe", spec.topic)
                .option("startingOffsets", spec.startLatest ? "latest" : "earliest")
                .option("failOnDataLoss", "true");

        if (arguments.group != null) {
            reader.option("groupIdPrefix", arguments.group);
        }
        return reader.load();
    }

    /** Rejected records are gone before the watermark looks at their times. */
    private Dataset<Row> classified(Dataset<Row> records, Classify.Rejects rejects) {
        Column now = unix_millis(current_timestamp()).cast("string");
        // Nondeterministic, or the optimizer may call it twice a record, and rejects would count twice.
        Column series = udf(new Classify(arguments.spec, arguments.maxFuture, rejects), DataTypes.IntegerType)
                .asNondeterministic()
                .apply(col("value"), unix_millis(col(TIME)), now);
        Dataset<Row> good = records.select(series.as(SERIES), col(TIME))
                .filter(col(SERIES).notEqual(Classify.REJECTED))
                .withWatermark(TIME, milliseconds(spec.lateness));

        // One task reads it all anyway: without a shuffle behind it a batch is one stage less.
        return onePartition ? good.coalesce(1) : good;
    }

    private Dataset<Row> counts(Dataset<Row> records) {
        Column window = window(col(TIME), milliseconds(spec.size), milliseconds(spec.slide));
        Column[] counts = IntStream.range(0, spec.series.size())
                .mapToObj(i -> count(when(col(SERIES).equalTo(i), 1)).as(ResultRecord.count(i)))
                .toArray(Column[]::new);
        ResultRecord record = new ResultRecord(spec);

        return records.groupBy(window.as(ResultRecord.WINDOW))
                .agg(count(lit(1)).as(ResultRecord.TOTAL), counts)
                .select(record.key().as("key"), record.value().as("value"));
    }

    private static String milliseconds(long ms) {
        return ms + " milliseconds";
    }
}
