package tally;

/** UTF-8 by RFC 3629, section 4, as cluster/base/utf8.c. */
final class Utf8 {
    private Utf8() {
    }

    /** The length of the character at `at`, or 0 where none is. */
    static int length(byte[] bytes, int at) {
        int first = bytes[at] & 0xff;

        if (first < 0x80) {
            return 1;
        }
        if (first >= 0xc2 && first <= 0xdf) {
            return follows(bytes, at, 2, 0x80, 0xbf);
        }
        if (first >= 0xe0 && first <= 0xef) {
            return follows(bytes, at, 3, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
        }
        if (first >= 0xf0 && first <= 0xf4) {
            return follows(bytes, at, 4, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
        }
        return 0;
    }

    private static int follows(byte[] bytes, int at, int length, int secondFirst, int secondLast) {
        if (at + length > bytes.length) {
            return 0;
        }
        if ((bytes[at + 1] & 0xff) < secondFirst || (bytes[at + 1] & 0xff) > secondLast) {
            return 0;
        }
        for (int i = at + 2; i < at + length; i++) {
            if ((bytes[i] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return length;
    }
}
