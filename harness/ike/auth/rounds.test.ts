import { expect } from "chai";
import type { PeerConfig } from "../../../peers/contract.ts";
import { disagreements } from "../../run/agreement.ts";
import { authenticated, makePair, type Pair, type PairOptions } from "../../run/pair.ts";
import type { HostEvent } from "../../script/host.ts";
import { EAP_CODE } from "../../wire/registry/eap.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { Payload } from "../../wire/types.ts";
import type { AuthOutcome } from "../exchanges/ike-auth.ts";
import type { IncomingMessage, OutgoingMessage } from "../hooks.ts";
import { hasNotify, notify, payload } from "../payloads.ts";
import type { Policy } from "../policy.ts";

const CERTIFICATE = { method: "signature", key: "ecdsa256" } as const;
const byEap = (type: "md5" | "gtc" | "mschapv2" | "tls"): Partial<PeerConfig> => ({
  auth: CERTIFICATE,
  testerAuth: { method: "eap", type },
});

type Changes = { a?: Partial<Policy>; b?: Partial<Policy> };

async function pairOf(
  config: Partial<PeerConfig>,
  changes: Changes = {},
  options: Partial<PairOptions> = {},
): Promise<Pair> {
  const { a, b } = await authenticated(config);
  const policies = { a: { ...a, ...changes.a }, b: { ...b, ...changes.b } };
  return makePair({ seed: "rounds", policies, ...options });
}

/** Begins an IKE SA and waits until it is there or given up. */
async function connect(pair: Pair): Promise<AuthOutcome> {
  const outcomes: AuthOutcome[] = [];
  pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b, (outcome) => outcomes.push(outcome));
  pair.a.settle();
  await pair.network.until(() => outcomes.length > 0, 600_000);
  await pair.network.until(() => false, 100);
  expect(outcomes).to.have.length(1);
  return outcomes[0] ?? {};
}

const sasOf = ({ a, b }: Pair) => [...a.endpoint.core.sas.values(), ...b.endpoint.core.sas.values()];

function none(pair: Pair): void {
  expect(sasOf(pair).map(({ state }) => state)).to.deep.equal([]);
}

const isAuth = ({ header }: OutgoingMessage | IncomingMessage): boolean =>
  header.exchangeType === EXCHANGE.IKE_AUTH;

/** Changes what one end sends in IKE_AUTH. */
function change(pair: Pair, end: "a" | "b", act: (message: OutgoingMessage) => void): void {
  const outgoing = (message: OutgoingMessage) => void (isAuth(message) && act(message));
  pair[end].endpoint.core.options.extensions.push({ name: "change", outgoing });
}

const drop = (message: OutgoingMessage, kind: Payload["kind"]): void => {
  message.payloads = message.payloads.filter((p) => p.kind !== kind);
};

/** Payloads of what `b` sends in IKE_AUTH, a list a message. */
function answers(pair: Pair): Payload[][] {
  const seen: Payload[][] = [];
  change(pair, "b", ({ payloads }) => void seen.push(payloads));
  return seen;
}

