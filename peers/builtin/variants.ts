/** Honest variants of the builtin peer: other legal choices, on which every test must pass as well. */
import { prfTransform } from "../../harness/crypto/prf.ts";
import type { OutgoingEcho } from "../../harness/extensions/esp-echo-manners.ts";
import { ppksFor } from "../../harness/extensions/ppk-agreement.ts";
import type { Core } from "../../harness/ike/core.ts";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { errorNotify, notifies, notify } from "../../harness/ike/payloads.ts";
import type { Policy } from "../../harness/ike/policy.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import { equal } from "../../harness/wire/bytes.ts";
import { factsOf } from "../../harness/wire/documents/index.ts";
import { CERT_ENCODING } from "../../harness/wire/registry/cert-encodings.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { NOTIFY } from "../../harness/wire/registry/notify-types.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import { TRANSFORM } from "../../harness/wire/registry/transform-types.ts";
import type { Payload, Proposal, TrafficSelector, Transform } from "../../harness/wire/types.ts";
import type { LieBehaviour } from "./lies/lie.ts";

interface Variant {
  name: string;
  /** How it differs from the ordinary builtin peer. */
  effect: string;
  /** Whether a test of this revision of a document can see that; not set: every test. */
  concerns?: (document: string, revision: string) => boolean;
  behaviour: () => LieBehaviour;
}

const UNKNOWN_STATUS = 60_000;

/** Asks for certificates of one more CA, which nobody has. */
const ofAnotherCa: Payload = {
  ...{ kind: "CERTREQ", type: PAYLOAD.CERTREQ, encoding: CERT_ENCODING.X509_SIGNATURE },
  data: new Uint8Array(20).fill(0xca),
};

/** What nobody asked for and anybody may ignore. */
function chatter(message: OutgoingMessage): void {
  const { payloads, header } = message;
  if (header.exchangeType === EXCHANGE.INFORMATIONAL || !payloads.some((p) => p.kind === "SA")) return;
  if (payloads.some((p) => p.kind === "CERTREQ")) payloads.push(ofAnotherCa);
  const extra = new TextEncoder().encode("ipsec-bakeoff honest variant");
  payloads.push(notify(UNKNOWN_STATUS), { kind: "VendorID", type: PAYLOAD.VENDOR_ID, data: extra });
}

/** Says more than it must, and in fragments even where one datagram would do. */
const talkative: Variant = {
  name: "talkative",
  effect:
    "unknown status notifies, vendor ids, a CA that nobody has, INITIAL_CONTACT, a Notification before EAP, always fragments",
  behaviour: () => ({
    policy: (policy) => {
      policy.initialContact = true;
      policy.eapManners = { notifiesFirst: ["Good morning"] };
    },
    ike: { outgoing: chatter },
    echo: { decide: { "peer that announced nothing": "answer", "padding of a plain echo": "any" } },
    fragmentation: { always: true, chunk: 90 },
  }),
};

const isCookie = (p: Payload): boolean => p.kind === "Notify" && p.notifyType === NOTIFY.COOKIE;

/** The other way round, but for what has its place: COOKIE and CP in front (sections 2.6, 2.19), the own CERT first of all (section 3.6). */
function turnedRound(payloads: readonly Payload[]): Payload[] {
  const certs = payloads.filter((p) => p.kind === "CERT");
  const fixed = (p: Payload) => Number(isCookie(p) || p.kind === "CP");
  return payloads
    .toReversed()
    .map((p) => (p.kind === "CERT" ? (certs.shift() ?? p) : p))
    .sort((a, b) => fixed(b) - fixed(a));
}

/** A choice has no order of preference. */
function turnChoice({ payloads, isResponse }: OutgoingMessage): void {
  for (const p of payloads)
    if (p.kind === "SA" && isResponse)
      p.proposals = p.proposals.map((o) => ({ ...o, transforms: o.transforms.toReversed() }));
}

