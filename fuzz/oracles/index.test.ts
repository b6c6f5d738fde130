import { expect } from "chai";
import { pskAuthValue } from "../../harness/ike/auth/octets.ts";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { RULES } from "../../harness/lint/rules/index.ts";
import { pki } from "../../harness/pki/pki.ts";
import type { TraceEntry } from "../../harness/script/trace.ts";
import { concat } from "../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import { FLAG, type Payload } from "../../harness/wire/types.ts";
import { partOf } from "../../pcaps/decode/part.ts";
import { variants } from "../../peers/builtin/variants.ts";
import type { Alarm } from "../alarm.ts";
import type { IkeOperator } from "../operators/operator.ts";
import type { Outcome } from "../outcome.ts";
import type { Step } from "../trace.ts";
import { CampaignMemory, judgeCase } from "./index.ts";
import { certaintyOf, classified } from "./lint-certainty.ts";
import { changed, plain, played, setupOf, signatures, type Told } from "./testing.ts";

/** An operator of a test: the lies are those of whoever has the secret of another, or no key for his certificate. */
const operator = (name: string, apply: IkeOperator["apply"]): IkeOperator => ({
  ...{ name, family: "content", effect: "is for this test", on: "ike", apply },
  draw: () => ({}),
});

const find = <K extends Payload["kind"]>(message: OutgoingMessage, kind: K) =>
  message.payloads.find((payload): payload is Extract<Payload, { kind: K }> => payload.kind === kind);

const another = operator("another", (message, _change, { core }) => {
  const [id, auth] = [find(message, "ID"), find(message, "AUTH")];
  if (!id || !auth || !message.sa) return false;
  id.data = new TextEncoder().encode("stranger.example");
  auth.data = pskAuthValue(message.sa, core.policy.psk, message.sa.role, id, core);
  return true;
});

const spoilt = operator("spoilt", (message) => {
  const cert = find(message, "CERT");
  if (!cert) return false;
  cert.data = cert.data.map((octet, at) => (at === cert.data.length - 1 ? octet ^ 1 : octet));
  return true;
});

const unproven = operator("unproven", (message) => {
  message.payloads = message.payloads.filter(({ kind }) => kind !== "AUTH");
  return true;
});

const strange = operator("strange", (message) => {
  message.payloads.push({ kind: "raw", type: 250, critical: true, data: new Uint8Array(4) });
  return true;
});

const otherGroup = operator("other-group", (message) => {
  const ke = find(message, "KE");
  if (!ke) return false;
  Object.assign(ke, { group: 20, data: new Uint8Array(96) });
  return true;
});

const OWN = [another, spoilt, unproven, strange, otherGroup];

const judge = (outcome: Outcome, { setup, peer = "responder" }: Told = {}, trust?: Uint8Array[]): Alarm[] =>
  judgeCase(outcome, { setup: setupOf(setup), peer, ...(trust && { trust }) });

const PROVING: Step = changed("auth", "auth-bit", { value: 3 });
const LONG = plain("init", "auth", "informational", "create-child", "rekey-child", "esp", "delete-child");

/** Ways past authentication: what is sent, and what a peer that lets it pass is said to do. */
const BYPASSES: [what: string, told: Told, step: Step, signature: string][] = [
  ["a wrong AUTH", { lie: "accepts-wrong-auth" }, PROVING, "bypass AUTH value"],
  [
    "a short AUTH",
    { lie: "accepts-wrong-auth" },
    changed("auth", "auth-truncate", { value: 4 }),
    "bypass AUTH length",
  ],
  ["another identity", { lie: "accepts-any-identity" }, changed("auth", "another"), "bypass identity"],
  [
    "NULL authentication",
    { lie: "accepts-null-for-a-shared-secret" },
    changed("auth", "auth-null"),
    "bypass AUTH method",
  ],
  [
    "a certificate that nobody vouches for",
    { lie: "accepts-a-certificate-with-a-broken-signature", setup: "ecdsa" },
    changed("auth", "spoilt"),
    "bypass certificate bad signature",
  ],
  [
    "no AUTH after EAP",
    { lie: "does-without-auth-after-eap", setup: "eap-mschapv2" },
    { act: "auth", changes: [{ message: 3, op: "unproven" }] },
    "bypass no AUTH",
  ],
  [
    "AUTH before EAP has ended",
    { lie: "ends-eap-at-any-auth", setup: "eap-md5" },
    { act: "auth", changes: [{ message: 1, op: "sk-inner-type", value: PAYLOAD.AUTH }] },
    "bypass EAP unfinished",
  ],
];

