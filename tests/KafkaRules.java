// What Kafka itself says of configurations, many in one process. A line of stdin is the environment of a container of
// apache/kafka's, NAME=VALUE with tabs between them; a line of stdout is why it refuses it, and empty if it does not.
//
// java -cp 'JARS/*' KafkaRules.java FOLDER      FOLDER: for the files that Kafka's tools write

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;

import kafka.docker.KafkaDockerWrapper$;
import kafka.server.KafkaConfig;
import kafka.tools.StorageTool;
import org.apache.kafka.common.Endpoint;
import org.apache.kafka.common.network.ChannelBuilders;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.security.authenticator.CredentialCache;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.raft.QuorumConfig;
import scala.jdk.javaapi.CollectionConverters;

public class KafkaRules {
    private static final PrintStream NOWHERE = new PrintStream(OutputStream.nullOutputStream());

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

        for (String line; (line = in.readLine()) != null; )
            System.out.println(refusal(line, folder).lines().findFirst().orElse(""));
    }

    private static String refusal(String line, Path folder) throws IOException {
        Map<String, String> environment = new HashMap<>();

        for (String variable : line.split("\t"))
            environment.put(variable.split("=", 2)[0], variable.split("=", 2)[1]);
        try {
            start(environment, folder);
            return "";
        } catch (Exception e) {
            return e.getMessage();
        }
    }

    // As apache/kafka's launch script and kafka.Kafka do it, up to where sockets are opened.
    private static void start(Map<String, String> environment, Path folder) throws Exception {
        Path file = folder.resolve("server.properties"), data = folder.resolve("data");

        clear(data);
        environment.put("KAFKA_LOG_DIRS", data.toString());
        Files.write(file, new byte[0]);
        KafkaDockerWrapper$.MODULE$.prepareServerConfigs(folder, folder.resolve("none"), folder,
            scala.collection.immutable.Map$.MODULE$.from(CollectionConverters.asScala(environment)));
        StorageTool.execute(new String[] {"format", "-t", "MDAwMDAwMDAwMDAwMDAwMA", "-c", file.toString()}, NOWHERE);
        KafkaConfig config = KafkaConfig.fromProps(Utils.loadProps(file.toString()));
        QuorumConfig.parseVoterConnections(config.quorumConfig().voters());
        for (Endpoint listener : CollectionConverters.asJava(config.listeners()))
            ChannelBuilders.serverChannelBuilder(ListenerName.normalised(listener.listener()), false,
                listener.securityProtocol(), config, new CredentialCache(), null, Time.SYSTEM, new LogContext(),
                version -> null).close();
    }

    private static void clear(Path folder) throws IOException {
        if (!Files.exists(folder))
            return;
        try (var files = Files.walk(folder)) {
            for (Path each : files.sorted(Comparator.reverseOrder()).toList())
                Files.delete(each);
        }
    }
}
