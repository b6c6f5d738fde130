/** What the live responder keeps of its sessions and tells of them: the seam between its IKE side and its pages. */
import { z } from "zod";
import { VERDICTS } from "../../reports/results.ts";
import { canonical } from "./addresses.ts";

/** Octets of text that anybody else may choose, at most. */
const MOST_NAME = 80;
const MOST_DOCUMENTS = 64;

const documentName = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,79}$/, "no name of a document");

const address = z.union([z.ipv4(), z.ipv6()]).transform(canonical);

/** What a participant asks for. What is not set, the hub chooses. */
export const sessionWish = z.strictObject({
  /** What the session is called; only shown. Not set: what results call it. */
  name: z.string().trim().min(1).max(MOST_NAME).optional(),
  /** Documents whose tests for an initiator are played, one each dial; empty: each dial is only judged by lint. */
  documents: z.array(documentName).max(MOST_DOCUMENTS).default([]),
  /** The host that will dial. Named by one session alone, its dials are the session's from the first message on. */
  address: address.optional(),
});
export type SessionWish = z.infer<typeof sessionWish>;

export const endpointAddress = z.strictObject({
  host: address,
  port: z.int().min(1).max(65535),
});
export type EndpointAddress = z.infer<typeof endpointAddress>;

const verdictName = z.enum(VERDICTS);
export type VerdictCounts = Partial<Record<z.infer<typeof verdictName>, number>>;

/** `waiting`: nobody has dialled; `dialling`: a dial is under way; `idle`: dials came and have ended. */
export const sessionState = z.enum(["waiting", "dialling", "idle"]);

export const sessionView = z.strictObject({
  /** 128 random bits in hex. Who has it has the session. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  name: z.string(),
  /** Milliseconds since 1970. */
  created: z.number(),
  /** What the participant calls itself (IDi, an ID_FQDN), and what our end calls itself. */
  identity: z.string(),
  peerIdentity: z.string(),
  /** The pre-shared key of both. */
  secret: z.string(),
  /** Where to dial: the host, the IKE port, and the port with the non-ESP marker. */
  endpoint: z.strictObject({ host: z.string(), ikePort: z.int(), natPort: z.int() }),
  /** What to propose so that it is taken, in the words of `bakeoff`: `aes256-sha256-x25519`. */
  proposals: z.strictObject({ ike: z.array(z.string()), esp: z.array(z.string()) }),
  /** The networks to protect: those behind the participant, and those behind our end. */
  networks: z.strictObject({ participant: z.array(z.string()), ours: z.array(z.string()) }),
  documents: z.array(z.string()),
  /** The host that the participant said would dial. */
  address: z.string().optional(),
  state: sessionState,
  /** Dials until now. */
  dials: z.int(),
  /** Ids of tests that dials to come will play. */
  queued: z.array(z.string()),
  verdicts: z.partialRecord(verdictName, z.int()),
  /** The name of the lie that the next dial gets. */
  lie: z.string().optional(),
  /** Where dials of this session came from, proven to be there: where our end may dial back to; newest last. */
  dialled: z.array(endpointAddress),
});
export type SessionView = z.infer<typeof sessionView>;

const base = {
  /** Counts from 1 within the session. */
  seq: z.int(),
  /** Milliseconds since 1970. */
  at: z.number(),
  /** Which dial of the session, from 1; not set for what belongs to none. */
  dial: z.int().optional(),
};

/** A payload as shown; fields as labelled text, nested. */
export interface ShownField {
  label: string;
  text?: string;
  fields?: ShownField[];
}
const shownField: z.ZodType<ShownField> = z.lazy(() =>
  z.strictObject({
    label: z.string(),
    text: z.string().optional(),
    fields: z.array(shownField).optional(),
  }),
);

export const dialEvent = z.strictObject({
  kind: z.literal("dial"),
  ...base,
  what: z.enum(["begun", "established", "refused", "ended"]),
  /** Where it came from, or for a dial back where it went. */
  source: endpointAddress,
  by: z.enum(["participant", "us"]),
  /** The test that it plays, or the lie that it is told. */
  test: z.string().optional(),
  lie: z.string().optional(),
  reason: z.string().optional(),
});
export const messageEvent = z.strictObject({
  kind: z.literal("message"),
  ...base,
  direction: z.enum(["in", "out"]),
  /** `IKE_SA_INIT request`, `ESP`. */
  exchange: z.string(),
  /** Its line in the ladder. */
  line: z.string(),
  payloads: z.array(shownField),
});
export const verdictEvent = z.strictObject({
  kind: z.literal("verdict"),
  ...base,
  /** By lint: a requirement that is broken (`rfc7296/IKEV2-001`), or a document that is kept as far as seen (`rfc7296`); or a test (`rfc7296/2.8/initiator-reuses-old-spi`). */
  of: z.enum(["requirement", "test"]),
  id: z.string(),
  verdict: verdictName,
  reason: z.string(),
});
export const noteEvent = z.strictObject({ kind: z.literal("note"), ...base, text: z.string() });

/** Everything a page is told. What text comes from the wire or from participants is to be shown as text alone. */
export const sessionEvent = z.discriminatedUnion("kind", [dialEvent, messageEvent, verdictEvent, noteEvent]);
export type SessionEvent = z.infer<typeof sessionEvent>;

/** Why something was not done, to be shown to who asked. */
export interface Refusal {
  refused: string;
}
export const isRefusal = (value: object | undefined): value is Refusal =>
  value !== undefined && "refused" in value;

/** A lie that our end can tell as responder, and what is seen of it. */
export interface ListedLie {
  name: string;
  what: string;
}

/** Sessions, and all that pages may ask of them. Only `close` is asynchronous; nothing throws. */
export interface Hub {
  /** A new session; refused when there are too many, or a document is not known. */
  create(wish: SessionWish): SessionView | Refusal;
  /** Undefined for an id that is no session's. */
  view(id: string): SessionView | undefined;
  /** Events with a greater number than `after`, oldest first; none for an unknown id. Old ones may be forgotten. */
  events(id: string, after: number): SessionEvent[];
  /** Calls the listener with every event from now on. The returned function ends that. */
  watch(id: string, listener: (event: SessionEvent) => void): () => void;
  /** The next dial of the session is told this lie; undefined: the truth. */
  lie(id: string, name: string | undefined): Refusal | undefined;
  lies(): readonly ListedLie[];
  /** Documents that have tests for an initiator. */
  documents(): readonly string[];
  /** Our end initiates, only to where a dial of this session came from. */
  dialBack(id: string, to: EndpointAddress): Refusal | undefined;
  /** Path of a kept file by its name below the session's folder; undefined where there is none. */
  file(id: string, name: string): string | undefined;
  /** Names that {@link file} takes, as far as they exist. */
  files(id: string): string[];
  close(): Promise<void>;
}
