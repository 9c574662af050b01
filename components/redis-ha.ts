import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { RedisHaArgs } from "../settings/args.ts";
import type { Settings } from "../settings/resolve-settings.ts";
import { warningsOf } from "../settings/warnings.ts";
import { withAnnotations } from "./annotate.ts";
import { checkArgs } from "./check-args.ts";
import { type Connections, connectionsOf } from "./connections.ts";
import { makeParts } from "./make-parts.ts";

interface Checked {
  readonly component: string;
  readonly images: RedisHaArgs["images"];
  readonly settings: Settings;
}

/**
 * By the inputs that the component is registered with. They are empty: its parts would wait for all of them, and so the volumes for
 * the images.
 */
const checked = new WeakMap<pulumi.Inputs, Checked>();

/**
 * A highly available Redis: instances, Sentinels, and proxies that hide failovers behind one endpoint.
 *
 * Names of its resources begin with the component's, so that several live in one program; with `namePrefix` they also live in one
 * namespace. The cluster is the one of the kubeconfig and of `context`: the component itself asks it, before it changes anything
 * and while it rolls pods, so it can't be given a provider.
 */
export class RedisHa extends pulumi.ComponentResource<Connections> {
  /** `host:port` that plain Redis clients inside the cluster connect to. */
  readonly proxyEndpoint: pulumi.Output<string>;
  readonly proxyHost: pulumi.Output<string>;
  readonly proxyPort: pulumi.Output<number>;
  /** `host:port` for clients outside the cluster; empty unless `proxy.serviceType` offers one. */
  readonly externalEndpoint: pulumi.Output<string>;
  /** `host:port` for Sentinel clients: the proxy's own Sentinel API, or all real Sentinels. */
  readonly sentinelEndpoint: pulumi.Output<string>;
  readonly masterName: pulumi.Output<string>;
  readonly namespace: pulumi.Output<string>;
  /** The applications' users: password, Secret and connection string of each. A secret. */
  readonly users: Connections["users"];
  /** The first user's. Name of the Secret whose key `password` applications mount. */
  readonly credentialsSecret: pulumi.Output<string | undefined>;
  readonly password: pulumi.Output<string | undefined>;
  readonly connectionString: pulumi.Output<string | undefined>;
  /** Name of the Secret with the password of the user `exporter`, for a metrics exporter. */
  readonly exporterSecret: pulumi.Output<string | undefined>;
  /** What clients have to trust, as PEM; undefined without TLS, and where certificates come from elsewhere. */
  readonly caCertificate: pulumi.Output<string | undefined>;

  /** @throws {pulumi.RunError} that lists every mistake in the arguments. */
  constructor(name: string, args: RedisHaArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseProviders(name, opts);
    const settings = checkArgs(name, args);
    const inputs = {};
    checked.set(inputs, { component: name, images: args.images, settings });
    super("redis-ha:index:RedisHa", name, inputs, withAnnotations(settings.deployment.annotations, opts));
    for (const warning of warningsOf(settings)) void pulumi.log.warn(warning, this);
    const parts = this.getData();
    // One by one: an output of all of them would be as secret as the passwords.
    const known = <T>(pick: (connections: Connections) => pulumi.Input<T>): pulumi.Output<T> =>
      pulumi.output(parts.then(pick)) as pulumi.Output<T>;
    this.proxyEndpoint = known(({ proxyEndpoint }) => proxyEndpoint);
    this.proxyHost = known(({ proxyHost }) => proxyHost);
    this.proxyPort = known(({ proxyPort }) => proxyPort);
    this.externalEndpoint = known(({ externalEndpoint }) => externalEndpoint);
    this.sentinelEndpoint = known(({ sentinelEndpoint }) => sentinelEndpoint);
    this.masterName = pulumi.output(settings.sentinel.masterName);
    this.namespace = known(({ namespace }) => namespace);
    this.users = known(({ users }) => users);
    this.credentialsSecret = known(({ credentialsSecret }) => credentialsSecret);
    this.password = known(({ password }) => password);
    this.connectionString = known(({ connectionString }) => connectionString);
    this.exporterSecret = known(({ exporterSecret }) => exporterSecret);
    this.caCertificate = known(({ caCertificate }) => caCertificate);
    this.registerOutputs({
      proxyEndpoint: this.proxyEndpoint,
      sentinelEndpoint: this.sentinelEndpoint,
      namespace: this.namespace,
    });
  }

  /** Makes the parts. The base class calls it from its constructor: nothing of this class is there yet. */
  protected override async initialize(args: pulumi.Inputs): Promise<Connections> {
    const known = checked.get(args);
    if (known === undefined) throw new Error("only the constructor calls this");
    return connectionsOf(await makeParts({ parent: this, ...known }), known.settings);
  }
}

function refuseProviders(name: string, { provider, providers }: pulumi.ComponentResourceOptions = {}): void {
  const given = [...(provider === undefined ? [] : [provider]), ...Object.values(providers ?? {})];
  if (!given.some((one) => k8s.Provider.isInstance(one))) return;
  throw new pulumi.RunError(
    `RedisHa '${name}' was given a provider of Kubernetes, but it asks the cluster itself and makes its own: name the cluster by the argument 'context', or by the kubeconfig (KUBECONFIG).`,
  );
}
