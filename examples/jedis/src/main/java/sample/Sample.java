package sample;

import java.io.IOException;
import java.util.Set;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisSentinelClient;
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
  private static UnifiedJedis connect(Options options) throws IOException {
    var config = DefaultJedisClientConfig.builder().password(Options.password()).build();
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
}
