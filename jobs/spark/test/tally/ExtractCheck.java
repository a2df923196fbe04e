package tally;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * For tests: a record in hexadecimal a line in; out, what of it is counted, in hexadecimal behind a `=`, or
 * `-` for a record that is rejected. Arguments: csv COLUMN, or json PATH.
 */
final class ExtractCheck {
    private ExtractCheck() {
    }

    public static void main(String[] argv) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        StringBuilder out = new StringBuilder();

        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Slice found = extract(argv, HexFormat.of().parseHex(line));
            out.append(found == null ? "-" : "=" + hex(found)).append('\n');
        }
        System.out.print(out);
    }

    private static Slice extract(String[] argv, byte[] record) {
        return argv[0].equals("csv") ? CsvField.read(record, Integer.parseInt(argv[1]))
                : JsonField.read(record, argv[1].getBytes(StandardCharsets.UTF_8));
    }

    private static String hex(Slice found) {
        return HexFormat.of().formatHex(found.bytes(), found.start(), found.start() + found.length());
    }
}
