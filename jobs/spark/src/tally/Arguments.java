package tally;

/** The command line. */
final class Arguments {
    private static final String USAGE = "--spec JSON --brokers HOST:PORT[,...] --checkpoint URI [--group G]"
            + " [--max-future MS] [--once]";
    private static final long HOUR_MS = 3600 * 1000;

    String spec;
    String brokers;
    String checkpoint;
    /** The prefix of the consumer groups that Spark makes up; null: Spark's own. */
    String group;
    /** How far ahead of the clock a record's time may be. */
    long maxFuture = HOUR_MS;
    /** Ends when all that is in the topic has been counted. */
    boolean once;

    private Arguments() {
    }

    static Arguments parse(String[] argv) {
        Arguments arguments = new Arguments();

        for (int i = 0; i < argv.length; i++) {
            if (argv[i].equals("--once")) {
                arguments.once = true;
                continue;
            }
            arguments.take(argv[i], i + 1 < argv.length ? argv[i + 1] : null);
            i++;
        }
        need("--spec", arguments.spec);
        need("--brokers", arguments.brokers);
        need("--checkpoint", arguments.checkpoint);
        return arguments;
    }

    private void take(String name, String value) {
        switch (name) {
            case "--spec" -> spec = text(name, value);
            case "--brokers" -> brokers = text(name, value);
            case "--checkpoint" -> checkpoint = text(name, value);
            case "--group" -> group = text(name, value);
            case "--max-future" -> maxFuture = milliseconds(name, value);
            default -> throw usage("unknown argument '" + name + "'");
        }
    }

    private static String text(String name, String value) {
        if (value == null || value.isEmpty()) {
            throw usage(name + " lacks its value");
        }
        return value;
    }

    private static long milliseconds(String name, String value) {
        if (!text(name, value).matches("[0-9]{1,15}")) {
            throw usage(name + " takes milliseconds, not '" + value + "'");
        }
        return Long.parseLong(value);
    }

    private static void need(String name, String value) {
        if (value == null) {
            throw usage(name + " is missing");
        }
    }

    private static JobError usage(String what) {
        return new JobError(JobError.USAGE, what + "; usage: " + USAGE);
    }
}
