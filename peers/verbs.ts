/**
 * The peer contract: ten verbs as JSON objects. A request of ours has `id` and `verb`, the driver's reply the same `id` and
 * one of `ok`, `unsupported` and `error`. `docs/add-your-implementation.md` has it in words.
 */
import { z } from "zod";
import { SetupProblem } from "../harness/script/verdicts.ts";
import { peerConfigSchema } from "./builtin/process-protocol.ts";

/** Version of the contract, which `hello` names. */
export const CONTRACT = 1;

export const VERBS = [
  ...(["hello", "configure", "initiate", "rekey-ike", "rekey-child"] as const),
  ...(["delete", "send-traffic", "status", "reset", "bye"] as const),
];
export type VerbName = (typeof VERBS)[number];

const port = z.int().min(0).max(65_535);
/** Where an end has its sockets: `port` for IKE, `natPort` for IKE and ESP with the non-ESP marker. */
const end = z.strictObject({ host: z.string(), port, natPort: port });

/** What both ends prove themselves with where that is not the shared secret: PEM. */
const credentials = z.strictObject({
  certificates: z.array(z.string()),
  key: z.string().optional(),
  trust: z.array(z.string()),
});
export type Credentials = z.infer<typeof credentials>;

const askShapes = [
  /** First and once. `peer` is where the peer should be. */
  z.strictObject({ verb: z.literal("hello"), contract: z.literal(CONTRACT), tester: end, peer: end }),
  /** The configuration in the place of the one before; IKE SAs of before are forgotten, silently. */
  z.strictObject({
    verb: z.literal("configure"),
    config: peerConfigSchema,
    credentials: credentials.optional(),
    /** Hosts behind both ends; the peer's answers ICMP echo requests through the tunnel. */
    hosts: z.strictObject({ tester: z.string(), peer: z.string() }),
    /** The test that it is for. */
    test: z.string().optional(),
  }),
  z.strictObject({ verb: z.literal("initiate") }),
  z.strictObject({ verb: z.literal("rekey-ike") }),
  z.strictObject({ verb: z.literal("rekey-child") }),
  z.strictObject({ verb: z.literal("delete"), what: z.enum(["ike", "child"]) }),
  z.strictObject({
    ...{ verb: z.literal("send-traffic"), from: z.string(), to: z.string() },
    ...{ count: z.int(), size: z.int().optional() },
  }),
  z.strictObject({ verb: z.literal("status") }),
  z.strictObject({ verb: z.literal("reset") }),
  z.strictObject({ verb: z.literal("bye") }),
] as const;

export const askSchema = z.discriminatedUnion("verb", askShapes);
/** A request without its number. */
export type Ask = z.infer<typeof askSchema>;
/** One that need not be of the contract. */
export type AnyAsk = { verb: string } & Record<string, unknown>;

const text = z.string().max(4_096);
const sas = <T extends z.ZodRawShape>(shape: T) => z.array(z.object(shape)).max(10_000);

/** Fields of a reply that are for `hello` and for `status`; more of them than are known are let be. */
const done = z.object({
  ok: z.literal(true),
  /** Of hello: what the implementation is called, and where it is reached if not where it was told. */
  name: text.optional(),
  version: text.optional(),
  peer: end.partial().optional(),
  /** Of hello. `raw`: ESP as IP protocol 50 where there is no NAT. Not set: in UDP alone. */
  esp: z.enum(["raw", "udp"]).optional(),
  /** Of status: whether the implementation lives; how it ended where it does not; its SAs, SPIs in hex. */
  alive: z.boolean().optional(),
  exit: text.optional(),
  ikeSas: sas({ spiI: text, spiR: text, state: text }).optional(),
  childSas: sas({ spiIn: text, spiOut: text, state: text }).optional(),
});
export type Done = z.infer<typeof done>;

export const replySchema = z.union([
  done,
  /** There are no means for it; why. */
  z.object({ unsupported: text }),
  /** It went wrong; how. */
  z.object({ error: text }),
]);
export type Reply = z.infer<typeof replySchema>;

/** How long a verb may take, in milliseconds. */
const LIMITS_MS: Record<VerbName, number> = {
  ...{ hello: 30_000, configure: 20_000, reset: 20_000, bye: 3_000 },
  ...{ initiate: 10_000, "rekey-ike": 10_000, "rekey-child": 10_000, delete: 10_000 },
  ...{ "send-traffic": 20_000, status: 10_000 },
};
const ORDINARY_MS = 10_000;
export const limitMs = (verb: string): number => new Map(Object.entries(LIMITS_MS)).get(verb) ?? ORDINARY_MS;

/** The driver does not keep the contract: the lab's fault, never the peer's. */
export class DriverFault extends SetupProblem {
  constructor(what: string) {
    super(`the driver ${what}`);
  }
}

/** A way to tell a peer something. */
export interface Channel {
  /**
   * One request and its reply; the next waits for it.
   * @throws DriverFault; the channel is of no use any more where {@link usable} says so
   */
  ask(ask: AnyAsk): Promise<Reply>;
  /** False once it is broken. */
  readonly usable: boolean;
  /** Resolves when it has ended by itself. Absent where nothing was started. */
  readonly ended?: Promise<void>;
  /** Ends what was started for it. */
  close(): Promise<void>;
}

/** As much of a line as an error message shows, without control characters. */
export const shownLine = (line: string): string => {
  const clean = JSON.stringify(line.slice(0, 120));
  return line.length > 120 ? `${clean}...` : clean;
};

/** An object may not be made text at all: what its fields say is the driver's. */
const idText = (given: unknown): string =>
  typeof given === "object" ? "what is no number" : shownLine(String(given));

/**
 * Reads a reply. `id`: that of the request; not set where the way has no others to confuse it with.
 * @throws DriverFault naming the line
 */
export function readReply(line: string, verb: string, id?: number): Reply {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new DriverFault(`answered ${verb} with what is no JSON: ${shownLine(line)}`);
  }
  const given: unknown = Reflect.get(Object(value), "id");
  if (id !== undefined && given !== id)
    throw new DriverFault(
      `answered ${verb}, request ${id}, with a reply to ${idText(given)}: ${shownLine(line)}`,
    );
  const reply = replySchema.safeParse(value);
  if (reply.success) return reply.data;
  throw new DriverFault(
    `answered ${verb} with what is no reply (ok, unsupported or error): ${shownLine(line)}`,
  );
}
