package tally;

import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** A query's failure in one line. Spark tells its causes apart by words and places more than by classes. */
final class Failure {
    /** Of Spark's Kafka source with failOnDataLoss: some were there, others are of the versions before 4. */
    private static final List<String> LOSS = List.of("data may have been missed", "data may have been lost",
            "data was lost", "KAFKA_DATA_LOSS", "OffsetOutOfRange", "Cannot fetch offset",
            "Cannot fetch record");
    /** Who reads and writes a checkpoint. */
    private static final List<String> CHECKPOINT = List.of("HDFSMetadataLog", "OffsetSeqLog", "CommitLog",
            "StreamMetadata", "StateStoreProvider", "StateSchemaCompatibilityChecker",
            "CheckpointFileManager");

    private Failure() {
    }

    static JobError of(Exception failure, Arguments arguments, Spec spec) {
        List<Throwable> causes = Stream.iterate((Throwable) failure, e -> e != null, Throwable::getCause)
                .toList();
        String root = firstLine(causes.get(causes.size() - 1).toString());
        String why = "job " + spec.name + " stopped: ";
        Predicate<Predicate<Throwable>> any = test -> causes.stream().anyMatch(test);

        if (any.test(e -> holdsAny(e.toString(), LOSS))) {
            return new JobError(JobError.REFUSED, why + loss(arguments, spec) + " (" + root + ")");
        }
        if (any.test(e -> e instanceof UnknownTopicOrPartitionException)) {
            why += "a topic was deleted, '" + spec.topic + "' or '" + spec.sink + "' (" + root + ")";
        } else if (any.test(e -> e instanceof RetriableException)) {
            why += "Kafka at " + arguments.brokers + " does not answer (" + root
                    + "); started again, it goes on from its checkpoint";
        } else if (any.test(Failure::isOfCheckpoint)) {
            why += "the checkpoint " + arguments.checkpoint + " is damaged, or cannot be read or written ("
                    + root + "): give another --checkpoint, or remove it to count again from the start";
        } else {
            why += root;
        }
        return new JobError(JobError.FAILED, why);
    }

    private static String loss(Arguments arguments, Spec spec) {
        return "topic '" + spec.topic + "' no longer has the records from where the checkpoint "
                + arguments.checkpoint + " goes on: they were deleted before they were counted, or the topic"
                + " was made anew; give another --checkpoint, or remove it to count what there is";
    }

    private static boolean isOfCheckpoint(Throwable e) {
        return Arrays.stream(e.getStackTrace()).anyMatch(frame -> holdsAny(frame.getClassName(), CHECKPOINT));
    }

    private static boolean holdsAny(String text, List<String> words) {
        return words.stream().anyMatch(text::contains);
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("");
    }
}
