// Another stack that uses the Redis of this one. `pulumi config set redisStack organization/redis-ha/dev`.
import * as pulumi from "@pulumi/pulumi";

const redis = new pulumi.StackReference(new pulumi.Config().require("redisStack"));

/** What an application needs in its environment. */
export const redisEndpoint = redis.requireOutput("proxyEndpoint");
/** The Secret to mount, in the namespace of the Redis. */
export const credentialsSecret = redis.requireOutput("credentialsSecret");
/** For an application in another namespace: secret in this stack's state, too. */
export const connectionString = redis.requireOutput("connectionString");
