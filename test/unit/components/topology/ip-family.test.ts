import assert from "node:assert/strict";
import { clusterSite } from "../../../../components/topology/site.ts";
import { describeTopology } from "../../../../components/topology/topology.ts";
import { loopbackOf } from "../../../../runtime/loopback.ts";
import { renderRedisConf } from "../../../../sentinel-image/conf/redis-conf.ts";
import { resolveSettings } from "../../../../settings/resolve-settings.ts";

describe("network:ipFamily", () => {
  for (const [family, bind, loopback] of [
    ["IPv4", "0.0.0.0", "127.0.0.1"],
    ["IPv6", "::", "::1"],
  ] as const) {
    it(`has every part of an ${family} cluster listen on ${bind}, and ask its own server at ${loopback}`, () => {
      const settings = resolveSettings({ "images:push": "false", "network:ipFamily": family }, "dev");
      const site = clusterSite("space", undefined, settings.network.ipFamily);
      const { redis, sentinels, proxy } = describeTopology(settings, site);
      for (const { environment } of [...redis, ...sentinels, proxy])
        assert.equal(environment.BIND_ADDR, bind);
      assert.equal(loopbackOf(bind), loopback);
      const conf = renderRedisConf({
        ...{ bind, self: { host: "svc-redis-instance-1", port: 6379 }, dataDirectory: "/data" },
        ...{ maxmemoryBytes: 2 ** 26, maxmemoryPolicy: "noeviction", instanceCount: 3 },
        ...{ extraConfig: undefined, password: undefined, master: undefined },
      });
      assert.match(conf, new RegExp(`^bind ${bind.replaceAll(".", "\\.")}$`, "m"));
    });
  }
});
