package sample;

import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisException;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import java.util.ArrayList;

/** Writes all the time, and tells what became of each write, until standard input is closed. */
final class ThroughFailover {
  private static final int WRITERS = 4;
  private static final long PAUSE_MS = 10;

  private final RedisClient client;
  private final String prefix;
  private volatile boolean stopping = false;

  ThroughFailover(RedisClient client, String prefix) {
    this.client = client;
    this.prefix = prefix;
  }

  void run() throws Exception {
    var subscriber = client.connectPubSub();
    subscriber.addListener(new RedisPubSubAdapter<String, String>() {
      @Override
      public void message(String channel, String message) {
        Line.print("event", "received", "message", message);
      }
    });
    subscriber.sync().subscribe(prefix + ":channel");
    // One connection for all threads, as Lettuce is meant to be used.
    var redis = client.connect().sync();
    // Not earlier: the connections on which it asked the Sentinel are closed by itself.
    client.addListener(new RedisConnectionStateListener() {
      @Override
      public void onRedisDisconnected(RedisChannelHandler<?, ?> connection) {
        if (!stopping) Line.print("event", "disconnected");
      }
    });
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < WRITERS; i++) {
      int writer = i;
      threads.add(new Thread(() -> write(redis, writer)));
    }
    for (var thread : threads) thread.start();
    Line.print("event", "ready");
    System.in.readAllBytes();
    stopping = true;
    for (var thread : threads) thread.join();
    Line.print("event", "stopped");
  }

  /** In turns a command that counts and one that appends: both would show if they ran twice. */
  private void write(RedisCommands<String, String> redis, int writer) {
    for (int number = 1; !stopping; number++) {
      var command = number % 2 == 0 ? "INCR" : "RPUSH";
      var id = writer + "-" + number;
      try {
        long value = command.equals("INCR") ? redis.incr(prefix + ":counter") : redis.rpush(prefix + ":list", id);
        Line.print("event", "written", "command", command, "id", id, "value", value);
      } catch (RedisException error) {
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
