import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisURI;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Worker of the ledger: Lettuce with its default settings, so it sends again what was in flight on a lost connection.
 * chaos/worker-protocol.ts says what it reads and writes.
 */
public final class LedgerWorker {
    private static final String[] TURNS = {"INCR", "RPUSH", "SET", "GET"};
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private record Operation(String round, String command, String id, double sentMs) {}

    /** Commands of a round that were sent, and those that have not ended. */
    private static final class Tally {
        int sent;
        int open;
    }

    private final String client;
    private final Map<String, Tally> rounds = new LinkedHashMap<>();
    private final Map<Integer, Operation> open = new HashMap<>();
    private volatile boolean stopping;
    private String round;
    private String setRound;
    private String setId = "";
    private int count;

    private LedgerWorker(String client) {
        this.client = client;
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) options.put(args[i], args[i + 1]);
        new LedgerWorker(options.getOrDefault("--client", "lettuce")).run(
                options.getOrDefault("--host", "127.0.0.1"),
                Integer.parseInt(options.getOrDefault("--port", "6379")),
                Integer.parseInt(options.getOrDefault("--in-flight", "8")),
                Long.parseLong(options.getOrDefault("--pause-ms", "20")));
    }

    private void run(String host, int port, int inFlight, long pauseMs) throws IOException, InterruptedException {
        String password = Files.readString(Path.of(System.getenv("REDIS_PASSWORD_FILE"))).trim();
        RedisURI uri = RedisURI.builder().withHost(host).withPort(port).withPassword(password.toCharArray()).build();
        RedisClient redis = RedisClient.create(uri);
        redis.addListener(new RedisConnectionStateListener() {
            @Override
            public void onRedisDisconnected(RedisChannelHandler<?, ?> connection) {
                if (!stopping) tell("disconnect", monotonicMs(), "closed");
            }
        });
        RedisCommands<String, String> commands = redis.connect().sync();
        tell("ready");
        for (int i = 0; i < inFlight; i++) {
            int begin = i;
            Thread thread = new Thread(() -> work(commands, begin, pauseMs));
            thread.setDaemon(true);
            thread.start();
        }
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null && !line.equals("stop"); line = input.readLine()) {
            if (line.startsWith("round ")) begin(line.substring(6));
        }
        stop();
        System.exit(0);
    }

    private void work(RedisCommands<String, String> commands, int begin, long pauseMs) {
        for (int turn = begin; !stopping; turn++) {
            int number = send(turn);
            if (number > 0) {
                Operation operation;
                synchronized (this) {
                    operation = open.get(number);
                }
                try {
                    end(number, "acknowledged", execute(commands, operation));
                } catch (RuntimeException error) {
                    String text = String.valueOf(error.getMessage());
                    end(number, "error", text);
                    if (text.startsWith("UNCERTAIN")) continue;
                }
            }
            try {
                Thread.sleep(pauseMs);
            } catch (InterruptedException ended) {
                return;
            }
        }
    }

    private String execute(RedisCommands<String, String> commands, Operation operation) {
        String prefix = "ledger:" + operation.round + ":" + client + ":";
        switch (operation.command) {
            case "INCR":
                return String.valueOf(commands.incr(prefix + "counter"));
            case "RPUSH":
                return String.valueOf(commands.rpush(prefix + "list", operation.id));
            case "SET":
                return commands.set(prefix + "string:" + operation.id, operation.id);
            default:
                String value = commands.get(prefix + "string:" + operation.id);
                return value == null ? "" : value;
        }
    }

    private synchronized int send(int turn) {
        if (round == null) return 0;
        String command = TURNS[turn % TURNS.length];
        if (command.equals("GET") && !round.equals(setRound)) command = "SET";
        String id = command.equals("GET") ? setId : String.valueOf(count + 1);
        count++;
        Tally tally = rounds.computeIfAbsent(round, name -> new Tally());
        tally.sent++;
        tally.open++;
        open.put(count, new Operation(round, command, id, monotonicMs()));
        return count;
    }

    private synchronized void end(int number, String kind, String text) {
        Operation operation = open.remove(number);
        if (operation == null) return;
        if (kind.equals("acknowledged") && operation.command.equals("SET")) {
            setRound = operation.round;
            setId = operation.id;
        }
        tell("op", operation.round, operation.command, operation.id, operation.sentMs, monotonicMs(), kind, text);
        rounds.get(operation.round).open--;
        tellDrained();
    }

    private synchronized void begin(String name) {
        round = name;
        tellDrained();
    }

    private synchronized void tellDrained() {
        rounds.entrySet().removeIf(entry -> {
            Tally tally = entry.getValue();
            if (tally.open > 0 || (entry.getKey().equals(round) && !stopping)) return false;
            tell("drained", entry.getKey(), tally.sent);
            return true;
        });
    }

    private void stop() throws InterruptedException {
        stopping = true;
        long deadline = System.nanoTime() + 5_000_000_000L;
        while (openNumbers().size() > 0 && System.nanoTime() < deadline) Thread.sleep(20);
        for (int number : openNumbers()) end(number, "open", "");
        tellDrained();
    }

    private synchronized List<Integer> openNumbers() {
        return new ArrayList<>(open.keySet());
    }

    /** CLOCK_MONOTONIC on Linux. */
    private static double monotonicMs() {
        return System.nanoTime() / 1e6;
    }

    private static synchronized void tell(Object... message) {
        StringBuilder line = new StringBuilder("[");
        for (Object item : message) {
            if (line.length() > 1) line.append(',');
            if (item instanceof Number) line.append(item);
            else line.append('"').append(escape(String.valueOf(item))).append('"');
        }
        OUT.println(line.append(']'));
    }

    private static String escape(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("\\p{Cntrl}", " ");
    }
}
