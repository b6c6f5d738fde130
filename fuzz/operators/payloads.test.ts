import { expect } from "chai";
import fc from "fast-check";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { equal, hex } from "../../harness/wire/bytes.ts";
import {
  decodeMessage,
  describePayload,
  encodeMessage,
  isFrameError,
  payloadToTree,
} from "../../harness/wire/index.ts";
import { certificatesOperators } from "./certificates.ts";
import { fieldsOperators } from "./fields.ts";
import { identitiesOperators } from "./identities.ts";
import { keyExchangeOperators } from "./key-exchange.ts";
import { lengthsOperators } from "./lengths.ts";
import { notifiesOperators } from "./notifies.ts";
import { octetsOperators } from "./octets.ts";
import type { Draft, IkeOperator, LieContext } from "./operator.ts";
import { partsOperators } from "./part-lists.ts";
import { proposalsOperators } from "./proposals.ts";
import { selectorsOperators } from "./selectors.ts";
import { structureOperators } from "./structure.ts";
import { contextOf, diceOf, encoded, fresh, type Sample, samples } from "./testing.ts";

const all: readonly IkeOperator[] = [
  ...[
    octetsOperators,
    fieldsOperators,
    lengthsOperators,
    structureOperators,
    partsOperators,
    proposalsOperators,
  ],
  ...[
    selectorsOperators,
    notifiesOperators,
    identitiesOperators,
    certificatesOperators,
    keyExchangeOperators,
  ],
].flat();

const DRAWS = 3;

const PLACES = [
  ...["SA", "SA/1", "SA/1/1", "SA/1/1/1", "SA/1/2/id", "SA/2/length", "KE", "NONCE", "NONCE/data", "TSi/1"],
  ...["TSi/1/startAddress", "CERT", "AUTH", "IDi", "IDr.2/data", "DELETE", "CP/1", "NOTIFY(REKEY_SA)", ""],
];

/** Where the message of the first sample, an IKE_SA_INIT request, is not the one to change. */
const MANY = [
  ...["part-count", "delete-spi-size", "delete-flood", "selector-reversed", "id-odd", "auth-omit"],
  ...["asn1-length-huge", "asn1-nested", "asn1-omit", "certreq-authorities"],
];

/** What our own decoder finds then. */
const LIES: readonly [name: string, draft: Draft, field: string][] = [
  ["payload-length", { at: "NONCE/length", value: 3 }, "NONCE > length"],
  ["payload-length", { at: "SA/length", value: 65_535 }, "SA > length"],
  ["part-length", { at: "SA/1/2/length", value: 7 }, "SA > proposal 1 > transform 2 > length"],
  ["part-trailing", { at: "SA/1/1", value: 3 }, "SA > proposal 1 > transform 1 > trailing"],
  ["part-count", { at: "TSi/count", value: 9 }, "TS > count"],
  ["part-count", { at: "DELETE/spiCount", value: 2 }, "Delete > SPI count"],
  ["field-boundary", { at: "SA/1/last", value: 255 }, "SA > proposal 1 > last"],
  ["reserved-bits", { at: "KE/reserved2", value: 1 }, "KE > reserved"],
  ["payload-unknown", { at: "KE", value: 77 }, "payload type"],
  ["payload-next", { at: "NONCE", value: 77 }, "payload type"],
  ["spi-size", { at: "SA/1/spiSize", value: 255 }, "SA > proposal 1 > SPI size"],
  ["chain-truncate", { value: 61 }, "SA > length"],
  ["sa-empty", { at: "SA" }, "SA"],
];

