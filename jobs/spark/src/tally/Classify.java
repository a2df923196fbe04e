package tally;

import org.apache.spark.sql.api.java.UDF3;
import org.apache.spark.util.LongAccumulator;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A record's (value, time in ms, the batch's time in ms) -> the index of the series it counts for, or
 * REJECTED.
 *
 * It is deserialized anew for every task, so that what is made of the spec is kept beside it, once a process.
 * The batch's time is the one in Spark's offset log: a batch that is run again rejects the same records. It
 * comes as text: a number would stand in the generated code, which then were compiled again for every batch.
 */
final class Classify implements UDF3<byte[], Long, String, Integer> {
    static final int REJECTED = -1;

    private static final long serialVersionUID = 1;
    /** LIMIT_TIME_MS of cluster/base/limits.h: the end of the year 9999. */
    private static final long LATEST_MS = 253402300799999L;
    private static final Map<String, Parsed> PARSED = new ConcurrentHashMap<>();

    /** Why a record was not counted; of a task that fails and is run again only the good run counts. */
    record Rejects(LongAccumulator format, LongAccumulator time, LongAccumulator future)
            implements java.io.Serializable {
    }

    private record Parsed(Spec spec, byte[] path, int longestLabel) {
        static Parsed of(String json) {
            Spec spec = Spec.parse(json);
            byte[] path = spec.field == null ? null : spec.field.getBytes(StandardCharsets.UTF_8);
            int longest = spec.labels.keySet().stream().mapToInt(ByteBuffer::remaining).max().orElse(0);

            return new Parsed(spec, path, longest);
        }
    }

    private final String json;
    private final long maxFuture;
    private final Rejects rejects;
    private transient Parsed parsed;

    Classify(String json, long maxFuture, Rejects rejects) {
        this.json = json;
        this.maxFuture = maxFuture;
        this.rejects = rejects;
    }

    @Override
    public Integer call(byte[] value, Long time, String now) {
        if (time < 0) {
            return reject(rejects.time);
        }
        if (time > LATEST_MS || time - Long.parseLong(now) > maxFuture) {
            return reject(rejects.future);
        }
        if (parsed == null) {
            parsed = PARSED.computeIfAbsent(json, Parsed::of);
        }
        Slice counted = value == null ? Slice.EMPTY : extract(value);
        return counted == null ? reject(rejects.format) : series(counted);
    }

    private Slice extract(byte[] value) {
        return switch (parsed.spec.format) {
            case VALUE -> Slice.of(value);
            case CSV -> CsvField.read(value, parsed.spec.column);
            case JSON -> JsonField.read(value, parsed.path);
        };
    }

    private int series(Slice counted) {
        int other = parsed.spec.series.size() - 1;

        if (counted.length() > parsed.longestLabel) {
            return other;
        }
        ByteBuffer key = ByteBuffer.wrap(counted.bytes(), counted.start(), counted.length());
        return parsed.spec.labels.getOrDefault(key, other);
    }

    private static int reject(LongAccumulator why) {
        why.add(1);
        return REJECTED;
    }
}
