/** What the builtin peer's process and its driver say to each other: JSON lines over standard input and output. */
import { z } from "zod";

const address = z.strictObject({ host: z.string(), port: z.int() });

const configSchema = z.strictObject({
  local: address,
  remote: address,
  localId: z.string(),
  remoteId: z.string(),
  psk: z.string(),
  ikeProposals: z.array(z.string()),
  espProposals: z.array(z.string()),
  localTs: z.array(z.string()),
  remoteTs: z.array(z.string()),
  mode: z.enum(["tunnel", "transport"]),
  fragmentation: z.boolean().optional(),
  cookies: z.literal("always").optional(),
});

/** The only argument of the process, as JSON. */
export const startSchema = z.strictObject({
  seed: z.string(),
  lie: z.string().optional(),
  variant: z.string().optional(),
  /** Addresses to bind, port 0 to let the system choose: for IKE, and for IKE and ESP with the marker. */
  bind: z.tuple([address, address]),
  /** Our port with the marker. */
  testerNatPort: z.int(),
});
export type StartOptions = z.infer<typeof startSchema>;

const traffic = z.strictObject({
  from: z.string(),
  to: z.string(),
  count: z.int(),
  size: z.int().optional(),
});

/** A verb of the driver with its argument. */
export const verbSchema = z.discriminatedUnion("verb", [
  z.strictObject({ verb: z.literal("configure"), config: configSchema }),
  z.strictObject({ verb: z.literal("initiate") }),
  z.strictObject({ verb: z.literal("rekeyIke") }),
  z.strictObject({ verb: z.literal("rekeyChild") }),
  z.strictObject({ verb: z.literal("delete"), what: z.enum(["ike", "child"]) }),
  z.strictObject({ verb: z.literal("sendTraffic"), options: traffic }),
  z.strictObject({ verb: z.literal("status") }),
  z.strictObject({ verb: z.literal("reset") }),
  z.strictObject({ verb: z.literal("logs") }),
  z.strictObject({ verb: z.literal("markLog") }),
]);
export type Verb = z.infer<typeof verbSchema>;

export const requestSchema = z.strictObject({ id: z.int(), verb: verbSchema });
export type Request = z.infer<typeof requestSchema>;

const statusSchema = z.strictObject({
  alive: z.boolean(),
  ikeSas: z.array(z.strictObject({ spiI: z.string(), spiR: z.string(), state: z.string() })),
  childSas: z.array(z.strictObject({ spiIn: z.string(), spiOut: z.string(), state: z.string() })),
  exit: z.string().optional(),
});

/** `ready` comes first and once; the others answer a request. */
export const answerSchema = z.union([
  z.strictObject({ ready: z.tuple([z.int(), z.int()]).describe("The ports bound.") }),
  z.strictObject({ id: z.int(), status: statusSchema }),
  z.strictObject({ id: z.int(), logs: z.string() }),
  z.strictObject({ id: z.int(), error: z.string() }),
  z.strictObject({ id: z.int(), done: z.literal(true) }),
]);
export type Answer = z.infer<typeof answerSchema>;
