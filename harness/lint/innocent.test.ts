import { expect } from "chai";
import { fromHex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import { Linter } from "./linter.ts";
import { answer, ask, REKEYED, whole, withOtherGroup } from "./rules/planted/rfc7296/conversations.ts";
import { add, drop, message, payload, transform } from "./rules/planted/rfc7296/rows.ts";
import { type Said, seenOf } from "./rules/planted/rfc7296/said.ts";

function findingsIn(said: Said[]): string[] {
  const linter = new Linter();
  return seenOf(said)
    .flatMap((seen) => linter.see(seen))
    .map(({ packet, requirement, rule }) => `${packet} ${requirement} ${rule}`);
}

/** The conversation with an empty IKE_INTERMEDIATE exchange, which both ends announce, in front of IKE_AUTH. */
function withIntermediate(): Said[] {
  const said = whole().slice(0, 4);
  for (const packet of [1, 2])
    add(said, packet, {
      ...{ kind: "Notify", type: 41, protocolId: 0, spi: new Uint8Array() },
      ...{ notifyType: NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED, data: new Uint8Array() },
    });
  for (const packet of [3, 4]) message(said, packet).id = 2;
  const round = { exchange: EXCHANGE.IKE_INTERMEDIATE };
  said.splice(2, 0, { ...ask(1), ...round }, { ...answer(1), ...round });
  return said;
}

const childless = (protocolId: number) => ({
  ...{ kind: "Notify" as const, type: 41, protocolId, spi: new Uint8Array() },
  ...{ notifyType: NOTIFY.CHILDLESS_IKEV2_SUPPORTED, data: new Uint8Array() },
});

/** What looks like a breach at first sight: what was changed, and what is left to say of it. */
const CASES: [what: string, make: () => Said[], findings: string[]][] = [
  [
    "CHILDLESS_IKEV2_SUPPORTED with the Protocol ID that RFC 6023 asks for",
    () => {
      const said = whole();
      add(said, 2, childless(1));
      return said;
    },
    [],
  ],
  [
    "a KE payload beside a choice of NONE: of which group it is does not matter",
    () => {
      const said = whole();
      transform(said, 6, TRANSFORM.KE).id = 0;
      transform(said, 5, TRANSFORM.KE).id = 0;
      Object.assign(payload(said, 6, "KE"), { group: 19, data: new Uint8Array(64) });
      said.splice(6);
      return said;
    },
    ["5 IKEV2-255 ke-without-group-in-sa", "6 IKEV2-252 ke-without-group-in-sa"],
  ],
  [
    "an error in answer to a Delete with something else beside it",
    () => {
      const said = whole();
      add(said, 11, childless(0));
      add(said, 12, {
        ...{ kind: "Notify", type: 41, protocolId: 0, spi: new Uint8Array() },
        ...{ notifyType: NOTIFY.INVALID_SYNTAX, data: new Uint8Array() },
      });
      return said.slice(0, 12);
    },
    [],
  ],
  [
    "a response that goes elsewhere, long after a request whose repeats may be missing",
    () => {
      const said = whole();
      Object.assign(message(said, 4), { destination: { host: "192.0.2.1", port: 4500 }, pauseMs: 1500 });
      return said;
    },
    [],
  ],
  [
    "a choice by a retry that is missing",
    () => {
      const said = withOtherGroup();
      said.splice(1, 2);
      return said;
    },
    [],
  ],
  ["exchanges that are missing", () => whole().filter((_, at) => at !== 4 && at !== 5 && at !== 6), []],
  ["an end of IKE_AUTH that is missing", () => [...whole().slice(0, 3), { ...ask(0), by: "b" }], []],
  [
    "a request on a rekeyed IKE SA by the other side, which may have been on its way",
    () => {
      const said = whole();
      const late = { ...message(said, 5), by: "b" as const, id: 0 };
      drop([late], 1, "Notify");
      return [...said.slice(0, 10), late];
    },
    ["11 IKEV2-267 nonce-reused"],
  ],
  [
    "a first request of a rekeyed IKE SA that is missing",
    () => {
      const said = whole();
      return [...said.slice(0, 12), { ...ask(3), by: "b", sa: REKEYED() }];
    },
    [],
  ],
];

describe("lint of what is innocent", () => {
  for (const [what, make, findings] of CASES)
    it(`bears ${what}`, () => {
      expect(findingsIn(make())).to.deep.equal(findings);
    });

  it("knows the Child SA that IKE_AUTH makes behind IKE_INTERMEDIATE", () => {
    expect(findingsIn(withIntermediate())).to.deep.equal([]);
    const said = withIntermediate();
    for (const selector of payload(said, 6, "TS").selectors) selector.endAddress = fromHex("c00003ff");
    expect(findingsIn(said)).to.deep.equal(["6 IKEV2-140 selectors-wider-than-offered"]);
    const lossy = said.filter((_, at) => at !== 2 && at !== 3);
    expect(findingsIn(lossy)).to.deep.equal([]);
  });
});
