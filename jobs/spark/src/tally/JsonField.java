package tally;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One field of a JSON text, as written: 1.50 stays "1.50", which a parser that makes numbers of numbers would
 * lose. The rules of jobs/json_field.c, to the letter: the whole text is checked (RFC 8259), of names that
 * come twice the last counts, null is as if absent, an object or array in that place cannot be read.
 */
final class JsonField {
    /** LIMIT_JSON_DEPTH of cluster/base/limits.h. */
    private static final int MOST_DEPTH = 64;
    /** In the place of an index into the path: the value is not on it, and only checked. */
    private static final int ASIDE = -1;
    /** In the place of a found value: an object or array. */
    private static final Slice TREE = new Slice(new byte[0], 0, 0);
    private static final String LETTERS = "\"\\/bfnrt";
    private static final String MEANINGS = "\"\\/\b\f\n\r\t";

    private final byte[] text;
    private final byte[] path;
    private int at;
    private int depth;
    private Slice found = Slice.EMPTY;

    private JsonField(byte[] text, byte[] path) {
        this.text = text;
        this.path = path;
    }

    /** Null for what cannot be read. */
    static Slice read(byte[] text, byte[] path) {
        JsonField scan = new JsonField(text, path);
        boolean sound = scan.value(0);

        scan.skipBlanks();
        return sound && scan.at == text.length && scan.found != TREE ? scan.found : null;
    }

    /** `wanted`: the index into the path from where it goes on below this value; its end: this is the one. */
    private boolean value(int wanted) {
        skipBlanks();
        if (take('{')) {
            return tree(true, wanted);
        }
        if (take('[')) {
            return tree(false, wanted);
        }
        return scalar(wanted == path.length);
    }

    private boolean tree(boolean object, int wanted) {
        if (depth == MOST_DEPTH) {
            return false;
        }
        depth++;
        boolean sound = object ? object(wanted) : array();
        depth--;
        if (wanted == path.length) {
            found = TREE;
        }
        return sound;
    }

    private boolean object(int wanted) {
        skipBlanks();
        if (take('}')) {
            return true;
        }
        do {
            if (!member(wanted)) {
                return false;
            }
            skipBlanks();
        } while (take(','));
        return take('}');
    }

    private boolean member(int wanted) {
        skipBlanks();
        Slice name = take('"') ? string() : null;
        if (name == null) {
            return false;
        }
        int below = follow(wanted, name);
        if (below != ASIDE) {
            found = Slice.EMPTY; // an earlier one of the same name does not count
        }
        skipBlanks();
        return take(':') && value(below);
    }

    /** The index behind the path's next name if that is `name`. */
    private int follow(int wanted, Slice name) {
        int end = wanted;

        if (wanted == ASIDE || wanted == path.length) {
            return ASIDE;
        }
        while (end < path.length && path[end] != '.') {
            end++;
        }
        int nameEnd = name.start() + name.length();
        if (!Arrays.equals(path, wanted, end, name.bytes(), name.start(), nameEnd)) {
            return ASIDE;
        }
        return Math.min(end + 1, path.length);
    }

    private boolean array() {
        skipBlanks();
        if (take(']')) {
            return true;
        }
        do {
            if (!value(ASIDE)) {
                return false;
            }
            skipBlanks();
        } while (take(','));
        return take(']');
    }

    private boolean scalar(boolean isIt) {
        int start = at;
        Slice scalar;

        if (take('"')) {
            scalar = string();
        } else if (takeWord("null")) {
            return true;
        } else {
            boolean sound = takeWord("true") || takeWord("false") || number();
            scalar = sound ? new Slice(text, start, at - start) : null;
        }
        if (isIt && scalar != null) {
            found = scalar;
        }
        return scalar != null;
    }

    private boolean number() {
        take('-');
        if (!take('0') && !digits()) {
            return false;
        }
        if (take('.') && !digits()) {
            return false;
        }
        if (take('e') || take('E')) {
            if (!take('+')) {
                take('-');
            }
            return digits();
        }
        return true;
    }

    /** From behind the opening quote; null for an unsound one. In place unless it has an escape. */
    private Slice string() {
        int start = at;
        ByteArrayOutputStream undone = null;

        while (at < text.length && text[at] != '"') {
            int length = Utf8.length(text, at);
            if (length == 0 || (text[at] >= 0 && text[at] < 0x20)) {
                return null;
            }
            if (text[at] == '\\') {
                if (undone == null) {
                    undone = new ByteArrayOutputStream();
                    undone.write(text, start, at - start);
                }
                at++;
                if (!escape(undone)) {
                    return null;
                }
                continue;
            }
            if (undone != null) {
                undone.write(text, at, length);
            }
            at += length;
        }
        int end = at;
        if (!take('"')) {
            return null;
        }
        return undone == null ? new Slice(text, start, end - start) : Slice.of(undone.toByteArray());
    }

    private boolean escape(ByteArrayOutputStream out) {
        if (at == text.length) {
            return false;
        }
        if (take('u')) {
            return code(out);
        }
        int letter = LETTERS.indexOf(text[at++]);
        if (letter < 0) {
            return false;
        }
        out.write(MEANINGS.charAt(letter));
        return true;
    }

    /** Behind \\u; two halves make one character, one half alone is an error. */
    private boolean code(ByteArrayOutputStream out) {
        int code = hex4();

        if (code < 0 || (code >= 0xdc00 && code < 0xe000)) {
            return false;
        }
        if (code >= 0xd800 && code < 0xdc00) {
            int low = takeWord("\\u") ? hex4() : -1;
            if (low < 0xdc00 || low >= 0xe000) {
                return false;
            }
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        out.writeBytes(Character.toString(code).getBytes(StandardCharsets.UTF_8));
        return true;
    }

    /** -1 where there are no four hexadecimal digits. */
    private int hex4() {
        int code = 0;

        for (int i = 0; i < 4; i++, at++) {
            int digit = at < text.length && text[at] >= 0 ? Character.digit(text[at], 16) : -1;
            if (digit < 0) {
                return -1;
            }
            code = code * 16 + digit;
        }
        return code;
    }

    private void skipBlanks() {
        while (at < text.length && " \t\r\n".indexOf(text[at]) >= 0) {
            at++;
        }
    }

    private boolean take(char c) {
        if (at == text.length || text[at] != c) {
            return false;
        }
        at++;
        return true;
    }

    private boolean takeWord(String word) {
        if (text.length - at < word.length()) {
            return false;
        }
        for (int i = 0; i < word.length(); i++) {
            if (text[at + i] != word.charAt(i)) {
                return false;
            }
        }
        at += word.length();
        return true;
    }

    private boolean digits() {
        int start = at;

        while (at < text.length && text[at] >= '0' && text[at] <= '9') {
            at++;
        }
        return at > start;
    }
}
