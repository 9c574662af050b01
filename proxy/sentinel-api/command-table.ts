/** One command or subcommand: how many arguments it takes (its name included; −2 means 2 or more) and who may send it. */
export interface CommandRule {
  readonly arity: number;
  /** Answered without authentication. */
  readonly beforeAuth?: boolean;
  /** Allowed to a RESP2 client that has subscribed. */
  readonly whileSubscribed?: boolean;
  /** Known, and refused here: it would change what the real Sentinels or other clients have. */
  readonly refused?: boolean;
  readonly subcommands?: Readonly<Record<string, CommandRule>>;
  readonly summary?: string;
}

/** Every command of the Sentinel port; arities are a real Sentinel's. */
export const commandTable: Readonly<Record<string, CommandRule>> = {
  acl: { arity: -2, subcommands: { whoami: { arity: 2 } }, summary: "Tells the user of the connection" },
  auth: { arity: -2, beforeAuth: true, summary: "Authenticates the connection" },
  client: {
    arity: -2,
    summary: "Tells about client connections",
    subcommands: {
      caching: { arity: 3 },
      getname: { arity: 2 },
      getredir: { arity: 2 },
      id: { arity: 2 },
      info: { arity: 2 },
      kill: { arity: -3, refused: true },
      list: { arity: -2 },
      "no-evict": { arity: 3 },
      "no-touch": { arity: 3 },
      pause: { arity: -3, refused: true },
      reply: { arity: 3 },
      setinfo: { arity: 4 },
      setname: { arity: 3 },
      tracking: { arity: -3 },
      unblock: { arity: -3, refused: true },
      unpause: { arity: 2, refused: true },
    },
  },
  command: {
    arity: -1,
    summary: "Tells about the commands of this port",
    subcommands: {
      count: { arity: 2 },
      docs: { arity: -2 },
      info: { arity: -2 },
      list: { arity: 2 },
    },
  },
  echo: { arity: 2, summary: "Returns the given text" },
  hello: { arity: -1, beforeAuth: true, summary: "Greets, authenticates and chooses the protocol" },
  info: { arity: -1, summary: "Tells about this server and its master" },
  ping: { arity: -1, whileSubscribed: true, summary: "Answers" },
  psubscribe: { arity: -2, whileSubscribed: true, summary: "Listens to channels by pattern" },
  publish: { arity: 3, summary: "Accepts nothing here" },
  punsubscribe: { arity: -1, whileSubscribed: true, summary: "Stops to listen by pattern" },
  quit: { arity: -1, beforeAuth: true, whileSubscribed: true, summary: "Closes the connection" },
  reset: { arity: 1, beforeAuth: true, whileSubscribed: true, summary: "Makes the connection as new" },
  role: { arity: 1, summary: "Tells that this is a Sentinel, and its masters" },
  sentinel: {
    arity: -2,
    summary: "Tells about the master and its Sentinels",
    subcommands: {
      ckquorum: { arity: 3 },
      config: { arity: -3, refused: true },
      debug: { arity: -2, refused: true },
      failover: { arity: 3, refused: true },
      flushconfig: { arity: 2, refused: true },
      "get-master-addr-by-name": { arity: 3 },
      help: { arity: 2 },
      "info-cache": { arity: -3, refused: true },
      "is-master-down-by-addr": { arity: 6, refused: true },
      master: { arity: 3 },
      masters: { arity: 2 },
      monitor: { arity: 6, refused: true },
      myid: { arity: 2 },
      "pending-scripts": { arity: 2 },
      remove: { arity: 3, refused: true },
      replicas: { arity: 3 },
      reset: { arity: 3, refused: true },
      sentinels: { arity: 3 },
      set: { arity: -5, refused: true },
      "simulate-failure": { arity: -3, refused: true },
      slaves: { arity: 3 },
    },
  },
  shutdown: { arity: -1, refused: true, summary: "Is refused here" },
  subscribe: { arity: -2, whileSubscribed: true, summary: "Listens to channels" },
  unsubscribe: { arity: -1, whileSubscribed: true, summary: "Stops to listen to channels" },
};
