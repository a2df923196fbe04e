package tally;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.unix_millis;

import org.apache.spark.sql.Column;

import java.util.ArrayList;
import java.util.List;

/** A window's row as a Kafka record, byte for byte what jobs/record.c writes. */
final class ResultRecord {
    static final String WINDOW = "window";
    static final String TOTAL = "total";

    private final Spec spec;
    private final Column start = unix_millis(col(WINDOW + ".start"));
    private final Column end = unix_millis(col(WINDOW + ".end"));

    ResultRecord(Spec spec) {
        this.spec = spec;
    }

    /** The name of the column with the count of a series. */
    static String count(int series) {
        return "count" + series;
    }

    Column key() {
        return concat(lit(spec.name + "/"), start.cast("string"));
    }

    Column value() {
        List<Column> parts = new ArrayList<>();

        add(parts, "{\"job\":" + quote(spec.name) + ",\"start\":", start);
        add(parts, ",\"end\":", end);
        for (int i = 0; i < spec.series.size(); i++) {
            add(parts, (i == 0 ? ",\"counts\":{" : ",") + quote(spec.series.get(i)) + ":", col(count(i)));
        }
        add(parts, "},\"total\":", col(TOTAL));
        parts.add(lit("}"));
        return concat(parts.toArray(new Column[0]));
    }

    private static void add(List<Column> parts, String text, Column number) {
        parts.add(lit(text));
        parts.add(number.cast("string"));
    }

    /** buf_json_string of cluster/base/buf.c: only what must be escaped is. */
    static String quote(String text) {
        StringBuilder json = new StringBuilder("\"");

        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            int letter = "\"\\\b\f\n\r\t".indexOf(c);
            if (letter >= 0) {
                json.append('\\').append("\"\\bfnrt".charAt(letter));
            } else if (c < 0x20) {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }
}
