/**
 * What clients ask a Sentinel at their start, one list for each connection, as recorded between the client and a Sentinel 7.0.15 of three
 * (master `mymaster`). With their defaults, without a password.
 */
export const sentinelStartups: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "Redisson 3.52.0": [
    [
      "PING",
      "SENTINEL GET-MASTER-ADDR-BY-NAME mymaster",
      "SENTINEL SLAVES mymaster",
      "SENTINEL SENTINELS mymaster",
    ],
    ["PING"],
  ],
  "rueidis 1.0.79": [
    [
      "HELLO 3",
      "CLIENT TRACKING ON OPTIN",
      "CLIENT SETINFO LIB-NAME rueidis",
      "CLIENT SETINFO LIB-VER 1.0.79",
      "UNSUBSCRIBE +sentinel +slave -sdown +sdown +switch-master +reboot",
      "PING",
      "SENTINEL SENTINELS mymaster",
      "SENTINEL GET-MASTER-ADDR-BY-NAME mymaster",
      "SUBSCRIBE +sentinel +slave -sdown +sdown +switch-master +reboot",
      "PING",
    ],
  ],
  "ioredis 6.0.0": [
    [
      "hello 3",
      "client SETINFO LIB-VER 6.0.0",
      "client SETINFO LIB-NAME ioredis",
      "sentinel get-master-addr-by-name mymaster",
      "sentinel sentinels mymaster",
    ],
    [
      "hello 3",
      "client SETINFO LIB-VER 6.0.0",
      "client SETINFO LIB-NAME ioredis",
      "subscribe +switch-master",
    ],
  ],
  "node-redis 6.3.1": [
    [
      "HELLO 3",
      "CLIENT SETINFO LIB-VER 6.3.1",
      "CLIENT SETINFO LIB-NAME node-redis",
      "CLIENT MAINT_NOTIFICATIONS ON moving-endpoint-type external-ip",
      "SENTINEL SENTINELS mymaster",
      "SENTINEL MASTER mymaster",
      "SENTINEL REPLICAS mymaster",
    ],
    ["HELLO 3", "psubscribe switch-master [-+]sdown +slave +sentinel [-+]odown +slave-reconf-done"],
  ],
  "Jedis 6.0.0": [
    [
      "CLIENT SETINFO LIB-NAME jedis",
      "CLIENT SETINFO LIB-VER 6.0.0",
      "SENTINEL GET-MASTER-ADDR-BY-NAME mymaster",
      "SUBSCRIBE +switch-master",
    ],
  ],
  "Lettuce 6.8.0": [
    [
      "HELLO 3",
      "CLIENT SETINFO lib-name Lettuce",
      "CLIENT SETINFO lib-ver 6.8.0.RELEASE/8e6e63d",
      "SENTINEL get-master-addr-by-name mymaster",
    ],
    ["HELLO 3", "SENTINEL master mymaster", "SENTINEL REPLICAS mymaster"],
    ["HELLO 3", "PSUBSCRIBE *"],
  ],
  "redis-py 8.1.0": [
    [
      "HELLO 3",
      "CLIENT MAINT_NOTIFICATIONS ON moving-endpoint-type internal-ip",
      "CLIENT SETINFO LIB-NAME redis-py",
      "CLIENT SETINFO LIB-VER 8.1.0",
      "SENTINEL MASTERS",
      "SENTINEL SLAVES mymaster",
    ],
  ],
  "go-redis 9.23.0": [
    [
      "hello 3",
      "client setinfo LIB-NAME go-redis(,go1.26.8)",
      "client setinfo LIB-VER 9.23.0",
      "sentinel get-master-addr-by-name mymaster",
      "sentinel sentinels mymaster",
      "sentinel replicas mymaster",
    ],
    ["hello 3", "subscribe +switch-master +replica-reconf-done"],
  ],
  "redis-rb 4.8.0": [["sentinel get-master-addr-by-name mymaster"]],
  "Predis 1.1.10": [["SENTINEL get-master-addr-by-name mymaster"]],
  // What an application calls of its RedisSentinel, each once.
  "phpredis 5.3.7": [
    [
      "SENTINEL get-master-addr-by-name mymaster",
      "ping",
      "SENTINEL masters",
      "SENTINEL slaves mymaster",
      "SENTINEL sentinels mymaster",
      "SENTINEL ckquorum mymaster",
    ],
  ],
  "radix 4.1.4": [
    ["SENTINEL SENTINELS mymaster", "SENTINEL MASTER mymaster", "SENTINEL SLAVES mymaster"],
    ["SUBSCRIBE switch-master"],
  ],
};