/** Payloads in another order, liveness checks and keepalives of its own. */
const lively: Variant = {
  name: "lively",
  effect:
    "liveness checks and NAT keepalives all the time, payloads and chosen transforms in reverse order, a new Child SA for one it cannot rekey",
  behaviour: () => ({
    ike: {
      decide: { "rekey of an unknown Child SA": "create" },
      outgoing: (message) => {
        turnChoice(message);
        message.payloads = turnedRound(message.payloads);
      },
    },
    livenessMs: 1700,
  }),
};

/** Half the key of the PRF, but 16 octets at least (RFC 7296 section 2.10), whichever PRF is chosen. */
function shortestNonce({ ike }: Policy): number {
  const prfs = ike.flatMap((p) => p.transforms.filter((t) => t.type === TRANSFORM.PRF));
  return Math.max(16, ...prfs.map(({ id }) => Math.ceil((prfTransform(id)?.keyLength ?? 0) / 2)));
}

/** The same in the opposite order of preference. */
const reversed = (proposals: Proposal[]): Proposal[] =>
  [...proposals].reverse().map((p, i) => ({ ...p, number: i + 1, transforms: [...p.transforms].reverse() }));

/** The first four addresses of a range, which hold the hosts of the lab. */
function firstFour(ts: TrafficSelector): TrafficSelector {
  const endAddress = ts.startAddress.slice();
  const last = endAddress.length - 1;
  endAddress[last] = Math.min((endAddress[last] ?? 0) + 3, ts.endAddress[last] ?? 0);
  return { ...ts, endAddress };
}

const NAT_DETECTION: readonly number[] = [
  NOTIFY.NAT_DETECTION_SOURCE_IP,
  NOTIFY.NAT_DETECTION_DESTINATION_IP,
];

/** As little as the text allows: NAT traversal is optional (section 2.23), and so is fragmentation. */
const frugal: Variant = {
  name: "frugal",
  effect:
    "cookies always, shortest nonces, opposite preferences, narrow selectors, no NAT traversal, no fragmentation, no childless IKE SAs, EAP without Identity, slow",
  behaviour: () => ({
    policy: (policy) => {
      policy.cookies = "always";
      if (policy.childless === "allow") policy.childless = "never";
      policy.eapManners = { skipsIdentity: true };
      policy.nonceLength = shortestNonce(policy);
      policy.ike = reversed(policy.ike);
      policy.esp = reversed(policy.esp);
      policy.rekeyEsp = policy.rekeyEsp && reversed(policy.rekeyEsp);
      policy.localTs = policy.localTs.map(firstFour);
      policy.remoteTs = policy.remoteTs.map(firstFour);
    },
    ike: {
      decide: { "NAT detection": "none" },
      outgoing: (message) => {
        if (message.header.exchangeType !== EXCHANGE.IKE_SA_INIT) return;
        message.payloads = message.payloads.filter(
          (p) => p.kind !== "Notify" || !NAT_DETECTION.includes(p.notifyType),
        );
      },
    },
    fragmentation: "off",
    // Longer than the tester waits before it repeats a request.
    delayMs: 700,
  }),
};

/** As the prototypes of ESP echo do, whose replies say nothing of a path. */
function clearsFlags(outgoing: OutgoingEcho): void {
  if (outgoing.kind === "request") return;
  const { replySpi: _, ...echo } = outgoing.echo;
  outgoing.echo = { ...echo, flags: 0 };
}

/** True if the sender of this IKE_AUTH request has a PPK that we have as well. */
function namesOurPpk(payloads: Payload[], core: Core): boolean {
  const ppks = ppksFor(core, core.policy.remoteId);
  return notifies(payloads, NOTIFY.PPK_IDENTITY).some(({ data }) => ppks.some(({ id }) => equal(id, data)));
}

