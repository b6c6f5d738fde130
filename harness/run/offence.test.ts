/** Thirty peers that write one field wrong: what is marked in the ladder of the failed test is that field. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { DiffRules } from "../../pcaps/diff/rules.ts";
import type { View } from "../../pcaps/view.ts";
import { viewsOfEvents } from "../../pcaps/view-events.ts";
import { lies } from "../../peers/builtin/lies/index.ts";
import type { Offence, TestResult } from "../../reports/results.ts";
import { marksOf } from "../../reports/site/marks.ts";
import { runTest } from "./lane.ts";
import { memoryPeer } from "./live-peer.ts";
import { loadTests, type SuiteTest } from "./suites.ts";

/** The lie, the beginning of the id of a test that it fails, and where the fault must be marked. */
type Planted = [lie: string, test: string, message: string, field: string];

const INIT = "IKE_SA_INIT response 0";
const AUTH = "IKE_AUTH response 1";
const CHILD = "CREATE_CHILD_SA request 0";

// One by one: they are the columns of a table.
const PLANTED: readonly Planted[] = [
  [
    "sends-nonces-of-16-octets",
    "rfc7296/2.10/sends-a-nonce-of-half-the-prf-key-as-responder",
    INIT,
    "Nonce > data",
  ],
  [
    "names-group-in-four-octets",
    "rfc7296/1.2/names-the-group-it-wants",
    INIT,
    "N(INVALID_KE_PAYLOAD) > data",
  ],
  ["refuses-another-group-at-once", "rfc7296/1.2/names-the-group-it-wants", INIT, "N(NO_PROPOSAL_CHOSEN)"],
  [
    "sets-an-unknown-flag",
    "rfc7296/2.5/as-responder-sends-version-two-and-clean-flags",
    INIT,
    "header > flags",
  ],
  [
    "sends-a-minor-version",
    "rfc7296/2.5/as-responder-sends-version-two-and-clean-flags",
    INIT,
    "header > version",
  ],
  [
    "sets-reserved-bits-of-payloads",
    "rfc7296/2.5/as-responder-sends-reserved-fields-as-zero",
    INIT,
    "SA > reserved bits",
  ],
  [
    "sets-reserved-octets-of-transforms",
    "rfc7296/2.5/as-responder-sends-reserved-fields-as-zero",
    INIT,
    "SA > proposal 1 > transform ENCR > reserved2",
  ],
  [
    "sets-the-critical-bit",
    "rfc7296/2.5/as-responder-never-sets-the-critical-bit",
    INIT,
    "SA > critical bit",
  ],
  [
    "skips-message-ids",
    "rfc7296/2.2/counts-its-requests-as-initiator",
    "IKE_AUTH request 2",
    "header > message ID",
  ],
  [
    "announces-its-window-in-two-octets",
    "rfc7296/2.3/as-responder-keeps-to-a-window-of-two",
    AUTH,
    "SK > N(SET_WINDOW_SIZE) > data",
  ],
  [
    "names-the-spi-of-the-ike-sa",
    "rfc7296/1.4.1/as-responder-announces-the-end-of-the-ike-sa",
    "INFORMATIONAL request 0",
    "SK > D(IKE) > SPI size",
  ],
  [
    "sends-a-key-exchange-of-another-group",
    "rfc7296/1.3/as-responder-sends-a-key-exchange-that-it-offers",
    CHILD,
    "SK > KE > group",
  ],
  ["shortens-its-ke-value", "rfc7296/3.4/pads-its-values-to-the-length-of-the-modulus", INIT, "KE > data"],
  [
    "changes-the-key-length-for-esp",
    "rfc7296/2.7/answers-with-one-offered-proposal-for-the-first-child-sa-as-responder",
    AUTH,
    "SK > SA > proposal 1 > transform ENCR > key length",
  ],
  [
    "numbers-proposals-from-zero",
    "rfc7296/3.3/offers-well-formed-proposals-as-responder",
    CHILD,
    "SK > SA > proposal 1 > number",
  ],
  [
    "sets-the-reserved-octets-of-its-identity",
    "rfc7296/3.5/responder-does-not-mind-the-reserved-octets-of-an-identity",
    AUTH,
    "SK > IDr > reserved",
  ],
  [
    "names-itself-by-another-type",
    "rfc7296/3.5/responder-is-known-by-fqdn-with-psk",
    AUTH,
    "SK > IDr > ID type",
  ],
  [
    "sends-notifies-of-protocol-ike",
    "rfc7296/3.10/sends-notifies-with-the-right-protocol-as-responder",
    INIT,
    "N(NAT_DETECTION_SOURCE_IP) > protocol ID",
  ],
  [
    "sets-reserved-octets-of-selectors",
    "rfc7296/3.13/sends-plain-selectors-and-ignores-reserved-octets-as-responder",
    AUTH,
    "SK > TSi > reserved",
  ],
  [
    "ends-its-selectors-at-port-zero",
    "rfc7296/3.13/sends-plain-selectors-and-ignores-reserved-octets-as-responder",
    AUTH,
    "SK > TSi > selector 1 > end port",
  ],
  [
    "cuts-the-hashes-of-certreq",
    "rfc7296/3.7/responder-asks-for-a-certificate-of-its-ca",
    INIT,
    "CERTREQ > data",
  ],
  [
    "proves-itself-by-the-secret-instead",
    "rfc7296/2.15/responder-signs-for-a-tester-with-the-shared-secret",
    AUTH,
    "SK > AUTH > method",
  ],
  [
    "counts-eap-identifiers-on",
    "rfc7296/2.16/logs-in-by-eap-md5",
    "IKE_AUTH request 2",
    "SK > EAP > identifier",
  ],
  [
    "numbers-fragments-from-zero",
    "rfc7383/2.5/responder-with-15-selectors-makes-well-formed-fragments",
    AUTH,
    "SKF > fragment number",
  ],
  [
    "announces-hashes-for-ike",
    "rfc7427/4/responder-announces-its-hashes",
    INIT,
    "N(SIGNATURE_HASH_ALGORITHMS) > protocol ID",
  ],
  [
    "puts-data-into-use-ppk",
    "rfc8784/3/says-use-ppk-where-its-ppk-is-optional",
    "IKE_SA_INIT request 0",
    "N(USE_PPK) > data",
  ],
  [
    "names-esp-in-state-not-found",
    "rfc9370/2.2.4/as-responder-does-not-find-the-state-of-an-altered-link",
    "IKE_FOLLOWUP_KE response 3",
    "SK > N(STATE_NOT_FOUND) > protocol ID",
  ],
  [
    "picks-sequence-numbers-nobody-offered",
    "rfc9827/7296.3.3.6/chooses-one-out-of-0",
    AUTH,
    "SK > SA > proposal 1 > transform SN > id",
  ],
  ["pads-with-zeros", "rfc4303/2.4/as-responder-aligns-and-pads-with-aes256gcm16", "ESP", "padding"],
  [
    "gives-the-echo-notify-an-spi",
    "esp-ping/6/as-responder-announces-esp-echo-in-ike-auth",
    AUTH,
    "SK > N(ESP_ECHO_SUPPORTED) > SPI",
  ],
];

