package sample;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Set;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.SslOptions;
import redis.clients.jedis.UnifiedJedis;

/** A tour of Jedis against redis-ha, or a run through a failover. See ../README.md. */
public final class Sample {
  public static void main(String[] arguments) throws Exception {
    var options = Options.parse(arguments);
    try (var redis = connect(options)) {
      if (options.runThroughFailover()) new ThroughFailover(redis, options.prefix()).run();
      else new Tour(redis, options.prefix()).run(step -> Line.print("done", step));
    }
  }

  /** A pool of connections with Jedis' default settings, safe in many threads. */
  private static UnifiedJedis connect(Options options) throws Exception {
    var builder = DefaultJedisClientConfig.builder().password(Options.password());
    if (Options.authority() != null) builder.sslOptions(trusting(Options.authority()));
    var config = builder.build();
    if (options.sentinel() == null) {
      return RedisClient.builder().hostAndPort(HostAndPort.from(options.address())).clientConfig(config).build();
    }
    return RedisSentinelClient.builder()
        .masterName(options.master())
        .sentinels(Set.of(HostAndPort.from(options.sentinel())))
        .clientConfig(config)
        // Without it only the connections to the master would use the password.
        .sentinelClientConfig(config)
        .build();
  }

  /** Java wants a key store where other languages take the file itself. */
  private static SslOptions trusting(Path authority) throws Exception {
    var store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    try (var file = Files.newInputStream(authority)) {
      int number = 0;
      for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
        store.setCertificateEntry("authority-" + number++, certificate);
      }
    }
    // There is no secret in it.
    var password = "public".toCharArray();
    var file = Files.createTempFile("authority", ".p12");
    file.toFile().deleteOnExit();
    try (var output = Files.newOutputStream(file)) {
      store.store(output, password);
    }
    return SslOptions.builder().truststore(file.toFile(), password).trustStoreType("PKCS12").build();
  }
}
