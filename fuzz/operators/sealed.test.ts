import { expect } from "chai";
import fc from "fast-check";
import type { OutgoingEsp } from "../../harness/esp/hooks.ts";
import type { Core } from "../../harness/ike/core.ts";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { fromHex } from "../../harness/wire/bytes.ts";
import { EAP_CODE } from "../../harness/wire/registry/eap.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { PeerConfig } from "../../peers/contract.ts";
import { MOST_DATAGRAMS } from "./bend.ts";
import { MOST_OCTETS } from "./build.ts";
import { authOperators } from "./crypto-auth.ts";
import { plaintextOperators } from "./crypto-plaintext.ts";
import { sealOperators } from "./crypto-seal.ts";
import { signatureOperators } from "./crypto-signature.ts";
import { weakOperators } from "./crypto-weak.ts";
import { eapOperators } from "./eap.ts";
import { eapMschapv2Operators } from "./eap-mschapv2.ts";
import { eapSimOperators } from "./eap-sim.ts";
import { eapTlsOperators } from "./eap-tls.ts";
import { espOperators } from "./esp.ts";
import { espInnerOperators } from "./esp-inner.ts";
import { fragmentOperators } from "./fragments.ts";
import { headerOperators } from "./header.ts";
import { CBC, GCM, life, livePair, type Told, tell, tellEsp } from "./live.ts";
import type { Draft, EspOperator, IkeOperator } from "./operator.ts";
import { sequenceOperators } from "./sequence.ts";
import { diceOf } from "./testing.ts";

const ike: readonly IkeOperator[] = [
  ...[
    sealOperators,
    plaintextOperators,
    authOperators,
    signatureOperators,
    weakOperators,
    headerOperators,
    sequenceOperators,
    fragmentOperators,
  ],
  ...[eapOperators, eapMschapv2Operators, eapTlsOperators, eapSimOperators],
].flat();
const esp: readonly EspOperator[] = [...espOperators, ...espInnerOperators];

const signed = (key: "rsa2048" | "ecdsa256"): Partial<PeerConfig> => ({ auth: { method: "signature", key } });
const login = (type: "md5" | "gtc" | "mschapv2" | "tls"): Partial<PeerConfig> => ({
  ...signed("ecdsa256"),
  testerAuth: { method: "eap", type },
});

const WAYS: readonly Partial<PeerConfig>[] = [
  CBC,
  { ...GCM, ...signed("rsa2048") },
  ...(["md5", "gtc", "mschapv2", "tls"] as const).map(login),
];

type Visit = (message: OutgoingMessage, core: Core, sent: Uint8Array[][]) => void;

/** Shows every message of both ends in all these conversations, each after an earlier IKE SA. */
async function everyMessage(ways: readonly Partial<PeerConfig>[], visit: Visit): Promise<void> {
  for (const config of ways) {
    const sent: Record<"a" | "b", Uint8Array[][]> = { a: [], b: [] };
    const pair = await livePair({
      config,
      message: (message, core, end) => visit(message, core, sent[end]),
      event: (end, event) => {
        if (event.type === "sent") sent[end].push(event.datagrams);
      },
    });
    expect(await life(pair), JSON.stringify(config)).to.equal(undefined);
    await life(pair, true);
  }
}

async function everyPacket(
  ways: readonly Partial<PeerConfig>[],
  visit: (packet: OutgoingEsp) => void,
): Promise<void> {
  for (const config of ways) await life(await livePair({ config, packet: visit }));
}

/** EAP-SIM in the place of what is said. */
function asSim(message: OutgoingMessage): OutgoingMessage[] {
  const eap = message.payloads.find((payload) => payload.kind === "EAP");
  if (eap?.kind !== "EAP" || eap.code > EAP_CODE.RESPONSE) return [];
  const data = fromHex(`120b0000010d0000${"22".repeat(48)}0b050000${"00".repeat(16)}`);
  return [{ ...message, payloads: [{ ...eap, type: PAYLOAD.EAP, data }] }];
}

