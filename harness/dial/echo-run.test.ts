import { expect } from "chai";
import type { EchoReply, Probe } from "../extensions/esp-echo-requester.ts";
import { type EchoPlan, EchoRun, summaryOf } from "./echo-run.ts";
import { replyLine, summaryLines } from "./echo-text.ts";

const PATH = {
  protocol: "esp",
  source: { host: "192.0.2.2", port: 0 },
  destination: { host: "192.0.2.1", port: 0 },
} as const;

/** A path in virtual time that lets requests of this many octets through, and loses every n-th. */
function path(most: number, { rttMs = 5, loses = 0 } = {}) {
  let now = 0;
  let sequence = 0;
  const due: { at: number; act: () => void }[] = [];
  const world = {
    interrupted: false,
    now: () => now,
    async until(condition: () => boolean, ms: number): Promise<boolean> {
      const end = now + ms;
      while (!condition() && !world.interrupted) {
        const next = due.findIndex(({ at }) => at <= end);
        const [event] = next < 0 ? [] : due.splice(next, 1);
        now = Math.max(now, event?.at ?? end);
        if (!event) break;
        event.act();
      }
      return condition();
    },
  };
  const requester = {
    probe({ data = new Uint8Array() }: Probe): number {
      const number = ++sequence;
      const reply: EchoReply = {
        ...{ sequence: number, rttMs, spi: 0xc0ffee02, asAsked: true, plain: false, data },
        ...{ sentOctets: data.length, matches: true, duplicate: false },
        datagram: { ...PATH, data },
      };
      const lost = data.length > most || (loses > 0 && number % loses === 0);
      if (!lost) due.push({ at: now + rttMs, act: () => run.take(reply) });
      return number;
    },
  };
  let run: EchoRun;
  return {
    world,
    elapsed: () => now,
    async run(plan: Partial<EchoPlan>): Promise<EchoRun> {
      const whole = {
        sizes: [56],
        count: 5,
        intervalMs: 1000,
        timeoutMs: 3000,
        probe: {},
        oneWay: false,
        ...plan,
      };
      run = new EchoRun(requester, whole, world);
      await run.run();
      return run;
    },
  };
}

describe("ESP echo runs", () => {
  it("send as many requests as asked, one an interval, and wait for the last reply alone", async () => {
    const way = path(1400);
    const { requests } = await way.run({ count: 5 });
    expect(requests.map(({ atMs }) => atMs)).to.deep.equal([0, 1000, 2000, 3000, 4000]);
    expect(way.elapsed()).to.equal(4005);
    expect(summaryOf(requests, false)).to.deep.include({ requests: 5, answered: 5, loss: 0 });
  });

  it("count what is lost, and wait for it no longer than asked", async () => {
    const way = path(1400, { loses: 2 });
    const { requests } = await way.run({ count: 4 });
    expect(requests.map(({ overdue }) => overdue)).to.deep.equal([false, true, false, true]);
    expect(way.elapsed()).to.equal(6000);
    expect(summaryOf(requests, false).loss).to.equal(0.5);
  });

  for (const most of [63, 64, 100, 1422, 4096, 64_999, 65_535]) {
    it(`find that ${most} octets pass`, async () => {
      const { requests } = await path(most).run({ sizes: "sweep", count: 2 });
      const found = summaryOf(requests, false).largest;
      expect(found).to.equal(most < 64 ? undefined : Math.min(most, 65_000));
      expect(requests.length).to.be.below(60);
    });
  }

  it("find the size on a path that loses some, too, and judge silence sooner once they know it", async () => {
    const way = path(1422, { loses: 3 });
    const { requests } = await way.run({ sizes: "sweep", count: 3 });
    expect(summaryOf(requests, false).largest).to.equal(1422);
    expect(way.elapsed()).to.be.below(15_000);
  });

  it("end when the user wants no more", async () => {
    const way = path(10);
    way.world.interrupted = true;
    expect((await way.run({ sizes: "sweep" })).requests).to.deep.equal([]);
    expect((await way.run({})).requests).to.deep.equal([]);
  });

  it("are told in the words of ping", async () => {
    const { requests } = await path(1400).run({ count: 2 });
    const [request] = requests;
    const [reply] = request?.replies ?? [];
    if (!request || !reply) throw new Error("no reply");
    const data = reply.data.subarray(0, 8);
    expect(replyLine("192.0.2.2", request, reply)).to.equal(
      "56 octets from 192.0.2.2: seq=1 spi=c0ffee02 time=5.000 ms",
    );
    const odd = { ...reply, data, matches: false, asAsked: false, duplicate: true };
    expect(replyLine("192.0.2.2", request, odd)).to.match(
      / \(8 of them came back, with other data than was sent, on another SPI than was asked for, duplicate\)$/,
    );
    request.replies.push(odd);
    const facts = { peer: "192.0.2.2", elapsedMs: 1005.4, oneWay: false, manySizes: true };
    expect(summaryLines(summaryOf(requests, false), facts)).to.deep.equal([
      "--- ESP echo statistics of 192.0.2.2 ---",
      "2 requests, 2 answered, +1 duplicates, 0 % loss, time 1005 ms",
      "round trip min/avg/max/mdev = 5.000/5.000/5.000/0.000 ms",
      "largest size that passes: 56 octets",
    ]);
  });
});
