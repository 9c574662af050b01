package sample;

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
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.Response;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.params.SetParams;

/** What applications do with Redis, each in its usual form for Jedis. */
final class Tour {
  private interface Step {
    void run(String key) throws Exception;
  }

  private final UnifiedJedis redis;
  private final String prefix;

  Tour(UnifiedJedis redis, String prefix) {
    this.redis = redis;
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
    redis.set(key, "value", SetParams.setParams().ex(60));
    expect(redis.get(key), "value");
  }

  private void pipeline(String key) {
    redis.del(key);
    var replies = new ArrayList<Response<Long>>();
    try (var pipeline = redis.pipelined()) {
      for (int i = 0; i < 100; i++) replies.add(pipeline.incr(key));
      pipeline.sync();
    }
    for (int i = 0; i < 100; i++) expect(replies.get(i).get(), i + 1L);
  }

  private void transaction(String key) {
    try (var transaction = redis.multi()) {
      transaction.del(key);
      transaction.rpush(key, "a", "b");
      transaction.lrange(key, 0, -1);
      var replies = transaction.exec();
      expect(replies.subList(1, 3), List.of(2L, List.of("a", "b")));
    }
  }

  private void watch(String key) {
    redis.set(key, "1");
    int attempts = 0;
    List<Object> replies = null;
    while (replies == null) {
      attempts++;
      // False: MULTI is sent later, so that there can be commands between WATCH and MULTI.
      try (var transaction = redis.transaction(false)) {
        transaction.watch(key);
        int value = Integer.parseInt(redis.get(key));
        if (attempts == 1) redis.incr(key); // somebody else was faster: this attempt must not win
        transaction.multi();
        transaction.set(key, String.valueOf(value * 10));
        replies = transaction.exec();
      }
    }
    expect(List.of(attempts, redis.get(key)), List.of(2, "20"));
  }

  private void publishAndSubscribe(String key) throws InterruptedException {
    BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    var subscriber = new JedisPubSub() {
      @Override
      public void onSubscribe(String channel, int count) {
        seen.add("subscribed");
      }

      @Override
      public void onMessage(String channel, String message) {
        seen.add(message);
      }
    };
    // It keeps its thread until it is unsubscribed.
    var listening = CompletableFuture.runAsync(() -> redis.subscribe(subscriber, key));
    expect(seen.poll(5, TimeUnit.SECONDS), "subscribed");
    redis.publish(key, "hello");
    expect(seen.poll(5, TimeUnit.SECONDS), "hello");
    subscriber.unsubscribe();
    listening.join();
  }

  private void blockingPop(String key) {
    redis.del(key);
    var later = CompletableFuture.delayedExecutor(100, TimeUnit.MILLISECONDS);
    var pushed = CompletableFuture.runAsync(() -> redis.rpush(key, "job"), later);
    expect(redis.blpop(4, key), List.of(key, "job"));
    pushed.join();
  }

  private void script(String key) {
    redis.set(key, "40");
    var sum = redis.eval("return redis.call('INCRBY', KEYS[1], ARGV[1])", List.of(key), List.of("2"));
    expect(sum, 42L);
  }

  private void bigValue(String key) {
    var value = new byte[2 * 1024 * 1024];
    new Random().nextBytes(value);
    redis.set(key.getBytes(), value, SetParams.setParams().ex(60));
    if (!Arrays.equals(redis.get(key.getBytes()), value)) throw new IllegalStateException("another value came back");
  }

  private static void expect(Object found, Object wanted) {
    if (!Objects.equals(found, wanted)) throw new IllegalStateException("got " + found + ", not " + wanted);
  }
}