describe("IKE_AUTH in several rounds", () => {
  for (const type of ["md5", "gtc", "mschapv2", "tls"] as const) {
    it(`agrees on keys by ${type}, and lets go of the conversation`, async () => {
      const pair = await pairOf(byEap(type));
      expect((await connect(pair)).failure).to.equal(undefined);
      expect(disagreements(pair.a.endpoint, pair.b.endpoint)).to.deep.equal([]);
      expect(sasOf(pair)).to.have.length(2);
      for (const sa of sasOf(pair))
        expect([sa.conversation, sa.authRounds]).to.deep.equal([undefined, undefined]);
    });
  }

  it("does not answer a repeated IKE_SA_INIT request out of a later round", async () => {
    const events: HostEvent[] = [];
    const event = (end: "a" | "b", e: HostEvent) => void (end === "b" && events.push(e));
    const pair = await pairOf(byEap("md5"), {}, { event });
    pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b);
    pair.a.settle();
    const inEap = () => events.some((e) => e.type === "sent" && isAuth(e.message));
    await pair.network.until(inEap, 1000);
    const first = events.find((e) => e.type === "datagram-received");
    if (first?.type !== "datagram-received") throw new Error("no request came");
    events.length = 0;
    pair.b.take({ ...first.datagram, source: { host: "192.0.2.66", port: 500 } });
    expect(events.map(({ type }) => type)).to.deep.equal(["datagram-received", "dropped"]);
  });

  it("gives the initiator the time for IKE_AUTH anew with every round", async () => {
    const slow = { retransmitMs: 10_000 };
    const changes = { a: slow, b: { ...slow, halfOpenMs: 5_000 } };
    const pair = await pairOf(byEap("md5"), changes, { impairment: { delayMs: 2_000 } });
    expect((await connect(pair)).failure).to.equal(undefined);
  });

  it("forgets an initiator that stays away between the rounds", async () => {
    const pair = await pairOf(byEap("md5"), { a: { retransmitTries: 1 } });
    change(pair, "a", (message) => {
      if (payload(message.payloads, "EAP")) message.octets = () => [];
    });
    expect((await connect(pair)).failure).to.equal("no answer to IKE_AUTH");
    await pair.network.until(() => false, 40_000);
    none(pair);
  });

  it("ends where the initiator finds the first AUTH wrong and says so", async () => {
    const psk = { auth: { method: "psk" }, testerAuth: { method: "eap", type: "md5" } } as const;
    const pair = await pairOf(psk, { b: { psk: Uint8Array.of(1) } });
    expect((await connect(pair)).failure).to.equal("AUTH does not verify");
    none(pair);
  });

  it("tells who waits when the IKE SA is closed while TLS is at work", async () => {
    const pair = await pairOf(byEap("tls"));
    pair.a.endpoint.core.options.extensions.push({
      name: "close",
      incoming: (message) => {
        const { sa } = message;
        if (sa && isAuth(message))
          queueMicrotask(() => pair.a.endpoint.core.closeIke(sa, "closed by the test"));
        return undefined;
      },
    });
    expect((await connect(pair)).failure).to.equal("closed by the test");
  });

  it("ends where AUTHENTICATION_FAILED comes beside AUTH", async () => {
    const pair = await pairOf({});
    change(pair, "b", ({ payloads }) => void payloads.push(notify(NOTIFY.AUTHENTICATION_FAILED)));
    expect((await connect(pair)).failure).to.equal(
      "IKE_AUTH was refused with notify 24 (AUTHENTICATION_FAILED)",
    );
  });
});

