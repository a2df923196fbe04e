package tally;

/** Bytes within others: what of a record is counted. */
record Slice(byte[] bytes, int start, int length) {
    static final Slice EMPTY = new Slice(new byte[0], 0, 0);

    static Slice of(byte[] bytes) {
        return new Slice(bytes, 0, bytes.length);
    }
}
