import { expect } from "chai";
import type { PeerConfig } from "../../../peers/contract.ts";
import { authenticated, makePair } from "../../run/pair.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { AuthPayload, IdPayload, Payload } from "../../wire/types.ts";
import type { Extension } from "../hooks.ts";
import { notify, payload } from "../payloads.ts";
import type { Policy } from "../policy.ts";

type Change = (payloads: Payload[]) => Payload[];

const SIGNED: Partial<PeerConfig> = { auth: { method: "signature", key: "rsa2048" } };
const cert = (encoding: number, data = Uint8Array.of(0x30, 0)): Payload => ({
  kind: "CERT",
  type: PAYLOAD.CERT,
  encoding,
  data,
});

/** How IKE_AUTH ends at the initiator when what the responder sends in it is changed; undefined: with an IKE SA. */
async function outcome(
  config: Partial<PeerConfig>,
  change: Change = (payloads) => payloads,
  changes: { a?: Partial<Policy>; b?: Extension["decide"] } = {},
): Promise<string | undefined> {
  const { a, b } = await authenticated(config);
  const pair = makePair({
    seed: "verify",
    policies: { a: { ...a, ...changes.a }, b },
  });
  pair.b.endpoint.core.options.extensions.push({
    name: "change",
    ...(changes.b && { decide: changes.b }),
    outgoing: (message) => {
      if (message.header.exchangeType === EXCHANGE.IKE_AUTH) message.payloads = change(message.payloads);
    },
  });
  let failure: string | undefined = "no end";
  pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b, (result) => {
    failure = result.failure;
  });
  pair.a.settle();
  await pair.network.until(() => failure !== "no end", 60_000);
  return failure;
}

const auth =
  (change: (auth: AuthPayload) => AuthPayload): Change =>
  (payloads) =>
    payloads.map((p) => (p.kind === "AUTH" ? change(p) : p));
const withData = (change: (data: Uint8Array) => Uint8Array) => auth((p) => ({ ...p, data: change(p.data) }));
const certificates =
  (change: (own: Payload) => Payload[]): Change =>
  (payloads) =>
    payloads.flatMap((p) => (p.kind === "CERT" ? change(p) : [p]));
const id =
  (change: (own: IdPayload) => IdPayload): Change =>
  (payloads) =>
    payloads.map((p) => (p.kind === "ID" ? change(p) : p));

describe("the peer's proof of identity", () => {
  for (const key of ["rsa2048", "ecdsa256", "ecdsa384", "ecdsa521", "ed25519", "ed448"] as const) {
    it(`is good by ${key}, and wrong with any bit turned in signature or identifier`, async () => {
      const config: Partial<PeerConfig> = { auth: { method: "signature", key } };
      expect(await outcome(config)).to.equal(undefined);
      const turn = (at: number) =>
        withData((data) =>
          data.map((octet, i) => (i === (at + data.length) % data.length ? octet ^ 1 : octet)),
        );
      expect(await outcome(config, turn(-1))).to.equal("AUTH does not verify");
      expect(await outcome(config, turn(0))).to.equal("the AlgorithmIdentifier is not known");
      expect(await outcome(config, turn(3))).to.equal("the AlgorithmIdentifier is not known");
    });
  }

  for (const [what, change, reason] of [
    ["without data", withData(() => new Uint8Array(0)), "the AlgorithmIdentifier is not known"],
    [
      "that ends in its identifier",
      withData((data) => data.slice(0, 9)),
      "the AlgorithmIdentifier is not known",
    ],
    ["without signature", withData((data) => data.slice(0, 1 + (data[0] ?? 0))), "AUTH does not verify"],
    [
      "by a method that does not exist",
      auth((p) => ({ ...p, method: 200 })),
      /^AUTH by method unknown\(200\)/,
    ],
    ["by the shared secret", auth((p) => ({ ...p, method: 2 })), /^AUTH by method SHARED_KEY_MIC/],
    ["by NULL", auth((p) => ({ ...p, method: 13 })), /^AUTH by method NULL/],
    ["by an old method", auth((p) => ({ ...p, method: 1 })), /^an old method although/],
    ["beside no certificate", certificates(() => []), "no certificate"],
    ["beside a hash and URL", certificates(() => [cert(12)]), /^a certificate of encoding 12/],
    ["behind a CRL", certificates((own) => [cert(7), own]), /^a certificate of encoding 7/],
    ["behind an empty certificate", certificates((own) => [cert(4, new Uint8Array(0)), own]), /^malformed/],
    ["of another name", id((own) => ({ ...own, data: Uint8Array.of(0x78) })), /^no credentials/],
    ["of another type of name", id((own) => ({ ...own, idType: 3 })), /^no credentials/],
  ] as const) {
    it(`is refused ${what}`, async () => {
      const failure = await outcome(SIGNED, change);
      if (typeof reason === "string") expect(failure).to.equal(reason);
      else expect(failure).to.match(reason);
    });
  }

  it("may have what we have no use for behind the certificate", async () => {
    const others = certificates((own) => [own, cert(7), cert(12), cert(4), cert(200)]);
    expect(await outcome(SIGNED, others)).to.equal(undefined);
  });

  it("must be by a hash that we announced, and by RFC 7427 only if we announced any", async () => {
    const sha384 = { a: { signatureHashes: [3] } };
    expect(await outcome(SIGNED, undefined, sha384)).to.equal(undefined);
    const any = { ...sha384, b: { "hash of our signature": "any" } } as const;
    expect(await outcome(SIGNED, undefined, any)).to.equal("a hash that we did not announce");
    expect(await outcome(SIGNED, undefined, { a: { signatureHashes: [] } })).to.equal(undefined);
    const unasked = auth((p) => ({ ...p, method: 14 }));
    expect(await outcome(SIGNED, unasked, { a: { signatureHashes: [] } })).to.match(/was not announced$/);
  });

  it("is looked at before what else the response says", async () => {
    const refused: Change = (payloads) => [
      ...payloads.filter((p) => p.kind === "ID" || p.kind === "AUTH"),
      notify(NOTIFY.TS_UNACCEPTABLE),
    ];
    expect(await outcome({}, refused)).to.equal(undefined);
    const wrong: Change = (payloads) => {
      const own = payload(payloads, "AUTH");
      return refused(payloads.map((p) => (p === own ? { ...own, data: new Uint8Array(32) } : p)));
    };
    expect(await outcome({}, wrong)).to.equal("AUTH does not verify");
  });
});