/** A message with SK as some peers take it, and others do not: it has a payload in clear behind its end. */
function withPayloadBehind(entry: TraceEntry): TraceEntry {
  const { event } = entry;
  if (event.type !== "datagram-sent" || event.datagram.data[18] !== EXCHANGE.IKE_AUTH) return entry;
  const data = concat(event.datagram.data, Uint8Array.of(0, 0, 0, 8, 1, 2, 3, 4));
  new DataView(data.buffer).setUint32(24, data.length);
  return { ...entry, event: { ...event, datagram: { ...event.datagram, data } } };
}

/** The same datagram of the peer with these flags. */
function received(entry: TraceEntry | undefined, flags: number): TraceEntry {
  if (entry?.event.type !== "datagram-received") throw new Error("nothing was received");
  const data = Uint8Array.from(entry.event.datagram.data);
  data[19] = flags;
  return { ...entry, event: { ...entry.event, datagram: { ...entry.event.datagram, data } } };
}

/** The same datagram of the peer with so many zeros behind it. */
function longer(entry: TraceEntry, octets: number): TraceEntry {
  const { event } = entry;
  if (event.type !== "datagram-received") return entry;
  const data = concat(event.datagram.data, new Uint8Array(octets));
  return { ...entry, event: { ...event, datagram: { ...event.datagram, data } } };
}

