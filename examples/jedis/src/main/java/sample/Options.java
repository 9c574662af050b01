package sample;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the command line says: {@code --sentinel HOST:PORT --master NAME} instead of {@code --address HOST:PORT} asks a Sentinel. */
record Options(String address, String sentinel, String master, String prefix, boolean runThroughFailover) {
  static Options parse(String[] arguments) {
    var address = System.getenv().getOrDefault("REDIS_ADDRESS", "127.0.0.1:6379");
    String sentinel = null;
    var master = "mymaster";
    var prefix = "sample:jedis";
    var runThroughFailover = false;
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--address" -> address = arguments[++i];
        case "--sentinel" -> sentinel = arguments[++i];
        case "--master" -> master = arguments[++i];
        case "--prefix" -> prefix = arguments[++i];
        case "--run-through-failover" -> runThroughFailover = true;
        default -> throw new IllegalArgumentException("unknown argument " + arguments[i]);
      }
    }
    return new Options(address, sentinel, master, prefix, runThroughFailover);
  }

  /** From a file, as Kubernetes mounts a Secret: arguments and environments can be read by others. Null without one. */
  static String password() throws IOException {
    var path = System.getenv("REDIS_PASSWORD_FILE");
    return path == null ? null : Files.readString(Path.of(path)).stripTrailing();
  }

  /** File with the authority that the proxy's certificate is checked with, where the stack uses TLS; null where it doesn't. */
  static Path authority() {
    var path = System.getenv("REDIS_CA_FILE");
    return path == null ? null : Path.of(path);
  }
}
