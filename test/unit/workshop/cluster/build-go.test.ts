import assert from "node:assert/strict";
import { describeBuild, isPackage } from "../../../../workshop/cluster/build-go.ts";

const begun = { name: "kubelet", compiled: 0, all: undefined, current: "", seconds: 0.4 };

describe("how far a build of Go is", () => {
  it("is told by packages, time and what is compiled", () => {
    assert.equal(describeBuild(begun), "kubelet: 0 packages compiled, 0:00");
    assert.equal(
      describeBuild({ ...begun, compiled: 312, all: 1204, current: "k8s.io/api/core/v1", seconds: 65.9 }),
      "kubelet: 312 of at most 1204 packages compiled, 1:05, k8s.io/api/core/v1",
    );
  });

  it("is read from lines that name a package, and not from what the compiler complains of", () => {
    for (const line of ["k8s.io/api/core/v1", "net/http", "runtime", "gopkg.in/yaml.v3", "internal/abi"])
      assert.ok(isPackage(line), line);
    const others = [
      "# example.com/program",
      "./main.go:3:2: undefined: x",
      "go: downloading golang.org/x/net v0.30.0",
      "",
    ];
    for (const line of others) assert.ok(!isPackage(line), line);
  });
});
