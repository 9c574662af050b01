/** kubectl starts `kubectl redis-ha` as a program of this name, dashes of the command written as underscores. The launcher tells by which name it was started. */
const pluginName = /^kubectl-redis_ha(?:\.\w+)?$/;

/** Whether it runs as a plugin of kubectl: it is about stacks then, and the namespace of the current context is meant unless another one is named. */
export const isKubectlPlugin = pluginName.test(process.env.REDIS_HA_CALLED_AS ?? "");

/** What the user types. */
export const commandName = isKubectlPlugin ? "kubectl redis-ha" : "redis-ha";
