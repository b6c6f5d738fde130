import { expect } from "chai";
import { memoryArena } from "../../../harness/run/arena-memory.ts";
import { Script } from "../../../harness/script/script.ts";
import { lies } from "../lies/index.ts";
import { DEPTHS, FAULT_KINDS, type Fault, type FaultKind } from "./fault.ts";
import { faults } from "./index.ts";
import { type TriggerTrace, triggerTraces } from "./triggers.ts";

interface Course {
  script: Script;
  /** Octets that were taken and not given back. */
  grown: number;
}

async function play({ config, play }: TriggerTrace, lie?: string): Promise<Course> {
  const arena = await memoryArena({ config }, { seed: "faults", ...(lie !== undefined && { lie }) });
  const script = new Script(arena);
  await play(script);
  return { script, grown: (await arena.driver.resources()).octets };
}

async function saysEstablished({ script }: Course): Promise<string> {
  const { ikeSas, childSas } = await script.arena.driver.status();
  return `${ikeSas.filter(({ state }) => state === "established").length} IKE, ${childSas.length} Child SAs`;
}

async function isDeaf({ script }: Course): Promise<boolean> {
  const { alive } = await script.arena.driver.status();
  return alive && !(await script.peerAnswers());
}

/** What can be seen of an effect; that of an honest peer is another. */
const visible: Record<FaultKind, (course: Course) => Promise<unknown>> = {
  crash: async ({ script }) => (await script.arena.driver.status()).exit?.replace(/ in .*/, "") ?? "alive",
  hang: isDeaf,
  loop: isDeaf,
  leak: async ({ grown }) => grown >= 4 * 2 ** 20,
  amplify: async ({ script }) => script.received().length >= 64,
  accept: saysEstablished,
  bypass: saysEstablished,
  skip: async (course) => `${await saysEstablished(course)}, ${course.script.received().length} datagrams`,
};

/** To what the fuzzer is to reduce a conversation, and the probe after it. */
const MOST_MESSAGES = 5 + 1;

const sentBy = ({ script }: Course): number =>
  script.trace.entries.filter(({ event }) => event.type === "sent" && event.copy === 0).length;

const of = (part: Partial<Fault>): Fault[] =>
  faults.filter((fault) => Object.entries(part).every(([key, value]) => fault[key as keyof Fault] === value));

describe("planted faults", () => {
  it("are thirty, six of each depth, and of each kind at least two", () => {
    expect(new Set([...faults, ...lies].map(({ name }) => name))).to.have.length(30 + lies.length);
    expect(Object.keys(triggerTraces)).to.have.members(faults.map(({ name }) => name));
    for (const depth of DEPTHS) expect(of({ depth }), depth).to.have.length(6);
    for (const kind of FAULT_KINDS) expect(of({ kind }).length, kind).to.be.at.least(2);
    const asInitiator = faults.filter(({ roles }) => roles.length === 1 && roles[0] === "initiator");
    expect(asInitiator.length).to.be.at.least(5);
  });

  for (const { name, kind } of faults) {
    it(`${name} shows`, async () => {
      const trace = triggerTraces[name];
      if (!trace) throw new Error("no trace");
      const [faulty, honest] = [await play(trace, name), await play(trace)];
      const seen = [await visible[kind](faulty), await visible[kind](honest)];
      expect(seen[0]).not.to.equal(seen[1]);
      expect(sentBy(faulty)).to.be.at.most(MOST_MESSAGES);
    });
  }
});
