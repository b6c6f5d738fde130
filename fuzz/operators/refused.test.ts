import { expect } from "chai";
import { signedOctets } from "../../harness/crypto/keys.ts";
import { sharedKeyAuth } from "../../harness/ike/auth/octets.ts";
import type { Core } from "../../harness/ike/core.ts";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import { openPayload } from "../../harness/ike/sk.ts";
import { concat, equal, fromHex, hex } from "../../harness/wire/bytes.ts";
import { decodeMessage, encodeChain, isFrameError } from "../../harness/wire/index.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import { FLAG } from "../../harness/wire/types.ts";
import type { PeerConfig } from "../../peers/contract.ts";
import { findOperator, operators } from "./index.ts";
import { CBC, GCM, life, livePair, tell } from "./live.ts";
import type { Demand, Draft, IkeOperator, Operator } from "./operator.ts";
import { contextOf, diceOf } from "./testing.ts";

const ikeOperator = (name: string): IkeOperator => {
  const operator = findOperator(name);
  if (operator?.on !== "ike") throw new Error(`no operator ${name}`);
  return operator;
};

/** What a receiver with the right keys makes of the Encrypted payload. */
function opened({ outbound }: IkeSa, octets: Uint8Array): { opens: string; inner?: string; type?: number } {
  const message = decodeMessage(octets);
  const last = isFrameError(message) ? undefined : message.payloads.at(-1);
  if (!outbound || (last?.kind !== "SK" && last?.kind !== "SKF")) return { opens: "no Encrypted payload" };
  const result = openPayload(outbound, octets, last);
  if ("error" in result) return { opens: result.error };
  return { opens: "yes", inner: hex(result.plaintext), type: result.innerType };
}

/** What is wrong, and nothing else: how it opens, and whether the same payloads come out. */
const SEALS: readonly [name: string, change: Draft, opens: string | RegExp, same?: boolean][] = [
  ["sk-icv-bit", { value: 5 }, "icv"],
  ["sk-icv-replace", { octets: "00" }, "icv"],
  ["sk-icv-cut", { value: 4 }, "icv"],
  ["sk-icv-missing", {}, "icv"],
  ["sk-icv-more", { octets: "0000" }, "icv"],
  ["sk-header-after-seal", { value: 158 }, "icv"],
  ["sk-short", { value: 8 }, "length"],
  ["sk-key-foreign", {}, "icv"],
  ["sk-keys-swapped", {}, "icv"],
  ["sk-pad-beyond", { value: 0 }, "padding"],
  ["sk-plaintext-empty", {}, "length"],
  ["sk-plaintext", { octets: "00" }, "yes", false],
  ["sk-padding", { value: 200 }, "yes", true],
  ["sk-iv", { octets: "00" }, "yes", true],
  ["sk-inner-type", { value: 255 }, "yes", true],
  ["sk-nested", { value: 1 }, "yes", false],
  ["sk-bits", { value: 129 }, "yes", true],
  ["sk-left-out", {}, "no Encrypted payload"],
];
/** Where the ICV is not the cipher's own. */
const CBC_SEALS: typeof SEALS = [
  ["sk-key-integrity", {}, "icv"],
  ["sk-key-encryption", {}, /^(yes|padding)$/, false],
  ["sk-ciphertext-cut", { value: 5 }, "length"],
];

async function authRequest(
  config: Partial<PeerConfig>,
  show: (message: OutgoingMessage, core: Core) => void,
) {
  const pair = await livePair({
    config,
    message: (message, core) => {
      if (message.header.exchangeType === EXCHANGE.IKE_AUTH && !message.isResponse) show(message, core);
    },
  });
  return life(pair);
}

describe("cryptographic operators, as our own decoder sees them", () => {
  for (const [way, config, rows] of [
    ["AES-CBC", CBC, [...SEALS, ...CBC_SEALS]],
    ["AES-GCM", GCM, SEALS],
  ] as const)
    it(`change that alone which they name, with ${way}`, async () => {
      await authRequest(config, (message, core) => {
        const honest = hex(encodeChain(message.payloads));
        for (const [name, change, opens, same] of rows) {
          const { applied, sent } = tell(ikeOperator(name), change, message, core);
          expect(applied, name).to.equal(true);
          const came = message.sa && opened(message.sa, fromHex(sent[0] ?? ""));
          expect(came?.opens, name).to.match(typeof opens === "string" ? new RegExp(`^${opens}$`) : opens);
          if (came?.opens === "yes" && same !== undefined) expect(came.inner === honest, name).to.equal(same);
        }
      });
    });

  it("seal in SK what is itself a whole SK payload, and under the peer's keys what is swapped", async () => {
    await authRequest(CBC, (message, core) => {
      const { sa } = message;
      const nested = tell(ikeOperator("sk-nested"), { value: 1 }, message, core);
      expect(sa && opened(sa, fromHex(nested.sent[0] ?? "")).type).to.equal(PAYLOAD.SK);
      const swapped = fromHex(tell(ikeOperator("sk-keys-swapped"), {}, message, core).sent[0] ?? "");
      const decoded = decodeMessage(swapped);
      const last = isFrameError(decoded) ? undefined : decoded.payloads.at(-1);
      expect(
        sa?.inbound && last?.kind === "SK" && "plaintext" in openPayload(sa.inbound, swapped, last),
      ).to.equal(true);
    });
  });

  it("make AUTH right over what they name", async () => {
    await authRequest(CBC, (message, core) => {
      const { sa } = message;
      const { psk, localId } = core.policy;
      const prf = sa?.suite?.prf;
      if (!sa?.keys || !prf) throw new Error("no keys");
      const idBody = concat(Uint8Array.of(localId.type, 0, 0, 0), localId.data);
      const over = (octets: Uint8Array): Uint8Array => sharedKeyAuth(sa, psk, octets);
      const { SK_pi, SK_pr } = sa.keys;
      for (const [name, value] of [
        ["auth-over-own-nonce", over(signedOctets(sa.initRequest, sa.Ni, prf, SK_pi, idBody))],
        ["auth-over-other-message", over(signedOctets(sa.initResponse, sa.Nr, prf, SK_pi, idBody))],
        ["auth-over-other-key", over(signedOctets(sa.initRequest, sa.Nr, prf, SK_pr, idBody))],
        ["auth-over-no-identity", over(signedOctets(sa.initRequest, sa.Nr, prf, SK_pi, new Uint8Array(0)))],
        ["auth-over-nothing", over(new Uint8Array(0))],
      ] as const) {
        const copy = { ...message };
        expect(ikeOperator(name).apply(copy, {}, contextOf(core)), name).to.equal(true);
        const auth = copy.payloads.find((payload) => payload.kind === "AUTH");
        expect(auth && equal(auth.data, value), name).to.equal(true);
      }
    });
  });
});

