import assert from "node:assert/strict";
import type { Agreement, SentinelView } from "../../../quorum/agreement.ts";
import { PatientAgreement } from "../../../quorum/patient-agreement.ts";
import { instance, view } from "../../support/sentinel-views.ts";

describe("PatientAgreement", () => {
  let patient: PatientAgreement;
  beforeEach(() => {
    patient = new PatientAgreement();
  });

  const at = (nowMs: number, views: readonly SentinelView[], minEpoch = 0): Agreement =>
    patient.agree(views, { sentinelCount: 3, minEpoch }, nowMs);
  function assertAgreed(agreement: Agreement, master: number, configEpoch: number): void {
    assert.ok(agreement.kind === "agreed", JSON.stringify(agreement));
    assert.deepEqual([agreement.master, agreement.configEpoch], [instance(master), configEpoch]);
  }

  const lying = [view(1, 3, 999), view(2, 1, 4), view(3, 1, 4)];

  it("waits for a failover's leader to tell the others", () => {
    const announced = [view(1, 2, 5), view(2, 1, 4), view(3, 1, 4)];
    for (const ms of [0, 1000, 4999]) assert.equal(at(ms, announced).kind, "none");
    assertAgreed(at(5000, [view(1, 2, 5), view(2, 2, 5), view(3, 1, 4)]), 2, 5);
  });

  it("doesn't let one lying Sentinel with a huge epoch block a first start for ever", () => {
    assert.equal(at(0, lying).kind, "none");
    assert.equal(at(4999, lying).kind, "none");
    assertAgreed(at(5000, lying), 1, 4);
  });

  it("doesn't let it block the failovers after that", () => {
    at(0, lying);
    assertAgreed(at(5000, lying), 1, 4);
    assert.equal(at(9000, [view(1, 3, 999), view(2, 2, 5), view(3, 1, 4)]).kind, "none");
    assertAgreed(at(9100, [view(1, 3, 999), view(2, 2, 5), view(3, 2, 5)]), 2, 5);
  });

  it("isn't impressed when the liar changes its story", () => {
    at(0, lying);
    at(3000, [view(1, 2, 2000), view(2, 1, 4), view(3, 1, 4)]);
    assertAgreed(at(5000, [view(1, 3, 3000), view(2, 1, 4), view(3, 1, 4)]), 1, 4);
  });

  it("waits again for a Sentinel that was in line meanwhile", () => {
    at(0, lying);
    at(5000, lying);
    assertAgreed(at(6000, [view(1, 1, 4), view(2, 1, 4), view(3, 1, 4)]), 1, 4);
    assert.equal(at(7000, [view(1, 2, 5), view(2, 1, 4), view(3, 1, 4)]).kind, "none");
  });

  it("still needs a majority of all Sentinels beside the liar", () => {
    const alone = [view(1, 3, 999), view(2, 1, 4)];
    at(0, alone);
    assert.equal(at(60_000, alone).kind, "none");
  });

  it("never lets a liar decide", () => {
    const split = [view(1, 3, 999), view(2, 1, 4), view(3, 2, 5)];
    at(0, split);
    assert.equal(at(60_000, split).kind, "none");
  });

  it("takes a lower epoch after a while: Sentinels that all lost their state begin at 0", () => {
    const restarted = [view(1, 2, 0), view(2, 2, 0), view(3, 2, 0)];
    assert.equal(at(0, restarted, 7).kind, "none");
    assert.equal(at(4999, restarted, 7).kind, "none");
    assertAgreed(at(5000, restarted, 7), 2, 0);
  });
});
