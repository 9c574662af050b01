import type { PartUser } from "../../runtime/access/parts.ts";
import type { CertificateKind, Part } from "./site.ts";

/**
 * A secret file: the password of a part's user, by the user's name, the users of a kind of servers, or the password of an
 * application's user that the platform gives.
 */
export type SecretFile =
  | PartUser
  | "redis.acl"
  | "sentinel.acl"
  | "clients.acl"
  | `users/${string}`
  | `backup/${string}`
  | "move/password";

/** The entrypoint program of a workload, by the image that contains it. */
export type Program =
  | { readonly image: "sentinel"; readonly entrypoint: "redis" | "sentinel" }
  | { readonly image: "proxy"; readonly entrypoint: "main" };

/** A port that a workload listens on. */
export interface WorkloadPort {
  readonly name: "redis" | "sentinel" | "admin";
  readonly port: number;
}

/** Storage that outlives the workload's process. */
export interface WorkloadVolume {
  /** The directory where the workload expects it. */
  readonly path: string;
  /** Size as a Kubernetes quantity. Without a meaning for local processes. */
  readonly storage: string;
}

/**
 * What runs: one Redis, one Sentinel or the proxies, with everything that decides its behaviour and nothing that depends
 * on how it is started. components/ makes Kubernetes objects of it, local/ makes processes.
 */
export interface Workload {
  readonly part: Part;
  /** Name of the Deployment or process, `redis-instance-1`. */
  readonly name: string;
  readonly program: Program;
  /** Identical copies. 1 for everything that has a volume. */
  readonly replicas: number;
  /** The complete environment contract of the entrypoint. Never contains a secret. */
  readonly environment: Readonly<Record<string, string>>;
  /** The secret files that it may read. */
  readonly secrets: readonly SecretFile[];
  /**
   * Changes when it has to be started again for new secrets. Unset: it takes them while it runs.
   */
  readonly secretRevision?: string;
  /** The certificate that it uses; undefined without TLS. */
  readonly certificate?: CertificateKind;
  readonly ports: readonly WorkloadPort[];
  readonly volume?: WorkloadVolume;
  /** A directory for what needn't outlive the pod, and how much it may hold, as a Kubernetes quantity. */
  readonly scratch?: { readonly path: string; readonly limit: string };
  /** Name of a claim for backups, which others mount, too. */
  readonly backupClaim?: string;
  /** Seconds that it may take to end in order, from the signal on; then it is killed. */
  readonly graceSeconds: number;
  /** Memory limit as a Kubernetes quantity. */
  readonly memory: string;
}
