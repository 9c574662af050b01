package sample;

import io.lettuce.core.KeyValue;
import io.lettuce.core.LettuceFutures;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SetArgs;
import io.lettuce.core.TransactionResult;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** What applications do with Redis, each in its usual form for Lettuce. */
final class Tour {
  private interface Step {
    void run(String key) throws Exception;
  }

  private final RedisClient client;
  /** One connection for all threads: Lettuce sends their commands one after the other without waiting. */
  private final RedisCommands<String, String> redis;
  private final String prefix;

  Tour(RedisClient client, String prefix) {
    this.client = client;
    this.redis = client.connect().sync();
    this.prefix = prefix;
  }

  /** Runs all steps and tells each that is done; ends with the first one that gives something else than it should. */
  void run(Consumer<String> done) throws Exception {
    var steps = new LinkedHashMap<String, Step>();
    steps.put("set and get", this::setAndGet);
    steps.put("pipeline", this::pipeline);
    steps.put("transaction", this::transaction);
    steps.put("watch", this::watch);
    steps.put("publish and subscribe", this::publishAndSubscribe);
    steps.put("blocking pop", this::blockingPop);
    steps.put("script", this::script);
    steps.put("big value", this::bigValue);
    for (var step : steps.entrySet()) {
      step.getValue().run(prefix + ":" + step.getKey().replace(' ', '_'));
      done.accept(step.getKey());
    }
  }

  private void setAndGet(String key) {
    redis.set(key, "value", SetArgs.Builder.ex(60));
    expect(redis.get(key), "value");
  }

  private void pipeline(String key) throws Exception {
    redis.del(key);
    try (var connection = client.connect()) {
      connection.setAutoFlushCommands(false);
      var replies = new ArrayList<RedisFuture<Long>>();
      for (int i = 0; i < 100; i++) replies.add(connection.async().incr(key));
      connection.flushCommands();
      LettuceFutures.awaitAll(Duration.ofSeconds(5), replies.toArray(new RedisFuture<?>[0]));
      for (int i = 0; i < 100; i++) expect(replies.get(i).get(), i + 1L);
    }
  }

  /** A transaction is a state of its connection: it needs one that no other thread uses. */
  private void transaction(String key) {
    try (var connection = client.connect()) {
      var own = connection.sync();
      own.multi();
      own.del(key);
      own.rpush(key, "a", "b");
      own.lrange(key, 0, -1);
      var replies = own.exec();
      expect(List.of(replies.get(1), replies.get(2)), List.of(2L, List.of("a", "b")));
    }
  }

  private void watch(String key) {
    redis.set(key, "1");
    int attempts = 0;
    try (var connection = client.connect()) {
      var own = connection.sync();
      TransactionResult replies;
      do {
        attempts++;
        own.watch(key);
        int value = Integer.parseInt(own.get(key));
        if (attempts == 1) redis.incr(key); // somebody else was faster: this attempt must not win
        own.multi();
        own.set(key, String.valueOf(value * 10));
        replies = own.exec();
      } while (replies.wasDiscarded());
    }
    expect(List.of(attempts, redis.get(key)), List.of(2, "20"));
  }

  private void publishAndSubscribe(String key) throws InterruptedException {
    BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    try (var subscriber = client.connectPubSub()) {
      subscriber.addListener(new RedisPubSubAdapter<String, String>() {
        @Override
        public void message(String channel, String message) {
          seen.add(message);
        }
      });
      subscriber.sync().subscribe(key);
      redis.publish(key, "hello");
      expect(seen.poll(5, TimeUnit.SECONDS), "hello");
    }
  }

  private void blockingPop(String key) {
    redis.del(key);
    var later = CompletableFuture.delayedExecutor(100, TimeUnit.MILLISECONDS);
    var pushed = CompletableFuture.runAsync(() -> redis.rpush(key, "job"), later);
    // It would make all other commands of its connection wait.
    try (var connection = client.connect()) {
      expect(connection.sync().blpop(4, key), KeyValue.just(key, "job"));
    }
    pushed.join();
  }

  private void script(String key) {
    redis.set(key, "40");
    Long sum = redis.eval(
        "return redis.call('INCRBY', KEYS[1], ARGV[1])", ScriptOutputType.INTEGER, new String[] {key}, "2");
    expect(sum, 42L);
  }

  private void bigValue(String key) {
    var value = new byte[2 * 1024 * 1024];
    new Random().nextBytes(value);
    try (var connection = client.connect(ByteArrayCodec.INSTANCE)) {
      var bytes = connection.sync();
      bytes.set(key.getBytes(), value, SetArgs.Builder.ex(60));
      if (!Arrays.equals(bytes.get(key.getBytes()), value)) throw new IllegalStateException("another value came back");
    }
  }

  private static void expect(Object found, Object wanted) {
    if (!Objects.equals(found, wanted)) throw new IllegalStateException("got " + found + ", not " + wanted);
  }
}