/** Does without what is only recommended. */
const blunt: Variant = {
  name: "blunt",
  effect: "general errors instead of those recommended, silence where an answer is optional, no patience",
  behaviour: () => ({
    echo: { decide: { "unknown reply path": "silence" }, outgoing: clearsFlags },
    ike: {
      decide: {
        "rekey of an unknown Child SA": "NO_PROPOSAL_CHOSEN",
        "crossing request": "NO_PROPOSAL_CHOSEN",
        "unprotected error notify": "give up",
        "higher major version": "ignore",
        "unknown SPI": "ignore",
      },
      // Section 3.10.1 lets INVALID_SYNTAX stand for reasons of policy, too, but RFC 8784 and RFC 9867 demand the other one.
      outgoing: ({ sa, request, payloads, header: { exchangeType } }, core) => {
        const demanded = sa?.announced.has(NOTIFY.USE_PPK) && !namesOurPpk(request?.payloads ?? [], core);
        if (demanded || exchangeType === EXCHANGE.IKE_INTERMEDIATE) return;
        for (const p of payloads)
          if (p.kind === "Notify" && p.notifyType === NOTIFY.AUTHENTICATION_FAILED)
            p.notifyType = NOTIFY.INVALID_SYNTAX;
      },
    },
  }),
};

const UNKNOWN: Transform = { type: TRANSFORM.ENCR, id: 1023, attributes: [] };

/** As section 4 lets a minimal implementation: it has one Child SA for each IKE SA, and no more by request. */
const minimal: Variant = {
  name: "minimal",
  effect: "NO_ADDITIONAL_SAS to every CREATE_CHILD_SA request",
  behaviour: () => ({
    ike: {
      // Of an offer that it does not know the core makes nothing; its refusal then gets the right name.
      incoming: ({ header, isResponse, payloads }) => {
        const offers = header.exchangeType === EXCHANGE.CREATE_CHILD_SA && !isResponse ? payloads : [];
        for (const p of offers)
          if (p.kind === "SA")
            p.proposals = p.proposals.map((offer) => ({ ...offer, transforms: [UNKNOWN] }));
        return undefined;
      },
      outgoing: (message) => {
        const answer = message.header.exchangeType === EXCHANGE.CREATE_CHILD_SA && message.isResponse;
        const refused = errorNotify(message.payloads)?.notifyType === NOTIFY.NO_PROPOSAL_CHOSEN;
        if (answer && refused) message.payloads = [notify(NOTIFY.NO_ADDITIONAL_SAS)];
      },
    },
  }),
};

/** Whether a request is none that the other end begins where the IKE SA stands. */
const untimely = ({ authRounds, role }: IkeSa, exchangeType: number): boolean =>
  role === "initiator" ||
  exchangeType === EXCHANGE.CREATE_CHILD_SA ||
  (authRounds !== undefined && exchangeType === EXCHANGE.IKE_INTERMEDIATE);

/** Before the IKE SA is established, nobody but the other end of the key exchange can have sent what opens. */
const touchy: Variant = {
  name: "touchy",
  effect:
    "INVALID_MESSAGE_ID for a wrong Message ID, and no word more after an untimely request before IKE_AUTH",
  concerns: (document) => document === "rfc9242",
  behaviour: () => ({
    ike: {
      decide: { "message id out of window": "complain each time" },
      incoming: ({ sa, isResponse, header }, core) => {
        if (!sa || sa.established || isResponse || !untimely(sa, header.exchangeType)) return undefined;
        core.closeIke(sa, "an untimely request");
        return "drop";
      },
    },
  }),
};

/** The revision before this one, if this is the newest; else the same. */
function before(document: string, revision: string): string {
  const [newest, older] = factsOf(document)?.revisions ?? [];
  return older && revision === newest?.name ? older.name : revision;
}

/** Has not been brought up to date since the newest revision came out. */
const older: Variant = {
  name: "older",
  effect: "speaks the revision before the newest of each draft that it is told to speak",
  concerns: (document, revision) => before(document, revision) !== revision,
  behaviour: () => ({
    config: ({ drafts = {}, ...config }) => {
      const entries = Object.entries(drafts).map(([name, revision]) => [name, before(name, revision)]);
      return { ...config, drafts: Object.fromEntries(entries) };
    },
  }),
};

export const variants: readonly Variant[] = [talkative, lively, frugal, blunt, minimal, touchy, older];

export const findVariant = (name: string): LieBehaviour | undefined =>
  variants.find((v) => v.name === name)?.behaviour();
