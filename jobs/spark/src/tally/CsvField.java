package tally;

/**
 * One column of a record that holds one CSV row (RFC 4180), with or without its line end: the rules of
 * jobs/csv.c, to the letter. A first byte order mark is skipped; a quote inside an unquoted field is data.
 */
final class CsvField {
    /** LIMIT_CSV_ROW and LIMIT_CSV_ROW_LINES of cluster/base/limits.h. */
    private static final int MOST_BYTES = 65536;
    private static final int MOST_LINES = 100;

    private final byte[] data;
    private final int start;
    /** Beyond it no row can reach. */
    private final int bound;

    /** The field read last: its content without quotes, and its delimiter's index or the bound. */
    private int from;
    private int to;
    private int next;
    private boolean doubled;

    private CsvField(byte[] data) {
        this.data = data;
        start = hasMark(data) ? 3 : 0;
        bound = Math.min(data.length, start + MOST_BYTES + 2);
    }

    /** Null for a row that cannot be read. */
    static Slice read(byte[] data, int column) {
        return new CsvField(data).row(column);
    }

    private static boolean hasMark(byte[] data) {
        return data.length >= 3 && data[0] == (byte) 0xef && data[1] == (byte) 0xbb && data[2] == (byte) 0xbf;
    }

    private Slice row(int column) {
        Slice found = null;
        int lines = 1;
        int at = start;

        for (int index = 0;; index++, at = next + 1) {
            if (!field(at) || (next == bound && bound < data.length)) {
                return null;
            }
            lines += count((byte) '\n', from, to);
            if (lines > MOST_LINES) {
                return null;
            }
            if (index == column) {
                found = doubled ? withoutDoubled() : new Slice(data, from, to - from);
            }
            if (next == bound || data[next] == '\n') {
                return isSound(next) ? found : null;
            }
        }
    }

    /** Whether the row that ends at `end` is all of the record, not too long, not empty and without a NUL. */
    private boolean isSound(int end) {
        int textEnd = withoutCr(start, end);
        boolean isAll = end + 1 >= data.length;

        return isAll && end - start <= MOST_BYTES && textEnd > start && count((byte) 0, start, textEnd) == 0;
    }

    /** False for bad quoting. */
    private boolean field(int at) {
        doubled = false;
        from = at;
        if (at == bound || data[at] != '"') {
            next = at;
            while (next < bound && data[next] != ',' && data[next] != '\n') {
                next++;
            }
            to = next < bound && data[next] == ',' ? next : withoutCr(at, next);
            return true;
        }
        return quoted(at + 1);
    }

    private boolean quoted(int at) {
        from = at;
        next = behindQuotes(at);
        if (next < 0) {
            return false;
        }
        to = next - 1;
        if (next < bound && data[next] == '\r' && (next + 1 == bound || data[next + 1] == '\n')) {
            next++;
        }
        return next == bound || data[next] == ',' || data[next] == '\n';
    }

    /** The index behind the closing quote, or -1. */
    private int behindQuotes(int at) {
        for (int i = at; i < bound; i++) {
            if (data[i] != '"') {
                continue;
            }
            i++;
            if (i == bound || data[i] != '"') {
                return i;
            }
            doubled = true;
        }
        return -1;
    }

    private Slice withoutDoubled() {
        byte[] text = new byte[to - from];
        int length = 0;

        for (int i = from; i < to; i++) {
            text[length++] = data[i];
            if (data[i] == '"') {
                i++;
            }
        }
        return new Slice(text, 0, length);
    }

    private int withoutCr(int begin, int end) {
        return end > begin && data[end - 1] == '\r' ? end - 1 : end;
    }

    private int count(byte wanted, int begin, int end) {
        int count = 0;

        for (int i = begin; i < end; i++) {
            if (data[i] == wanted) {
                count++;
            }
        }
        return count;
    }
}
