package tally;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

import java.io.IOException;

/**
 * What a checkpoint is for. Beside Spark's own files lies tally-spec.json: the spec, and the id of the source
 * topic, which a topic of the same name that was made anew does not have. Spark itself would go on with other
 * labels, or take old offsets for those of the new topic.
 */
final class Checkpoint {
    private static final String FILE = "tally-spec.json";
    private static final String ADVICE =
            ": give another --checkpoint, or remove it to count again from the start";

    private final String uri;
    private final Configuration hadoop;

    Checkpoint(String uri, Configuration hadoop) {
        this.uri = uri;
        this.hadoop = hadoop;
    }

    /** Takes a new checkpoint for this job; refuses one that belongs to something else. */
    void claim(Spec spec, String topicId) {
        ObjectNode mine = new ObjectMapper().createObjectNode();

        mine.set("spec", spec.identity());
        mine.put("topicId", topicId);
        try {
            Path folder = new Path(uri);
            FileSystem files = folder.getFileSystem(hadoop);
            Path file = new Path(folder, FILE);
            if (files.exists(file)) {
                compare(mine, read(files, file), spec.topic);
            } else {
                refuseForeign(files, folder);
                write(files, file, mine);
            }
        } catch (IOException | IllegalArgumentException e) {
            throw new JobError(JobError.FAILED, "the checkpoint " + uri + " cannot be used: " + e);
        }
    }

    private void compare(ObjectNode mine, JsonNode other, String topic) {
        if (other == null) {
            throw refuse("is damaged: its " + FILE + " cannot be read");
        }
        if (!mine.get("spec").equals(other.get("spec"))) {
            throw refuse("belongs to another form of the job");
        }
        if (!mine.get("topicId").equals(other.get("topicId"))) {
            throw refuse("belongs to an earlier topic '" + topic + "': the topic was made anew");
        }
    }

    private void refuseForeign(FileSystem files, Path folder) throws IOException {
        if (files.exists(new Path(folder, "offsets")) || files.exists(new Path(folder, "metadata"))) {
            throw refuse("belongs to something else: it has no " + FILE);
        }
    }

    /** Null when it is no JSON. */
    private static JsonNode read(FileSystem files, Path file) throws IOException {
        try (FSDataInputStream in = files.open(file)) {
            return new ObjectMapper().readTree(in.readAllBytes());
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            return null;
        }
    }

    /** Under another name first: a crash leaves no half of it. */
    private static void write(FileSystem files, Path file, JsonNode content) throws IOException {
        Path part = file.suffix(".part");

        try (FSDataOutputStream out = files.create(part, true)) {
            out.write(new ObjectMapper().writeValueAsBytes(content));
        }
        if (!files.rename(part, file)) {
            throw new IOException("cannot rename " + part + " to " + file);
        }
    }

    private JobError refuse(String why) {
        return new JobError(JobError.REFUSED, "the checkpoint " + uri + " " + why + ADVICE);
    }
}