describe("proofs that must not be left out", () => {
  const refusals: [what: string, config: Partial<PeerConfig>, act: (message: OutgoingMessage) => void][] = [
    ["AUTH where EAP is not configured", {}, (message) => drop(message, "AUTH")],
    [
      "AUTH after EAP",
      byEap("mschapv2"),
      (message) => void (payload(message.payloads, "ID") || drop(message, "AUTH")),
    ],
    [
      "EAP, for AUTH by SK_pi in its place",
      byEap("mschapv2"),
      (message) => {
        const auth = { kind: "AUTH", type: PAYLOAD.AUTH, method: 2, data: new Uint8Array(32) } as const;
        if (payload(message.payloads, "EAP")) message.payloads = [auth];
      },
    ],
    [
      "EAP, for AUTH in the first request",
      byEap("mschapv2"),
      ({ payloads }) => {
        const auth = { kind: "AUTH", type: PAYLOAD.AUTH, method: 13, data: new Uint8Array(32) } as const;
        if (payload(payloads, "ID")) payloads.push(auth);
      },
    ],
    ["the identity", {}, (message) => drop(message, "ID")],
    ["certificates", { testerAuth: CERTIFICATE }, (message) => drop(message, "CERT")],
  ];
  for (const [what, config, act] of refusals) {
    it(`are refused with AUTHENTICATION_FAILED without ${what}`, async () => {
      const pair = await pairOf(config);
      const seen = answers(pair);
      change(pair, "a", act);
      expect((await connect(pair)).failure).to.equal(
        "IKE_AUTH was refused with notify 24 (AUTHENTICATION_FAILED)",
      );
      expect(seen.at(-1)?.map(({ kind }) => kind)).to.deep.equal(["Notify"]);
      none(pair);
    });
  }

  it("end with EAP Failure alone for a wrong password", async () => {
    const pair = await pairOf(byEap("mschapv2"));
    const { ownAuth } = pair.a.endpoint.core.policy;
    if (ownAuth.method === "eap") ownAuth.user.password = "wrong";
    const seen = answers(pair);
    expect((await connect(pair)).failure).to.match(/^EAP failed: .*E=691/);
    expect(seen.at(-1)).to.have.length(1);
    expect(payload(seen.at(-1) ?? [], "EAP")?.code).to.equal(EAP_CODE.FAILURE);
    none(pair);
  });

  it("are not asked for twice: IKE_AUTH of an established IKE SA stays unanswered", async () => {
    const pair = await pairOf({}, { a: { retransmitTries: 2 } });
    await connect(pair);
    const seen = answers(pair);
    const [sa] = pair.a.endpoint.core.sas.values();
    if (!sa) throw new Error("no IKE SA");
    pair.a.endpoint.request(sa, EXCHANGE.IKE_AUTH, []);
    pair.a.settle();
    await pair.network.until(() => false, 10_000);
    expect(seen).to.deep.equal([]);
  });

  it("are demanded of an EAP server by name: NULL authentication is none", async () => {
    const config = { auth: { method: "null" }, testerAuth: { method: "eap", type: "tls" } } as const;
    const pair = await pairOf(config);
    expect((await connect(pair)).failure).to.equal("NULL authentication where we use EAP");
    none(pair);
  });
});

describe("EAP as the only proof", () => {
  const ALONE = { auth: { method: "eap-only" }, testerAuth: { method: "eap", type: "tls" } } as const;
  const WEAK = { auth: { method: "eap-only" }, testerAuth: { method: "eap", type: "md5" } } as const;

  it("is enough by EAP-TLS", async () => {
    const pair = await pairOf(ALONE);
    const [first] = [answers(pair)];
    expect((await connect(pair)).failure).to.equal(undefined);
    expect(first[0]?.map(({ kind }) => kind)).to.deep.equal(["ID", "EAP"]);
  });

  it("is not begun by a method without key", async () => {
    const pair = await pairOf(WEAK);
    const seen = answers(pair);
    expect((await connect(pair)).failure).to.equal("EAP alone, but md5 makes no key");
    expect(seen).to.deep.equal([]);
  });

  it("is not served by a method without key, nor to those who do not ask for it", async () => {
    for (const [config, decide] of [
      [WEAK, { "EAP-only without MSK": "accept" }],
      [ALONE, {}],
    ] as const) {
      const pair = await pairOf(config);
      pair.a.endpoint.core.options.extensions.push({ name: "decide", decide });
      if (config === ALONE) change(pair, "a", (message) => drop(message, "Notify"));
      expect((await connect(pair)).failure).to.equal(
        "IKE_AUTH was refused with notify 24 (AUTHENTICATION_FAILED)",
      );
      none(pair);
    }
  });
});

describe("a childless IKE_AUTH", () => {
  it("says that there is no address left, and stands", async () => {
    const pair = await pairOf({ addressPools: ["203.0.113.99/32"] }, { a: { childless: "force" } });
    const seen = answers(pair);
    await connect(pair);
    const [taken] = pair.b.endpoint.core.sas.values();
    expect(taken?.leased).to.have.length(1);
    await connect(pair);
    expect(hasNotify(seen.at(-1) ?? [], NOTIFY.INTERNAL_ADDRESS_FAILURE)).to.equal(true);
    expect(pair.b.endpoint.core.sas.size).to.equal(2);
  });
});
