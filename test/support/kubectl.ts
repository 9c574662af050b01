import { execa } from "execa";

/** Runs kubectl on the test's context and gives what it printed. */
export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const context = process.env.TEST_CONTEXT;
  if (context === undefined)
    throw new Error("TEST_CONTEXT is not set: run the cluster tests with `make test`");
  const source = input === undefined ? { stdin: "ignore" as const } : { input };
  const { stdout } = await execa("kubectl", ["--context", context, ...args], { timeout: 180_000, ...source });
  return stdout;
}

/** Names of all objects of some kinds in a namespace, `service/x`, but those that every namespace has. */
export async function objectNames(namespace: string, kinds: readonly string[]): Promise<string[]> {
  const output = await kubectl(["--namespace", namespace, "get", kinds.join(","), "--output", "name"]);
  return output.split("\n").filter((name) => name !== "" && name !== "configmap/kube-root-ca.crt");
}

/** Starts a pod that waits until it is deleted, in any namespace; it runs when this returns. */
export async function startIdlePod(namespace: string, name: string, image: string): Promise<void> {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "main", image, command: ["sleep", "600"] }],
    },
  };
  await kubectl(["apply", "--filename", "-"], JSON.stringify(pod));
  await kubectl(["--namespace", namespace, "wait", `pod/${name}`, "--for=condition=Ready", "--timeout=30s"]);
}

/** Runs a command in a pod of its own, as an application of the namespace would, and gives what it printed. */
export async function runInPod(
  namespace: string,
  name: string,
  image: string,
  secret: string,
  script: string,
): Promise<string> {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        fsGroup: 1000,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [
        {
          name: "main",
          image,
          command: ["sh", "-ec", script],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          volumeMounts: [{ name: "credentials", mountPath: "/credentials" }],
        },
      ],
      volumes: [{ name: "credentials", secret: { secretName: secret, defaultMode: 0o440 } }],
    },
  };
  await kubectl(["apply", "--filename", "-"], JSON.stringify(pod));
  try {
    await kubectl([
      "--namespace",
      namespace,
      "wait",
      `pod/${name}`,
      "--for=jsonpath={.status.phase}=Succeeded",
      "--timeout=30s",
    ]);
    return await kubectl(["--namespace", namespace, "logs", name]);
  } finally {
    await kubectl(["--namespace", namespace, "delete", "pod", name, "--force", "--grace-period=0"]);
  }
}
