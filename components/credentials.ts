import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { commonLabels } from "./labels.ts";

/** Arguments of {@link Credentials}. */
export interface CredentialsArgs {
  readonly stack: string;
  readonly namespace: pulumi.Input<string>;
}

/** The password of Redis and the Sentinels, in a Secret that the pods mount as a file. */
export class Credentials extends pulumi.ComponentResource {
  /** The password. Secret: encrypted in the state, hidden in the output. */
  readonly password: pulumi.Output<string>;
  /** Name of the Secret; its key is `password`. A new password makes a new Secret, so the pods roll. */
  readonly secretName: pulumi.Output<string>;

  constructor(name: string, args: CredentialsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("redis-ha:index:Credentials", name, {}, opts);
    // Letters and digits only: valid as they are in a configuration file, a URL and a shell. 40 of them are 238 bits.
    const generated = new random.RandomPassword(
      `${name}-password`,
      { length: 40, special: false },
      { parent: this },
    );
    const secret = new k8s.core.v1.Secret(
      name,
      {
        metadata: { namespace: args.namespace, labels: commonLabels(args.stack) },
        type: "Opaque",
        immutable: true,
        stringData: { password: generated.result },
      },
      { parent: this },
    );
    this.password = pulumi.secret(generated.result);
    this.secretName = secret.metadata.name;
    this.registerOutputs({ password: this.password, secretName: this.secretName });
  }
}