describe("oracles", () => {
  for (const [what, told, step, signature] of BYPASSES)
    it(`see a peer that accepts ${what}`, async () => {
      const trust = [(await pki()).ca];
      const steps = [...plain("init"), step];
      const outcome = await played(steps, told, OWN);
      expect(outcome.steps.flatMap(({ unfit }) => unfit)).to.deep.equal([]);
      expect(signatures(judge(outcome, told, trust))).to.include(signature);
      const { lie: _, ...honest } = told;
      expect(judge(await played(steps, honest, OWN), honest, trust)).to.deep.equal([]);
    });

  it("see an answer to what fails its ICV", async () => {
    const steps = [...plain("init", "auth"), changed("informational", "sk-icv-bit", { value: 3 })];
    const found = signatures(judge(await played(steps, { lie: "accepts-any-icv" })));
    expect(found.join()).to.include("demand answer rfc7296 IKEV2-283");
    expect(judge(await played(steps))).to.deep.equal([]);
  });

  it("see what planted faults do: a burst, a replay, an unknown critical payload, no selectors", async () => {
    const child = [...plain("init", "auth")];
    const rows: [fault: string, steps: Step[], signature: string][] = [
      [
        "forgets-the-last-sequence-number",
        [...child, changed("esp", "esp-repeat", { value: 2 })],
        "accepts a replayed ESP packet",
      ],
      [
        "passes-over-critical-payloads",
        [...plain("init"), changed("auth", "strange")],
        "accepts an unknown critical payload",
      ],
      ["bursts-about-groups-not-offered", [changed("init", "other-group")], "amplifies in datagrams"],
      [
        "takes-no-selectors-for-its-own",
        [...child, changed("create-child", "selector-none", { at: "TSi" })],
        "child without offered selectors",
      ],
    ];
    for (const [lie, steps, signature] of rows) {
      const outcome = await played(steps, { lie }, OWN);
      expect(
        outcome.steps.flatMap(({ unfit }) => unfit),
        lie,
      ).to.deep.equal([]);
      expect(signatures(judge(outcome)), lie).to.include(signature);
      expect(judge(await played(steps, {}, OWN)), lie).to.deep.equal([]);
    }
  });

  it("are silent about what a peer may take: long nonces, unknown payloads, old packets without a window", async () => {
    for (const [op, more] of [
      ["nonce-size", { at: "NONCE", value: 256, octets: "41" }],
      ["payload-unknown", { value: 99 }],
    ] as const) {
      const outcome = await played([...plain("init", "auth"), changed("create-child", op, more)]);
      expect(outcome.steps.at(-1), op).to.deep.include({ ended: "done", unfit: [] });
      expect(judge(outcome), op).to.deep.equal([]);
    }
    const twice = [...plain("init", "auth"), changed("esp", "esp-repeat", { value: 2 })];
    const outcome = await played(twice, { lie: "forgets-the-last-sequence-number" });
    const setup = { ...setupOf(), wishes: { config: { replayWindow: 0 } } };
    expect(judgeCase(outcome, { setup, peer: "responder" })).to.deep.equal([]);
  });

  it("see a breach of the catalogue in a conversation with lies", async () => {
    const step = changed("create-child", "payload-unknown");
    const outcome = await played([...plain("init", "auth"), step], { lie: "sets-the-critical-bit" });
    expect(signatures(judge(outcome)).join()).to.include("lint rfc7296");
  });

  it("are silent about the honest peer and its variants", async () => {
    const names = [undefined, ...variants.map(({ name }) => name)];
    for (const variant of names) {
      const told = variant === undefined ? {} : { variant };
      expect(signatures(judge(await played(LONG, told))), variant).to.deep.equal([]);
    }
    const begins: Told = { peer: "initiator" };
    const steps = plain("peer-initiate", "peer-rekey-child", "informational", "peer-delete-ike");
    expect(judge(await played(steps, begins), begins)).to.deep.equal([]);
  });

  it("are silent about what was inside of a message that they cannot read, and of a rekeyed IKE SA", async () => {
    const steps = [...plain("init"), changed("auth", "payload-unknown"), ...plain("create-child")];
    const outcome = await played(steps);
    expect(outcome.claims.map(({ authentic }) => authentic)).to.deep.equal([false]);
    expect(judge({ ...outcome, entries: outcome.entries.map(withPayloadBehind) })).to.deep.equal([]);
    const later = plain("rekey-ike", "rekey-ike", "informational", "create-child");
    const rekeyed = await played([...steps, ...later]);
    expect(rekeyed.claims.map(({ authentic }) => authentic)).to.include(false);
    expect(judge(rekeyed)).to.deep.equal([]);
  });

  it("count only answers as what an unproven address brings", async () => {
    const outcome = await played(plain("init"));
    const last = outcome.entries.findLast(({ event }) => event.type === "datagram-received");
    expect(last?.event.type).to.equal("datagram-received");
    for (const [flags, expected] of [
      [FLAG.response, "amplifies in datagrams"],
      [FLAG.initiator, ""],
    ] as const) {
      const entries = Array.from({ length: 12 }, () => received(last, flags));
      const found = signatures(judge({ ...outcome, entries: [...outcome.entries, ...entries] }));
      expect(found.filter((signature) => signature.startsWith("amplifies")).join()).to.equal(expected);
    }
  });

  it("see that a key exchange that was agreed on never came", async () => {
    const told = { setup: "intermediate" };
    const steps = [
      ...plain("init"),
      { act: "auth" as const, changes: [{ message: 1, op: "payload-unknown", value: 99 }] },
    ];
    const outcome = await played(steps, told);
    expect(judge(outcome, told)).to.deep.equal([]);
    const isRound = ({ event }: TraceEntry): boolean =>
      event.type === "datagram-received" && partOf(event.datagram).data[18] === EXCHANGE.IKE_INTERMEDIATE;
    const entries = outcome.entries.filter((entry) => !isRound(entry));
    expect(signatures(judge({ ...outcome, entries }, told))).to.include("bypass rounds left out");
  });

  it("count the octets of answers, too", async () => {
    const outcome = await played(plain("init"));
    for (const [octets, expected] of [
      [1_000, []],
      [5_000, ["amplifies in octets"]],
    ] as const) {
      const entries = outcome.entries.map((entry) => longer(entry, octets));
      const found = signatures(judge({ ...outcome, entries }));
      expect(found.filter((signature) => signature.startsWith("amplifies"))).to.deep.equal(expected);
    }
  });

  it("take no answer to INFORMATIONAL for an established IKE SA", async () => {
    const steps = plain("init", "informational");
    const outcome = await played(steps, { lie: "obeys-before-ike-auth" });
    expect(judge(outcome)).to.deep.equal([]);
  });

  it("remember nonces and cookies of a campaign", async () => {
    const memory = new CampaignMemory();
    const setup = setupOf("cookies");
    const first = await played(plain("init"), { setup: "cookies" });
    for (let time = 0; time < 2; time++)
      expect(judgeCase(first, { setup, peer: "responder", memory })).to.deep.equal([]);
  });
});

describe("certainty of the rules of lint", () => {
  it("names only rules that there are, and leaves at least 60 in changed conversations", () => {
    const names = new Set(RULES.map(({ name }) => name));
    expect(classified().filter((name) => !names.has(name))).to.deep.equal([]);
    expect([...names].filter((name) => certaintyOf(name) === "own")).to.have.length.at.least(100);
  });

  it("classes no rule twice, and needs an honest request for what a peer may copy", () => {
    expect(new Set(classified()).size).to.equal(classified().length);
    for (const rule of [
      "responder-spi-in-refusal",
      "version-not-2-0",
      "reserved-field-not-zero",
      "nonce-reused",
    ])
      expect(certaintyOf(rule), rule).to.equal("request");
  });
});
