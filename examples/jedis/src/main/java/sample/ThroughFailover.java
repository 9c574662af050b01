package sample;

import java.util.ArrayList;
import java.util.concurrent.CountDownLatch;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisException;

/** Writes all the time, and tells what became of each write, until standard input is closed. */
final class ThroughFailover {
  private static final int WRITERS = 4;
  private static final long PAUSE_MS = 10;

  private final UnifiedJedis redis;
  private final String prefix;
  private volatile boolean stopping = false;

  ThroughFailover(UnifiedJedis redis, String prefix) {
    this.redis = redis;
    this.prefix = prefix;
  }

  void run() throws Exception {
    var subscribed = new CountDownLatch(1);
    var subscriber = new JedisPubSub() {
      @Override
      public void onSubscribe(String channel, int count) {
        subscribed.countDown();
      }

      @Override
      public void onMessage(String channel, String message) {
        Line.print("event", "received", "message", message);
      }
    };
    var threads = new ArrayList<Thread>();
    threads.add(new Thread(() -> listen(subscriber)));
    for (int i = 0; i < WRITERS; i++) {
      int writer = i;
      threads.add(new Thread(() -> write(writer)));
    }
    for (var thread : threads) thread.start();
    subscribed.await();
    Line.print("event", "ready");
    System.in.readAllBytes();
    stopping = true;
    subscriber.unsubscribe();
    for (var thread : threads) thread.join();
    Line.print("event", "stopped");
  }

  private void listen(JedisPubSub subscriber) {
    try {
      redis.subscribe(subscriber, prefix + ":channel");
    } catch (JedisException error) {
      Line.print("event", "disconnected", "reason", error);
    }
  }

  /** In turns a command that counts and one that appends: both would show if they ran twice. */
  private void write(int writer) {
    for (int number = 1; !stopping; number++) {
      var command = number % 2 == 0 ? "INCR" : "RPUSH";
      var id = writer + "-" + number;
      try {
        long value = command.equals("INCR") ? redis.incr(prefix + ":counter") : redis.rpush(prefix + ":list", id);
        Line.print("event", "written", "command", command, "id", id, "value", value);
      } catch (JedisException error) {
        // "UNCERTAIN …": it may have been executed. An application looks, or does what its user would want.
        Line.print("event", "error", "command", command, "id", id, "message", error.getMessage());
      }
      pause();
    }
  }

  private void pause() {
    try {
      Thread.sleep(PAUSE_MS);
    } catch (InterruptedException error) {
      stopping = true;
    }
  }
}