const same = (a: Told, b: Told): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Applies a change twice, the second time from JSON: what is wrong, or whether it fitted. */
function fitted(draft: Draft, told: (change: Draft, honest?: true) => Told): boolean | string {
  const once = told(draft);
  if (!same(once, told(JSON.parse(JSON.stringify(draft))))) return "not alike from JSON";
  if (same({ ...once, applied: true }, told({}, true)) === !once.applied) return once.applied;
  return once.applied ? "changes nothing" : "changes something though it says no";
}

describe("operators on what is behind the encryption", () => {
  it("change what is sent by what they draw, and alike from its JSON", async () => {
    const fits = new Map<string, number>();
    const problems = new Set<string>();
    const note = (name: string, draft: Draft, came: boolean | string): void => {
      if (typeof came === "string") problems.add(`${name} ${JSON.stringify(draft)}: ${came}`);
      if (came === true) fits.set(name, (fits.get(name) ?? 0) + 1);
    };
    let number = 0;
    await everyMessage(WAYS, (honest, core, sent) => {
      number++;
      for (const message of [honest, ...asSim(honest)])
        for (const operator of ike) {
          if ((fits.get(operator.name) ?? 0) > 1) continue;
          const draft = operator.draw(message, diceOf(`${operator.name} ${number}`));
          const told = (change: Draft, plain?: true): Told =>
            tell(plain ? undefined : operator, change, message, core, sent);
          if (draft) note(operator.name, draft, fitted(draft, told));
        }
    });
    await everyPacket([CBC, GCM], (packet) => {
      number++;
      for (const operator of esp) {
        const draft = operator.draw(packet, diceOf(`${operator.name} ${number}`));
        const told = (change: Draft, plain?: true): Told =>
          tellEsp(plain ? undefined : operator, change, packet);
        if (draft) note(operator.name, draft, fitted(draft, told));
      }
    });
    expect([...problems]).to.deep.equal([]);
    const never = [...ike, ...esp].filter(({ name }) => !fits.has(name)).map(({ name }) => name);
    expect(never).to.deep.equal(["esp-inner-length-6", "esp-inner-protocol-6"]);
  });

  it("throw at no change, change nothing where they say so, and stay within bounds", async () => {
    const messages: [OutgoingMessage, Core][] = [];
    const wild = hostile();
    await everyMessage([CBC, login("mschapv2")], (message, core, sent) => {
      if (messages.push([message, core]) % 7 === 0)
        for (const operator of ike)
          for (const draft of wild(2)) bounded(tell(operator, draft, message, core, sent), operator.name);
    });
    await everyPacket([CBC, GCM], (packet) => {
      for (const operator of esp)
        for (const draft of wild(4)) bounded(tellEsp(operator, draft, packet), operator.name);
    });
  });
});

/** A stream of changes as a damaged or hostile corpus may have them. */
function hostile(): (count: number) => Draft[] {
  const number = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 53, 2 ** 32, 0.5),
  );
  const draft = fc.record(
    {
      at: fc.oneof(
        fc.string(),
        fc.constantFrom("before", "after", "i", "r", "all", "__proto__", "constructor", "0", "999"),
      ),
      value: number,
      octets: fc.oneof(
        fc.constantFrom("", "zz", "f", "00".repeat(70_000)),
        fc.stringMatching(/^(?:[0-9a-f]{2}){0,40}$/),
      ),
    },
    { requiredKeys: [] },
  );
  let seed = 1;
  return (count) => fc.sample(draft, { numRuns: count, seed: seed++ });
}

function bounded({ sent, beside }: Told, name: string): void {
  expect(sent.length, name).to.be.at.most(MOST_DATAGRAMS);
  for (const octets of sent) expect(octets.length / 2, name).to.be.at.most(MOST_OCTETS + 1000);
  expect(beside.length, name).to.be.at.most(MOST_DATAGRAMS);
}
