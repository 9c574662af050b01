import assert from "node:assert/strict";
import { ReplyWindow } from "../../../../proxy/session/reply-window.ts";

const big = 64 * 1024;

describe("how far a client's commands may go ahead of its replies", () => {
  let now = 0;
  const window = (): ReplyWindow => new ReplyWindow(() => now);

  it("one, until its first reply tells what it asks for", () => {
    assert.deepEqual([window().size, window().lane], [1, "small"]);
  });

  it("a thousand when its replies are small, beside all others", () => {
    const small = window();
    small.saw(5, 1);
    assert.deepEqual([small.size, small.lane], [1024, "small"]);
    // Many small replies in one piece are no big one.
    small.saw(big * 4, 100);
    assert.deepEqual([small.size, small.lane], [1024, "small"]);
  });

  it("fewer, the bigger its replies are: four mebibytes may be on their way", () => {
    const medium = window();
    medium.saw(50_000, 1);
    assert.deepEqual([medium.size, medium.lane], [83, "small"]);
    medium.saw(10 * 8192, 10);
    assert.equal(medium.size, 512);
    medium.saw(10 * 100, 10);
    assert.equal(medium.size, 1024);
  });

  it("a few when its replies are big, beside its like", () => {
    const grown = window();
    grown.saw(5, 1);
    grown.saw(big, 1);
    assert.deepEqual([grown.size, grown.lane], [4, "big"]);
    // A small one among them changes nothing.
    grown.saw(5, 1);
    assert.deepEqual([grown.size, grown.lane], [4, "big"]);
  });

  it("a client without big replies for five seconds is one of the others again", () => {
    const former = window();
    former.saw(big, 1);
    now += 4999;
    assert.equal(former.lane, "big");
    now += 1;
    assert.deepEqual([former.lane, former.size], ["small", 4]);
    former.saw(5, 1);
    assert.equal(former.size, 1024);
  });
});
