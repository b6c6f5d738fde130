import { expect } from "chai";
import { KNOWN, type KnownFault, KnownRig, sizeOf, traceOf } from "./again.ts";

const SEEDS = 10;
const MOST_BUCKETS = 12;

async function withRig<T>(known: KnownFault, use: (rig: KnownRig) => Promise<T>): Promise<T> {
  const rig = await KnownRig.open(known);
  try {
    return await use(rig);
  } finally {
    await rig.close();
  }
}

describe("planted faults that are known by a conversation", () => {
  const buckets = new Set<string>();

  for (const known of KNOWN) {
    const { lie } = known;
    it(`${lie} shows with every seed, among other lies, and in no conversation that is longer than it must be`, () =>
      withRig(known, async (rig) => {
        const trace = traceOf(known);
        for (let seed = 0; seed < SEEDS; seed++) {
          const alarms = await rig.alarms(trace, `${seed}`);
          expect(alarms).to.not.be.empty;
          for (const { signature } of alarms) buckets.add(`${lie}: ${signature}`);
        }
        for (let other = 0; other < 2; other++) {
          const among = rig.amongOthers(trace);
          const alarms = await rig.alarms(among, `${other}`);
          for (const { signature } of alarms) buckets.add(`${lie}: ${signature}`);
          const [first] = alarms;
          if (!first) continue;
          const least = await rig.least(among, `${other}`, first);
          expect(sizeOf(least.trace)).to.deep.equal(sizeOf(trace));
          expect(least).to.include({ shown: true, exhausted: false });
        }
      }));
  }

  it(`are at most ${MOST_BUCKETS} findings, and not one for each hit`, () => {
    expect([...buckets]).to.have.length.within(KNOWN.length, MOST_BUCKETS);
  });
});