/** What the payloads are then, in the words of the wire layer. */
const CHANGES: readonly [name: string, draft: Draft, text: RegExp][] = [
  ["payload-omit", { at: "KE" }, /^SA No N/],
  ["payload-duplicate", { at: "KE" }, /^SA KE KE No/],
  ["payload-swap", { at: "SA", value: 1 }, /^KE SA No/],
  ["payload-reverse", {}, /^N\(NATD_D_IP\) N\(NATD_S_IP\) No KE SA/],
  ["payload-alone", { at: "NONCE" }, /^No \|/],
  ["payload-flood", { at: "NONCE", value: 3 }, /^SA KE No No No No N/],
  ["chain-empty", {}, /^ \|/],
  ["init-incomplete", { value: 40 }, /^SA KE N\(/],
  ["auth-omit", {}, /^IDi IDr SA/],
  ["payload-splice", { at: "KE", value: 42, octets: "01000000" }, /^SA D\(/],
  ["part-alone", { at: "SA/2" }, /"proposals":\[[^[]*"number":2,/],
  ["field-registered", { at: "KE/group", value: 14 }, /"group":"MODP2048"/],
  [
    "field-unassigned",
    { at: "NOTIFY(NAT_DETECTION_SOURCE_IP)/notifyType", value: 50_000 },
    /private\(50000\)/,
  ],
  ["proposal-numbers", { at: "SA", value: 0 }, /"number":0,/],
  ["proposal-merge", { at: "SA" }, /"proposals":\[[^[]*"number":1,/],
  ["key-length", { at: "SA/1/1", value: 7 }, /"type":"KEY_LENGTH","value":7\b/],
  ["attribute-format", { at: "SA/1/1/1" }, /"type":"KEY_LENGTH","value":"0100"/],
  ["transform-unknown-type", { at: "SA/1", value: 99 }, /"type":"unknown\(99\)"/],
  ["proposal-spi", { at: "SA/1", octets: "c0ffee" }, /"spi":"c0ffee"/],
  ["nonce-size", { at: "NONCE", value: 15, octets: "00" }, /"data":"[0-9a-f]{30}"/],
  ["field-empty", { at: "NONCE/data" }, /"type":"NONCE","data":""/],
  ["ke-value", { at: "KE", value: 0 }, /"data":"0{64}"/],
  ["ke-twice", { at: "KE", value: 14, octets: "02" }, /^SA KE KE No.*"data":"(02){256}"/],
  ["selector-reversed", { at: "TSi/1" }, /"startAddress":"203\.0\.113\.15","endAddress":"203\.0\.113\.0"/],
  ["delete-flood", { at: "DELETE", value: 3, octets: "00" }, /"spis":\["00000000","00000001","00000002"\]/],
  ["delete-spi-size", { at: "DELETE", value: 5, octets: "00" }, /"spiSize":5,"spis":\["c0ffee0100"\]/],
  ["notify-rekey", { value: 3, octets: "aabbccdd" }, /^N\(REKEY_SA/],
  ["notify-contradiction", { value: 0 }, /N\(NO_PROP\) N\(USE_TRANSP\) \|/],
  ["signature-hashes", { value: 3, octets: "0002" }, /"notifyType":"SIGNATURE_HASH_ALGORITHMS"[^}]*"000200"/],
  ["id-odd", { at: "IDi", value: 1, octets: "7f0000" }, /"idType":"ID_IPV4_ADDR"[^}]*"7f0000"/],
  ["asn1-length-huge", { at: "IDr.2", value: 0, octets: "0003" }, /"data":"3084ffffffff310d/],
  ["asn1-nested", { at: "IDr.2", value: 0, octets: "0002" }, /"data":"30023000"/],
  ["asn1-omit", { at: "IDr.2", value: 3 }, /"data":"300a310830060c0470656572"/],
  ["certreq-authorities", { at: "CERTREQ", value: 3, octets: "aa" }, /"data":"aaaaaa"/],
];

describe("operators on payloads", () => {
  let honest: Sample[] = [];
  before(async () => {
    honest = (await samples()).filter(({ name }) => /^(psk .* of [^0]|certificate .* 35|with)/.test(name));
  });

  it("change the octets by what they draw, and alike from its JSON", () => {
    for (const operator of all) {
      let fitting = 0;
      for (const { name, message, core } of honest) {
        const dice = diceOf(`${operator.name} ${name}`);
        const context = contextOf(core);
        for (let i = 0; i < DRAWS; i++) {
          const draft = operator.draw(message, dice);
          const problem = draft && problemOf(operator, message, draft, context);
          if (problem) expect.fail(`${operator.name} on ${name}: ${JSON.stringify(draft)} ${problem}`);
          if (draft && problem === "") fitting++;
        }
      }
      expect(fitting, `${operator.name} fits`).to.be.above(0);
    }
  });

  it("throw at no change, however odd, and leave a message that fits a datagram", () => {
    const change = fc.record(
      {
        at: fc.oneof(
          fc.constantFrom(...PLACES),
          fc
            .tuple(fc.constantFrom(...PLACES), fc.string({ maxLength: 12 }))
            .map(([place, more]) => place + more),
          fc.string({ maxLength: 20 }),
        ),
        value: fc.oneof(
          fc.double(),
          fc.integer(),
          fc.constantFrom(0, -1, 255, 65_535, 2 ** 53, 1e300, Number.NaN),
        ),
        octets: fc.oneof(
          fc.uint8Array({ maxLength: 40 }).map(hex),
          fc.constantFrom("ff".repeat(70_000), "f", "zz", "ffffffff"),
        ),
      },
      { requiredKeys: [] },
    );
    const changes = fc.array(fc.tuple(fc.constantFrom(...all), change), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.nat(), changes, (number, list) => {
        const { message, core } = honest[number % honest.length] as Sample;
        const changed = fresh(message);
        for (const [operator, draft] of list) {
          const { payloads } = changed;
          if (!operator.apply(changed, draft, contextOf(core))) expect(changed.payloads).to.equal(payloads);
        }
        expect(encoded(changed).length).to.be.below(130_000);
      }),
      { numRuns: 300 },
    );
  });

  it("say no where nothing would change", () => {
    const [{ message, core }] = honest as [Sample];
    const nonce = message.payloads.find(({ kind }) => kind === "Nonce");
    const size = nonce?.kind === "Nonce" ? nonce.data.length : 0;
    for (const [name, draft] of [
      ["field-size", { at: "NONCE/data", value: size }],
      ["field-boundary", { at: "KE/group", value: 31 }],
      ["payload-first", { at: "SA" }],
      ["payload-swap", { at: "SA", value: 0 }],
    ] as const) {
      const copy = fresh(message);
      const operator = all.find((one) => one.name === name);
      expect(operator?.apply(copy, draft, contextOf(core)), name).to.equal(false);
      expect(equal(encoded(copy), encoded(message)), name).to.equal(true);
    }
  });

  it("leave what policies and other messages share as it was", () => {
    for (const operator of all) {
      for (const { message, core } of honest) {
        const draft = operator.draw(message, diceOf(operator.name));
        if (!draft) continue;
        const before = encoded(message);
        operator.apply({ ...message, payloads: [...message.payloads], seal: {} }, draft, contextOf(core));
        expect(equal(encoded(message), before), operator.name).to.equal(true);
        break;
      }
    }
  });

  for (const [name, draft, field] of LIES) {
    it(`${name} ${JSON.stringify(draft)} shows at ${field}`, () => {
      const message = applied(honest, name, draft);
      const decoded = decodeMessage(encodeMessage(message));
      const fields = isFrameError(decoded) ? [] : (decoded.findings ?? []).map((finding) => finding.field);
      expect(fields).to.include(field);
    });
  }

  for (const [name, draft, text] of CHANGES) {
    it(`${name} ${JSON.stringify(draft)} makes it so`, () => {
      const { payloads } = applied(honest, name, draft);
      const chain = payloads.map((payload) => describePayload(payload)).join(" ");
      expect(`${chain} | ${JSON.stringify(payloads.map(payloadToTree))}`).to.match(text);
    });
  }
});

/** What is wrong with what the change does: empty if nothing is, undefined if it does not fit. */
function problemOf(
  operator: IkeOperator,
  message: OutgoingMessage,
  draft: Draft,
  context: LieContext,
): string | undefined {
  const [once, again] = [fresh(message), fresh(message)];
  if (!operator.apply(once, draft, context)) return undefined;
  if (!operator.apply(again, JSON.parse(JSON.stringify(draft)), context)) return "does not fit again";
  const after = encoded(once);
  if (!equal(after, encoded(again))) return "makes other octets from its JSON";
  if (operator.family !== "octets" && equal(after, encoded(message))) return "changes nothing";
  return after.length > 61_000 ? `makes ${after.length} octets` : "";
}

/** The change made to a message that has every kind of payload. */
function applied(honest: readonly Sample[], name: string, draft: Draft): OutgoingMessage {
  const sample =
    honest.find((one) => MANY.includes(name) && one.name === "with further payloads") ?? honest[0];
  const operator = all.find((one) => one.name === name);
  if (!sample || !operator) throw new Error(name);
  const message = fresh(sample.message);
  expect(operator.apply(message, draft, contextOf(sample.core))).to.equal(true);
  return message;
}
