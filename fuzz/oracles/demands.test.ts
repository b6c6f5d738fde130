import { expect } from "chai";
import { notify } from "../../harness/ike/payloads.ts";
import type { TraceEntry } from "../../harness/script/trace.ts";
import { NOTIFY } from "../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../harness/wire/types.ts";
import type { Outcome } from "../outcome.ts";
import type { Step } from "../trace.ts";
import { provenAt } from "./claims-proof.ts";
import { demandAlarms } from "./demands.ts";
import { type Heard, heardIn, saKey } from "./lint-heard.ts";
import { changed, plain, played, signatures } from "./testing.ts";

const found = (outcome: Outcome, heard = heardIn(outcome.entries)): string =>
  signatures(demandAlarms(outcome, heard)).join();

/** What was heard, the peer's responses with one payload more. */
const withMore = ({ all, ike }: Heard, payload: Payload): Heard => ({
  all,
  ike: ike.map((said) =>
    said.ours || !said.isResponse ? said : { ...said, payloads: [...said.payloads, payload] },
  ),
});

const SA = plain("init", "auth");
const ICV = [...SA, changed("informational", "sk-icv-bit", { value: 3 })];
const STRANGER = [...SA, changed("esp", "esp-inner-destination")];
const ESP = (op: string, value: number): Step[] => [...SA, changed("esp", op, { value })];

/** Peers that do what they must not, and what is said of them. */
const BREACHES: [lie: string, steps: Step[], signature: string][] = [
  ["accepts-any-icv", ICV, "demand answer rfc7296 IKEV2-283 crypto"],
  [
    "accepts-wrong-auth",
    [...plain("init"), changed("auth", "auth-bit", { value: 3 })],
    "demand established rfc7296 IKEV2-001 crypto",
  ],
  [
    "accepts-wrong-auth",
    [...plain("init"), changed("auth", "field-octets", { at: "AUTH/data", octets: "41" })],
    "demand established rfc7296 IKEV2-001 field",
  ],
  [
    "answers-above-its-window",
    [...SA, changed("informational", "message-id-beyond", { value: 2 ** 16 })],
    "demand answer rfc7296 IKEV2-074 sequence",
  ],
  ["ignores-icv", ESP("esp-icv-bit", 3), "demand delivery rfc4303 ESP-41 esp"],
  ["delivers-outside-the-selectors", STRANGER, "demand delivery rfc4303 ESP-48 esp"],
];

/** The message that was changed, with these payloads, as if it had gone out once more, `later` Message IDs on. */
function again({ changed: [message] = [], entries }: Outcome, payloads: Payload[], later = 0): TraceEntry[] {
  if (!message) throw new Error("nothing was changed");
  const header = { ...message.header, messageId: message.header.messageId + later };
  const event = { type: "sent" as const, message: { ...message, header, payloads }, datagrams: [], copy: 0 };
  return [...entries, { at: 0, event }];
}

describe("what must not come of a lie", () => {
  for (const [lie, steps, signature] of BREACHES)
    it(`is seen of a peer that ${lie.replaceAll("-", " ")}: ${signature}`, async () => {
      expect(found(await played(steps, { lie }))).to.equal(signature);
      expect(found(await played(steps))).to.equal("");
    });

  it("is not judged where another message, or another lie, may be what was answered", async () => {
    const outcome = await played(ICV, { lie: "accepts-any-icv" });
    expect(found({ ...outcome, entries: again(outcome, []) }, heardIn(outcome.entries))).to.equal("");
    const refused = withMore(heardIn(outcome.entries), notify(NOTIFY.INVALID_MAJOR_VERSION));
    expect(found(outcome, refused)).to.equal("");
    const changes = [
      { message: 0, op: "sk-icv-bit", value: 3 },
      { message: 0, op: "sk-bits", value: 1 },
    ];
    const two = await played([...SA, { act: "informational", changes }], { lie: "accepts-any-icv" });
    expect(found(two)).to.equal("");
  });

  it("is not judged of AUTH that went out rightly in another message", async () => {
    const steps = [...plain("init"), changed("auth", "auth-bit", { value: 3 })];
    const outcome = await played(steps, { lie: "accepts-wrong-auth" });
    const auth: Payload = { kind: "AUTH", type: PAYLOAD.AUTH, method: 2, data: new Uint8Array(32) };
    expect(found({ ...outcome, entries: again(outcome, [auth], 1) }, heardIn(outcome.entries))).to.equal("");
  });

  it("is not one reply to a packet that went out twice", async () => {
    const outcome = await played(STRANGER, { lie: "delivers-outside-the-selectors" });
    const twice = outcome.entries.flatMap((entry) =>
      entry.event.type === "datagram-sent" ? [entry, entry] : [entry],
    );
    expect(found({ ...outcome, entries: twice })).to.equal("");
  });
});

describe("the proof that a peer takes an IKE SA for established", () => {
  it("is its AUTH, without an error of the IKE SA and without another AUTH to follow", async () => {
    const { entries, claims } = await played(SA);
    const heard = heardIn(entries);
    const spis = claims[0] ? saKey(claims[0].sa) : "";
    const isProven = (given: Heard): boolean => provenAt(given, [], spis, 0) !== undefined;
    expect(isProven(heard)).to.equal(true);
    for (const [type, proven] of [
      [NOTIFY.AUTHENTICATION_FAILED, false],
      [NOTIFY.ANOTHER_AUTH_FOLLOWS, false],
      [NOTIFY.TS_UNACCEPTABLE, true],
      [NOTIFY.MOBIKE_SUPPORTED, true],
    ] as const)
      expect(isProven(withMore(heard, notify(type))), String(type)).to.equal(proven);
    expect(isProven({ all: [], ike: heard.ike.filter(({ ours }) => ours) })).to.equal(false);
  });
});
