package tally;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The job spec, as the C program makes it of the YAML: checked there, so that here its form is all there is
 * to it.
 */
final class Spec {
    enum Format { VALUE, CSV, JSON }

    final String name;
    final String topic;
    final Format format;
    /** Of a CSV record: the index of the counted column. */
    final int column;
    /** Of a JSON record: the path of the counted field, a.b. */
    final String field;
    final boolean startLatest;
    /** In ms. */
    final long size;
    final long slide;
    final long lateness;
    /** In drawing order; the last is `other`. */
    final List<String> series = new ArrayList<>();
    /** A value's bytes -> the index of its series. */
    final Map<ByteBuffer, Integer> labels = new HashMap<>();
    final String sink;

    private final JsonNode root;

    private Spec(JsonNode root) {
        this.root = root;
        name = text("/name");
        topic = text("/source/topic");
        format = format(text("/source/format"));
        column = format == Format.CSV ? (int) number("/source/column", 0) : -1;
        field = format == Format.JSON ? text("/source/field") : null;
        startLatest = startLatest(text("/source/start"));
        size = number("/window/size", 1);
        slide = number("/window/slide", 1);
        lateness = number("/window/lateness", 0);
        sink = text("/sink/topic");
        at("/series").forEach(each -> series.add(each.asText()));
        JsonNode values = at("/labels");
        values.fieldNames().forEachRemaining(value -> labels.put(bytes(value), series(values.get(value))));
        if (series.isEmpty()) {
            throw bad("/series", "names no series");
        }
    }

    static Spec parse(String json) {
        try {
            return new Spec(new ObjectMapper().readTree(json));
        } catch (JsonProcessingException e) {
            throw new JobError(JobError.USAGE, "--spec is no JSON: " + e.getOriginalMessage());
        }
    }

    /** What a checkpoint holds for: all of the spec but where a job without a checkpoint begins. */
    JsonNode identity() {
        JsonNode identity = root.deepCopy();

        ((ObjectNode) identity.get("source")).remove("start");
        return identity;
    }

    private JsonNode at(String path) {
        JsonNode node = root.at(path);

        if (node.isMissingNode()) {
            throw bad(path, "is missing");
        }
        return node;
    }

    private String text(String path) {
        if (!at(path).isTextual() || at(path).asText().isEmpty()) {
            throw bad(path, "is no text");
        }
        return at(path).asText();
    }

    private long number(String path, long least) {
        if (!at(path).isIntegralNumber() || !at(path).canConvertToLong() || at(path).asLong() < least) {
            throw bad(path, "is no number from " + least);
        }
        return at(path).asLong();
    }

    private int series(JsonNode index) {
        if (!index.isInt() || index.asInt() < 0 || index.asInt() >= series.size()) {
            throw bad("/labels", "names series " + index + ", which is not there");
        }
        return index.asInt();
    }

    private static Format format(String text) {
        return switch (text) {
            case "value" -> Format.VALUE;
            case "csv" -> Format.CSV;
            case "json" -> Format.JSON;
            default -> throw bad("/source/format", "is value, csv or json, not '" + text + "'");
        };
    }

    private static boolean startLatest(String text) {
        if (!text.equals("earliest") && !text.equals("latest")) {
            throw bad("/source/start", "is earliest or latest, not '" + text + "'");
        }
        return text.equals("latest");
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    private static JobError bad(String path, String what) {
        return new JobError(JobError.USAGE, "--spec: " + path.substring(1).replace('/', '.') + " " + what);
    }
}
