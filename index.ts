import { keepsFormerNames } from "./components/former-names.ts";
import { resolveImages } from "./components/images.ts";
import { problemsOfObjects } from "./components/promises/problems-of-objects.ts";
import { RedisHa } from "./components/redis-ha.ts";
import { readConfiguration } from "./settings/read-settings.ts";

const { args, settings } = readConfiguration(problemsOfObjects);
const name = "redis-ha";

export const {
  proxyEndpoint,
  proxyHost,
  proxyPort,
  externalEndpoint,
  sentinelEndpoint,
  masterName,
  namespace,
  users,
  credentialsSecret,
  password,
  connectionString,
  exporterSecret,
  caCertificate,
} = new RedisHa(
  name,
  {
    ...args,
    images: { ...args.images, ...(await resolveImages(settings.images)) },
  },
  { transformations: [keepsFormerNames(name)] },
);
