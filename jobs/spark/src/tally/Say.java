package tally;

/** Lines for people, on stderr: the driver's log, where Spark's own lines stand, too. */
final class Say {
    private Say() {
    }

    static void line(String text) {
        System.err.println("tally-job: " + oneLine(text));
    }

    static void error(String text) {
        line("error: " + text);
    }

    /** Messages of libraries may go on over several lines. */
    private static String oneLine(String text) {
        return text.strip().replaceAll("\\s*[\\r\\n]+\\s*", " ");
    }
}
