/**
 * Where an instance with `redis:persistence off` works, inside of where one that keeps its data has them: never the same place, since its old
 * files would be taken for new ones after a change back.
 */
export const volatileDirectory = "volatile";

/** Whether a server keeps nothing by its configuration. @param configFile `config_file` of its INFO. */
export function isVolatile(configFile: string | undefined): boolean {
  return configFile?.endsWith(`/${volatileDirectory}/ha/redis.conf`) === true;
}
