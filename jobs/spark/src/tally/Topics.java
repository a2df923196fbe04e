package tally;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/**
 * The job's topics, looked at before Spark is started: what is wrong with them is said at once, in one line.
 */
final class Topics implements AutoCloseable {
    private static final int PATIENCE_MS = 10_000;
    /** Each try at a name that does not resolve is a stack trace in Kafka's log. */
    private static final int RECONNECT_MS = 2000;
    private static final int CONNECT_MS = 1000;
    /** As kafka_make_topic of cluster/kafka.c: kept for ever, within this bound a partition. */
    private static final Map<String, String> SINK_CONFIG = Map.of("message.timestamp.type", "CreateTime",
            "retention.ms", "-1", "retention.bytes", "1073741824");

    private final String brokers;
    private final Admin admin;

    Topics(String brokers) {
        this.brokers = brokers;
        try {
            admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, brokers,
                    AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, PATIENCE_MS / 2,
                    AdminClientConfig.RECONNECT_BACKOFF_MS_CONFIG, RECONNECT_MS,
                    AdminClientConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, RECONNECT_MS,
                    AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, PATIENCE_MS));
        } catch (KafkaException e) {
            throw noBroker(e.getCause() == null ? e : e.getCause());
        }
    }

    /**
     * The source topic; refuses one that is missing, or whose brokers cannot be reached at their advertised
     * names.
     */
    TopicDescription source(String topic) {
        Collection<Node> nodes = nodes();
        TopicDescription description = describe(topic).orElseThrow(() -> new JobError(JobError.REFUSED,
                "topic '" + topic + "' is not at " + brokers + ": create it, or feed it with tally produce"));
        Map<TopicPartition, OffsetSpec> ends = description.partitions().stream().collect(Collectors.toMap(
                each -> new TopicPartition(topic, each.partition()), each -> OffsetSpec.latest()));

        try {
            await(admin.listOffsets(ends).all());
        } catch (ExecutionException | TimeoutException e) {
            throw new JobError(JobError.UNREACHABLE, "a Kafka broker answers at " + brokers
                    + ", but not at the address it advertises, " + addresses(nodes) + ", from " + host()
                    + ": correct advertised.listeners, or name another listener; " + reason(e));
        }
        return description;
    }

    /** Creates the result topic unless it is there. */
    void makeSink(String topic) {
        if (describe(topic).isPresent()) {
            return;
        }
        try {
            NewTopic wanted = new NewTopic(topic, Optional.of(1), Optional.empty()).configs(SINK_CONFIG);
            await(admin.createTopics(List.of(wanted)).all());
            Say.line("created topic '" + topic + "' (1 partition)");
        } catch (ExecutionException | TimeoutException e) {
            if (!(e.getCause() instanceof TopicExistsException)) {
                throw new JobError(JobError.REFUSED,
                        "cannot create topic '" + topic + "' at " + brokers + ": " + reason(e));
            }
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }

    private Collection<Node> nodes() {
        try {
            return await(admin.describeCluster().nodes());
        } catch (ExecutionException | TimeoutException e) {
            throw noBroker(e);
        }
    }

    private Optional<TopicDescription> describe(String topic) {
        try {
            return Optional.of(await(admin.describeTopics(List.of(topic)).allTopicNames()).get(topic));
        } catch (ExecutionException | TimeoutException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return Optional.empty();
            }
            throw new JobError(JobError.REFUSED, "topic '" + topic + "' at " + brokers + ": " + reason(e));
        }
    }

    private static <T> T await(KafkaFuture<T> answer) throws ExecutionException, TimeoutException {
        try {
            return answer.get(PATIENCE_MS + CONNECT_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new JobError(JobError.FAILED, "interrupted while Kafka was asked");
        }
    }

    /**
     * Kafka's client goes on by the advertised addresses alone: whether it got that far only a connection
     * tells.
     */
    private JobError noBroker(Throwable e) {
        String what = isListening()
                ? "something listens at " + brokers + ", but Kafka cannot be reached from " + host()
                        + " at the addresses it advertises (its client's warnings above name them): correct"
                        + " advertised.listeners, or name another listener: " + reason(e)
                : "no Kafka broker answers at " + brokers + " from " + host() + ": " + reason(e)
                        + "; --brokers is Kafka as the Spark workers see it";

        return new JobError(JobError.UNREACHABLE, what);
    }

    private boolean isListening() {
        for (InetSocketAddress address : addresses()) {
            try (Socket socket = new Socket()) {
                socket.connect(address, CONNECT_MS);
                return true;
            } catch (IOException e) {
                continue;
            }
        }
        return false;
    }

    private List<InetSocketAddress> addresses() {
        return Arrays.stream(brokers.split(","))
                .filter(each -> each.matches(".+:[0-9]{1,5}"))
                .map(each -> each.split(":(?=[0-9]+$)"))
                .map(each -> new InetSocketAddress(each[0], Integer.parseInt(each[1])))
                .filter(each -> !each.isUnresolved())
                .toList();
    }

    private static String reason(Throwable e) {
        Throwable cause = e instanceof ExecutionException ? e.getCause() : e;

        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }

    private static String addresses(Collection<Node> nodes) {
        return nodes.stream().map(each -> each.host() + ":" + each.port()).collect(Collectors.joining(","));
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "this host";
        }
    }
}
