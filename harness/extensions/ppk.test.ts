import { expect } from "chai";
import fc from "fast-check";
import { mixPpk } from "../crypto/keys.ts";
import { prfTransform } from "../crypto/prf.ts";
import type { AuthOutcome } from "../ike/exchanges/ike-auth.ts";
import type { Extension } from "../ike/hooks.ts";
import { hasNotify, notifies } from "../ike/payloads.ts";
import type { Policy, Ppk } from "../ike/policy.ts";
import { disagreements } from "../run/agreement.ts";
import { authenticated, makePair, type Pair, type PairOptions } from "../run/pair.ts";
import { fromHex, hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Payload } from "../wire/types.ts";

const text = (words: string) => new TextEncoder().encode(words);
const ppk = (id: string, secret: string): Ppk => ({
  id: Uint8Array.of(2, ...text(id)),
  secret: text(secret),
});

const OURS = ppk("shared", "a secret");
/** What an end can have, seen from the other. */
const HELD = {
  none: [],
  shared: [OURS],
  "another one": [ppk("other", "a secret")],
  "the same id with another secret": [ppk("shared", "no secret")],
} as const satisfies Record<string, Ppk[]>;
type Held = keyof typeof HELD;

/** SK_d, SK_pi and SK_pr before and after, with PRF_HMAC_SHA2_256 and the PPK e0 to ff; computed for this project. */
const VECTORS = [
  [
    "6119a13848b49161da9e8c49ea493f2ccf35822366d66e01f07281d339ee477a",
    "0a27841587b615ee3a94240098c1df75d0c648cf1d7c15cf1a4c07708201d9cf",
  ],
  [
    "c0ddf0a813af4009e723b176985383d56e9f75f75ff4aadfc86e3e7901b50555",
    "f8735c1c89be8cf4d62d737d1d130ed7d5075c71b76f17f0b13e81dd1f6f94dc",
  ],
  [
    "c5568be5e137e6285c3596032041f33fb65b0fe870c2f7005937e7bb36eafaad",
    "a9e85ef6b29f9c78dc6d19e918e89647e1409932d3841e20b8c0111e07ecf9e8",
  ],
] as const;
const KINDS: Held[] = ["none", "shared", "another one", "the same id with another secret"];

interface Seen {
  pair: Pair;
  outcome: AuthOutcome;
  /** Payloads of each message of an IKE SA's set-up, in order. */
  messages: { exchangeType: number; payloads: Payload[] }[];
}

/** Has `a` set an IKE SA up with `b`. */
async function connect(options: Partial<PairOptions>): Promise<Seen> {
  const messages: Seen["messages"] = [];
  const event: PairOptions["event"] = (end, e) => {
    if (e.type !== "sent" || e.copy > 0) return;
    if (end === "a" || e.message.isResponse)
      messages.push({ exchangeType: e.message.header.exchangeType, payloads: e.message.payloads });
  };
  const pair = makePair({ seed: "ppk", event, ...options });
  let outcome: AuthOutcome | undefined;
  pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b, (result) => {
    outcome = result;
  });
  pair.a.settle();
  await pair.network.until(() => outcome !== undefined, 600_000);
  await pair.network.until(() => false, 1000);
  return { pair, outcome: outcome ?? { failure: "no outcome" }, messages };
}

const inAuth = ({ messages }: Seen): Payload[][] =>
  messages.filter((m) => m.exchangeType === EXCHANGE.IKE_AUTH).map((m) => m.payloads);

/** What came of it: "plain", "PPK", or why there is no IKE SA. */
function result(seen: Seen): string {
  const { pair, outcome } = seen;
  const sas = [...pair.a.endpoint.core.sas.values(), ...pair.b.endpoint.core.sas.values()];
  if (outcome.failure) {
    expect(
      sas.filter((sa) => sa.established),
      "IKE SAs",
    ).to.deep.equal([]);
    return "none";
  }
  expect(disagreements(pair.a.endpoint, pair.b.endpoint)).to.deep.equal([]);
  expect(sas).to.have.length(2);
  return hasNotify(inAuth(seen).at(-1) ?? [], NOTIFY.PPK_IDENTITY) ? "PPK" : "plain";
}

