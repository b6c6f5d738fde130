/** How a suite file registers its tests. A suite is a Mocha file; nothing else registers a test. */
import type { PeerConfig, PeerRole } from "../../peers/contract.ts";
import type { Script } from "./script.ts";

/** What a test says of itself. Its id is derived from its file and its name. */
export interface TestFacts {
  /** Ids in the document's `requirements.yaml`. */
  requirements: string[];
  /** The role the peer plays. */
  peer: PeerRole;
  /** Lies of the builtin peer that this test must catch. */
  lies: string[];
  /** What the peer is told otherwise than usual. */
  config?: Partial<PeerConfig>;
  /** Revisions of the document that the test is true for, where it has any. Not set: the newest. */
  revisions?: string[];
  /** IP version of the IKE and ESP packets; 4 when not set. */
  outer?: IpVersion;
  /** IP version of what ESP carries in tunnel mode; 4 when not set. */
  inner?: IpVersion;
}

export type IpVersion = 4 | 6;

/** What a test wants of its arena. */
export type ArenaWishes = Pick<TestFacts, "config" | "outer" | "inner"> & {
  /** The document and revision that both ends are to speak. */
  speaks?: { document: string; revision: string };
};

export type TestBody = (s: Script) => Promise<void>;

/** A registered test, as the plan sees it. */
export interface RegisteredTest {
  facts: TestFacts;
  body: TestBody;
}

const registered = new WeakMap<object, RegisteredTest>();

/** Facts and body of a Mocha test that was registered by {@link test}. */
export const registeredTest = (mochaTest: object): RegisteredTest | undefined => registered.get(mochaTest);

/**
 * Registers a test under a name in kebab case that reads as a sentence about the peer. Its doc comment is its
 * page in the report. The body passes by returning; it ends otherwise by throwing (see `verdicts.ts`).
 */
export function test(name: string, facts: TestFacts, body: TestBody): void {
  const mochaTest = it(name, () => {
    throw new Error("a suite needs a peer: bakeoff run");
  });
  registered.set(mochaTest, { facts, body });
}
