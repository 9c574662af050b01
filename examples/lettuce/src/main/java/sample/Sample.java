package sample;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslOptions;
import java.io.IOException;

/** A tour of Lettuce against redis-ha, or a run through a failover. See ../README.md. */
public final class Sample {
  public static void main(String[] arguments) throws Exception {
    var options = Options.parse(arguments);
    try (var client = RedisClient.create(uri(options))) {
      if (Options.authority() != null) {
        var trust = SslOptions.builder().jdkSslProvider().trustManager(Options.authority().toFile()).build();
        client.setOptions(ClientOptions.builder().sslOptions(trust).build());
      }
      if (options.runThroughFailover()) new ThroughFailover(client, options.prefix()).run();
      else new Tour(client, options.prefix()).run(step -> Line.print("done", step));
    }
  }

  /** Where the client connects to; everything else is as Lettuce has it by default. */
  private static RedisURI uri(Options options) throws IOException {
    var password = Options.password();
    if (options.sentinel() == null) {
      var address = split(options.address());
      var uri = RedisURI.Builder.redis(address.host(), address.port()).withSsl(Options.authority() != null);
      return (password == null ? uri : uri.withPassword(password.toCharArray())).build();
    }
    var address = split(options.sentinel());
    var uri = RedisURI.builder().withSentinelMasterId(options.master()).withSsl(Options.authority() != null);
    if (password == null) return uri.withSentinel(address.host(), address.port()).build();
    // Without the second one only the connections to the master would use the password.
    return uri.withPassword(password.toCharArray())
        .withSentinel(address.host(), address.port(), password)
        .build();
  }

  private record Address(String host, int port) {}

  private static Address split(String address) {
    int colon = address.lastIndexOf(':');
    return new Address(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
  }
}
