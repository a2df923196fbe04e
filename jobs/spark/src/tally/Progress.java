package tally;

import org.apache.spark.sql.streaming.StateOperatorProgress;
import org.apache.spark.sql.streaming.StreamingQueryListener;

/** Tells people what was not counted: at most once a second, and at the end. */
final class Progress extends StreamingQueryListener {
    private static final long serialVersionUID = 1; // Spark 3.5's listener is serializable
    private static final long SAY_EVERY_MS = 1000;

    private final String format;
    private final Classify.Rejects rejects;
    private long late;
    private long saidAt;
    private String said = "";

    Progress(Spec spec, Classify.Rejects rejects) {
        format = spec.format.name().toLowerCase(java.util.Locale.ROOT);
        this.rejects = rejects;
    }

    @Override
    public void onQueryStarted(QueryStartedEvent event) {
        // main says so
    }

    @Override
    public synchronized void onQueryProgress(QueryProgressEvent event) {
        for (StateOperatorProgress state : event.progress().stateOperators()) {
            late += state.numRowsDroppedByWatermark();
        }
        long now = System.currentTimeMillis();
        if (late + sum() > 0 && now - saidAt >= SAY_EVERY_MS) {
            saidAt = now;
            say();
        }
    }

    @Override
    public void onQueryTerminated(QueryTerminatedEvent event) {
        // main calls end()
    }

    /** The last word. */
    synchronized void end() {
        say();
    }

    private void say() {
        String text = text();

        if (!text.equals(said)) {
            said = text;
            Say.line(text);
        }
    }

    private long sum() {
        return rejects.format().value() + rejects.time().value() + rejects.future().value();
    }

    /**
     * Spark counts what it drops by the watermark behind its partial aggregation: a late window once a batch.
     */
    private String text() {
        return late + " late windows dropped (a window once a batch and partition, however many records), "
                + sum() + " rejected (" + rejects.format().value() + " " + format + ", "
                + rejects.time().value() + " time, " + rejects.future().value() + " future)";
    }
}