/** The table of section 3, both ends at once. */
function expected(i: Held, iInsists: boolean, r: Held, rInsists: boolean): string {
  if (i === "none" || r === "none") {
    const insists = i === "none" ? r !== "none" && rInsists : iInsists;
    return insists ? "none" : "plain";
  }
  if (i === r) return "PPK";
  const known = (i === "another one") === (r === "another one");
  return known || iInsists || rInsists ? "none" : "plain";
}

describe("PPKs in IKE_AUTH", () => {
  it("change SK_d, SK_pi and SK_pr to prf+(PPK, old value)", () => {
    const secret = Uint8Array.from({ length: 32 }, (_, i) => 0xe0 + i);
    const mixed = (key: string) => hex(mixPpk(prfTransform(5)!, secret, fromHex(key)));
    for (const [old, mixedIn] of VECTORS) expect(mixed(old)).to.equal(mixedIn);
  });

  for (const i of KINDS)
    for (const r of KINDS)
      for (const [iInsists, rInsists] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ] as const) {
        const words = (held: Held, insists: boolean) =>
          `${held}${insists && held !== "none" ? ", mandatory" : ""}`;
        it(`an initiator with ${words(i, iInsists)} and a responder with ${words(r, rInsists)}`, async () => {
          const a = { ppks: [...HELD[i]], ppkRequired: iInsists && i !== "none", retransmitTries: 2 };
          const b = { ppks: [...HELD[r]], ppkRequired: rInsists && r !== "none" };
          expect(result(await connect({ policies: { a, b } }))).to.equal(expected(i, iInsists, r, rInsists));
        });
      }

  const OPTIONAL = { ppks: [OURS] };
  const INSISTS = { ...OPTIONAL, ppkRequired: true };

  it("say NO_PPK_AUTH where they are optional, and answer without data", async () => {
    const seen = await connect({ policies: { a: OPTIONAL, b: OPTIONAL } });
    const [request = [], response = []] = inAuth(seen);
    expect(notifies(request, NOTIFY.PPK_IDENTITY).map(({ data }) => hex(data))).to.deep.equal([hex(OURS.id)]);
    expect(hasNotify(request, NOTIFY.NO_PPK_AUTH)).to.equal(true);
    expect(notifies(response, NOTIFY.PPK_IDENTITY).map(({ data }) => data.length)).to.deep.equal([0]);
    const insisting = await connect({ policies: { a: INSISTS, b: OPTIONAL } });
    expect(hasNotify(inAuth(insisting)[0] ?? [], NOTIFY.NO_PPK_AUTH)).to.equal(false);
  });

  it("belong to one identity, where they are for that alone", async () => {
    const owned = (name: string): Partial<Policy> => ({
      ppks: [{ ...OURS, for: { type: 2, data: text(name) } }, ppk("other", "b")],
    });
    for (const [name, outcome] of [
      ["tester.example", "PPK"],
      ["somebody.example", "none"],
    ] as const)
      expect(result(await connect({ policies: { a: INSISTS, b: owned(name) } }))).to.equal(outcome);
    const initiator = { a: { ...owned("somebody.example"), retransmitTries: 1 }, b: INSISTS };
    expect(result(await connect({ policies: initiator })), "with the other PPK").to.equal("none");
    expect(result(await connect({ policies: { ...initiator, a: owned("peer.example") } }))).to.equal("PPK");
  });

  it("are not announced by an initiator to a responder that they are not for", async () => {
    const other = { type: 2, data: text("somebody.example") };
    const a = { ppks: [{ ...OURS, for: other }], furtherRemoteIds: [other] };
    for (const ppkRequired of [false, true])
      expect(result(await connect({ policies: { a: { ...a, ppkRequired }, b: OPTIONAL } }))).to.equal(
        "plain",
      );
  });

  const leaveOut = (type: number): Extension => ({
    name: "leave out",
    outgoing: (message) => {
      message.payloads = message.payloads.filter((p) => p.kind !== "Notify" || p.notifyType !== type);
    },
  });

  for (const insists of [true, false])
    it(`are demanded of requests, ${insists ? "mandatory" : "optional"} or not`, async () => {
      const policies = { a: OPTIONAL, b: { ...OPTIONAL, ppkRequired: insists } };
      const extensions = (end: "a" | "b") => (end === "a" ? [leaveOut(NOTIFY.PPK_IDENTITY)] : []);
      const seen = await connect({ policies, extensions });
      expect(result(seen)).to.equal("none");
      expect(hasNotify(inAuth(seen).at(-1) ?? [], NOTIFY.AUTHENTICATION_FAILED)).to.equal(true);
    });

  it("are demanded of responses where they are mandatory, and the responder hears of it", async () => {
    const extensions = (end: "a" | "b") => (end === "b" ? [leaveOut(NOTIFY.PPK_IDENTITY)] : []);
    const seen = await connect({ policies: { a: INSISTS, b: OPTIONAL }, extensions });
    expect(seen.outcome.failure).to.equal("the responder did not use the PPK");
    const told = seen.messages.filter((m) => hasNotify(m.payloads, NOTIFY.AUTHENTICATION_FAILED));
    expect(told.map((m) => m.exchangeType)).to.deep.equal([EXCHANGE.INFORMATIONAL]);
  });

  const EAP = { method: "eap", type: "mschapv2" } as const;
  const CERTIFICATE = { method: "signature", key: "ecdsa256" } as const;
  const WAYS = {
    signatures: { auth: CERTIFICATE, testerAuth: CERTIFICATE },
    "signatures of the old methods": {
      auth: { ...CERTIFICATE, oldMethods: true },
      testerAuth: { ...CERTIFICATE, oldMethods: true },
    },
    EAP: { auth: CERTIFICATE, testerAuth: EAP },
    "EAP without MSK": { auth: CERTIFICATE, testerAuth: { method: "eap", type: "md5" } },
    "EAP alone": { auth: { method: "eap-only" }, testerAuth: EAP },
  } as const;
  for (const [name, way] of Object.entries(WAYS))
    it(`go with ${name}, known to the responder or not`, async () => {
      const { a, b } = await authenticated(way);
      const known = await connect({ policies: { a: { ...a, ...OPTIONAL }, b: { ...b, ...OPTIONAL } } });
      expect(result(known)).to.equal("PPK");
      const where = inAuth(known).map((payloads) => hasNotify(payloads, NOTIFY.PPK_IDENTITY));
      expect(where, "only beside the last AUTH").to.deep.equal(where.map((_, i) => i >= where.length - 2));
      const unknown = { ...b, ppks: HELD["another one"] };
      expect(
        result(
          await connect({
            policies: { a: { ...a, ...OPTIONAL }, b: { ...unknown, ppks: [...unknown.ppks] } },
          }),
        ),
      ).to.equal("plain");
    });

  it("are mandatory beside NULL authentication", async () => {
    const { a, b } = await authenticated({ auth: { method: "null" }, testerAuth: { method: "null" } });
    const run = async (i: Ppk[], r: Ppk[]) =>
      result(await connect({ policies: { a: { ...a, ppks: i }, b: { ...b, ppks: r } } }));
    expect(await run([OURS], [OURS])).to.equal("PPK");
    expect(await run([OURS], [...HELD["another one"]])).to.equal("none");
    expect(await run([], [OURS])).to.equal("plain");
  });

  it("leave both ends with the same keys after a rekey of the IKE SA", async () => {
    const { pair } = await connect({ policies: { a: INSISTS, b: INSISTS } });
    const [sa] = pair.a.endpoint.core.sas.values();
    let made: unknown;
    pair.a.endpoint.rekeyIke(sa!, {}, (next) => {
      made = next;
    });
    pair.a.settle();
    await pair.network.until(() => made !== undefined, 10_000);
    await pair.network.until(() => false, 1000);
    expect(made).to.be.an("object");
    expect(disagreements(pair.a.endpoint, pair.b.endpoint)).to.deep.equal([]);
  });

  it("have ids and secrets of any length and octets", async () => {
    const octets = (minLength: number) => fc.uint8Array({ minLength, maxLength: 300 });
    const property = fc.asyncProperty(octets(0), octets(1), async (id, secret) => {
      const own = { ppks: [{ id, secret }], ppkRequired: true };
      expect(result(await connect({ policies: { a: own, b: own } }))).to.equal("PPK");
    });
    await fc.assert(property, { numRuns: 20 });
  });
});
