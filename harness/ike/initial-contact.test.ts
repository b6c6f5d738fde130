import { expect } from "chai";
import { makePair, type Pair } from "../run/pair.ts";
import { EMPTY } from "../wire/bytes.ts";
import { ID_TYPE } from "../wire/registry/id-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { initialContactNotify, onInitialContact } from "./initial-contact.ts";
import { notify } from "./payloads.ts";
import type { IkeSa } from "./sa.ts";

const SAYS_SO = [notify(NOTIFY.INITIAL_CONTACT)];

/** Two IKE SAs between the same identities; as the responder holds them, in the order in which they came. */
function two(): { pair: Pair; older: IkeSa; newer: IkeSa } {
  const pair = makePair({
    seed: "initial contact",
    config: { unique: "replace" },
    policies: { a: { initialContact: true } },
  });
  for (let i = 0; i < 2; i++) {
    pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b);
    pair.a.settle();
    pair.network.run(1000);
  }
  const [older, newer] = pair.b.endpoint.core.sas.values();
  if (!older || !newer) throw new Error("the pair did not come up");
  return { pair, older, newer };
}

describe("INITIAL_CONTACT", () => {
  it("is said with the first IKE SA of a peer only, and only where the policy says so", () => {
    const { pair } = two();
    const { core } = pair.a.endpoint;
    const [first, second] = core.sas.values();
    if (!first || !second) throw new Error("no IKE SAs");
    expect(initialContactNotify(core, second)).to.deep.equal([]);
    core.closeIke(first, "tested");
    expect(initialContactNotify(core, second)).to.have.length(1);
    core.policy.initialContact = false;
    expect(initialContactNotify(core, second)).to.deep.equal([]);
  });

  it("drops older IKE SAs of the same identity without a word", () => {
    const { pair, older, newer } = two();
    let sent = 0;
    pair.b.endpoint.core.options.extensions.push({ name: "count", outgoing: () => void sent++ });
    onInitialContact(pair.b.endpoint.core, newer, SAYS_SO);
    pair.b.settle();
    expect([older.state, newer.state, sent]).to.deep.equal(["closed", "established", 0]);
  });

  for (const [why, change] of [
    ["of another identity", (older: IkeSa) => (older.remoteIdentity = { type: 2, data: Uint8Array.of(65) })],
    [
      "of peers without identity",
      (older: IkeSa, newer: IkeSa) => {
        older.remoteIdentity = { type: ID_TYPE.ID_NULL, data: EMPTY };
        newer.remoteIdentity = { type: ID_TYPE.ID_NULL, data: EMPTY };
      },
    ],
    [
      "of peers who prove nothing, whatever name they give",
      (_o: IkeSa, _n: IkeSa, pair: Pair) => {
        pair.b.endpoint.core.policy.peerAuth = { method: "null" };
      },
    ],
    [
      "by a policy that keeps them",
      (_o: IkeSa, _n: IkeSa, pair: Pair) => {
        pair.b.endpoint.core.policy.unique = "keep";
      },
    ],
  ] as const) {
    it(`leaves IKE SAs ${why} alone`, () => {
      const { pair, older, newer } = two();
      change(older, newer, pair);
      onInitialContact(pair.b.endpoint.core, newer, SAYS_SO);
      expect(older.state).to.equal("established");
    });
  }

  it("means nothing unless it is there", () => {
    const { pair, older, newer } = two();
    onInitialContact(pair.b.endpoint.core, newer, []);
    expect(older.state).to.equal("established");
  });
});
