package tally;

/** What ends the job in a foreseeable way: one line for people, and the exit code of the table in docs. */
final class JobError extends RuntimeException {
    static final int FAILED = 1;
    static final int USAGE = 2;
    static final int UNREACHABLE = 4;
    static final int REFUSED = 5;

    private static final long serialVersionUID = 1;

    final int code;

    JobError(int code, String message) {
        super(message);
        this.code = code;
    }
}