/** The lie, the test, who says where its fault is, and what the mark says. */
const ACCUSED: readonly [lie: string, test: string, by: Offence["by"], label: string][] = [
  [
    "accepts-wrong-auth",
    "rfc7296/1.2/refuses-a-wrong-auth-of-the-initiator",
    "expectation",
    "fail: expected N(AUTHENTICATION_FAILED), got [ IDr AUTH SA TSi TSr ]",
  ],
  [
    "repeats-its-nonce-in-create-child-sa",
    "rfc7296/3.9/never-repeats-a-nonce-as-responder",
    "lint",
    "fail, against IKEV2-267: the nonce was used before on this IKE SA",
  ],
  [
    "omits-nonce",
    "rfc7296/1.2/initiates-ike-and-child-sa",
    "dropped",
    "not acted on: IKE_SA_INIT request: it lacks SA, KE or Nonce",
  ],
  [
    "omits-nonce",
    "rfc7296/1.2/sets-up-ike-and-child-sa",
    "ended",
    "here our endpoint gave up: IKE_SA_INIT response lacks SA, KE or Nonce",
  ],
  // Its request was lost by the test, which is no fault of it.
  [
    "gives-up-on-invalid-ke",
    "rfc7296/1.2/retries-with-the-named-group-and-its-full-offer",
    undefined,
    "first difference: ",
  ],
];

describe("the marks of a failure", () => {
  const out = mkdtempSync(join(tmpdir(), "offence-"));
  const rules = new DiffRules();
  let tests: readonly SuiteTest[];

  before(async () => {
    tests = await loadTests();
  });
  after(() => rmSync(out, { recursive: true }));

  async function played(test: SuiteTest, lie?: string): Promise<{ result: TestResult; views: View[] }> {
    const order = {
      peer: "builtin:memory",
      id: lie ?? "honest",
      seed: "1",
      ...(lie !== undefined && { lie }),
    };
    const peer = memoryPeer(order, "");
    const { result } = await runTest(test, peer, { epochMs: peer.epochMs, testLimitMs: 10_000, out });
    const path = join(out, result.evidence.events ?? "");
    return { result, views: viewsOfEvents(readFileSync(path, "utf8")) };
  }

  for (const [lie, id, message, field] of PLANTED)
    it(`are on ${field} where the peer ${lie}`, async () => {
      const test = tests.find((one) => one.id.startsWith(id) && one.facts.lies.includes(lie));
      if (!test) throw new Error(`no test ${id} has the lie ${lie}`);
      const [own, twin] = [await played(test, lie), await played(test)];
      expect(twin.result.verdict).to.equal("pass");
      const marks = marksOf(own.result, own.views, twin.views, rules);
      const marked = [...marks.own].sort(([, { tone }]) => (tone === "fault" ? -1 : 1))[0];
      const [index = -1, mark] = marked ?? [];
      expect(own.views[index]?.from).to.equal("right");
      expect(own.views[index]?.text).to.match(new RegExp(`^${message}\\b`));
      expect(mark?.field, mark?.label).to.equal(field);
    });

  for (const [lie, id, by, label] of ACCUSED)
    it(`tell who accuses: ${by ?? "nobody"}, where the peer ${lie}`, async () => {
      const test = tests.find((one) => one.id === id);
      if (!test) throw new Error(`there is no test ${id}`);
      const [own, twin] = [await played(test, lie), await played(test)];
      expect(own.result.offence?.by).to.equal(by);
      const labels = [...marksOf(own.result, own.views, twin.views, rules).own].map(([, mark]) => mark.label);
      expect(labels.join("\n")).to.include(label);
    });

  it("are tried with thirty different lies", () => {
    const names = new Set(PLANTED.map(([lie]) => lie));
    expect(names.size).to.equal(30);
    expect(lies.filter(({ name }) => names.has(name))).to.have.length(30);
  });
});