/** Those of other families are tested elsewhere. */
const behind = operators.filter(({ family }) =>
  ["crypto", "eap", "sequence", "fragment", "esp"].includes(family),
);

const demanding = (never: Demand["never"]): Operator[] =>
  behind.filter(({ demand }) => demand?.never === never);

const RSA = { method: "signature", key: "rsa2048" } as const;
const CONFIGS: readonly Partial<PeerConfig>[] = [CBC, { ...GCM, auth: RSA, testerAuth: RSA }];

/** Each with the end that lies. */
const LIVES = CONFIGS.flatMap((config) => [[config, "a"] as const, [config, "b"] as const]);

interface Came {
  fitted: boolean;
  answered: boolean;
  established: boolean;
  child: boolean;
  /** Echo replies. */
  delivered: number;
}

/** The honest peer's protected answers to changed messages, and whether it came to hold an IKE SA. */
async function answers(operator: Operator, config: Partial<PeerConfig>, liar: "a" | "b"): Promise<Came> {
  const exchange = EXCHANGE.IKE_AUTH;
  let fitted = false;
  let answered = false;
  let established = false;
  let child = false;
  let delivered = 0;
  const pair = await livePair({
    config,
    message(message, core, end) {
      if (end !== liar || operator.on !== "ike" || message.header.exchangeType !== exchange) return;
      const draft = operator.draw(message, diceOf(operator.name));
      if (draft) fitted = operator.apply(message, draft, contextOf(core)) || fitted;
    },
    packet(packet, end) {
      if (end !== liar || operator.on !== "esp") return;
      const draft = operator.draw(packet, diceOf(operator.name));
      if (draft) fitted = operator.apply(packet, draft, { dice: diceOf(operator.name) }) || fitted;
    },
    event(end, event) {
      if (end === liar && event.type === "esp-received" && event.inner?.echo?.reply) delivered++;
      if (end === liar) return;
      if (event.type === "ike-established") established = true;
      if (event.type === "child-established") child = true;
      const own = event.type === "sent" && event.message.header;
      if (own && own.exchangeType === exchange && own.flags & FLAG.response && event.message.protected)
        answered = true;
    },
  });
  await life(pair);
  return { fitted, answered, established, child, delivered };
}

describe("what operators demand of an honest peer", () => {
  it("is what it does", async () => {
    for (const operator of behind.filter(({ demand }) => demand)) {
      const { demand } = operator;
      let fits = 0;
      for (const [config, liar] of LIVES) {
        if (liar === "b" && demand?.never !== "established") continue;
        const came = await answers(operator, config, liar);
        if (!came.fitted) continue;
        fits++;
        if (demand?.never === "answer") expect(came.answered, operator.name).to.equal(false);
        if (demand?.never === "established") expect(came.established, operator.name).to.equal(false);
        if (demand?.never === "child") expect(came.child, operator.name).to.equal(false);
        if (demand?.never === "delivery") expect(came.delivered, operator.name).to.equal(0);
      }
      if (fits === 0) expect(UNREACHED, operator.name).to.include(operator.name);
    }
  });

  it("is not what it does with an honest end", async () => {
    const idle: IkeOperator = { ...ikeOperator("message-skip"), apply: () => true };
    const came = await answers(idle, CBC, "a");
    expect(came).to.deep.equal({
      fitted: true,
      answered: true,
      established: true,
      child: true,
      delivered: 2,
    });
    expect(demanding("answer").length + demanding("established").length).to.be.above(20);
  });
});

/** They need what these short conversations do not have: another IKE SA, earlier keys, a request that we answer. */
const UNREACHED = ["sk-keys-earlier", "sk-keys-other-sa", "auth-reflect"];
