/** What the builtin peer's process and its driver say to each other: JSON lines over standard input and output. */
import { z } from "zod";
import { type SchemeName, schemes } from "../../harness/crypto/signatures.ts";
import { groupSpecSchema } from "../../harness/group/spec.ts";
import { KEY_KINDS } from "../../harness/pki/types.ts";
import type { PeerConfig } from "../contract.ts";

const address = z.strictObject({ host: z.string(), port: z.int(), transport: z.literal("tcp").optional() });

const scheme = z.custom<SchemeName>((name) => schemes.some((known) => known.name === name));

const auth = z.discriminatedUnion("method", [
  z.strictObject({ method: z.literal("psk") }),
  z.strictObject({ method: z.literal("null") }),
  z.strictObject({
    method: z.literal("signature"),
    key: z.enum(KEY_KINDS),
    scheme: scheme.optional(),
    oldMethods: z.literal(true).optional(),
  }),
  z.strictObject({
    method: z.literal("eap"),
    type: z.enum(["md5", "gtc", "mschapv2", "tls", "ttls", "sim", "aka"]),
    inner: z.enum(["md5", "gtc", "mschapv2"]).optional(),
  }),
  z.strictObject({ method: z.literal("eap-only") }),
]);

const texts = z.array(z.string());

/** Has every field that a test can set, or it does not compile. */
const configShape = {
  local: address,
  remote: address,
  localId: z.string(),
  remoteId: z.string(),
  furtherRemoteIds: texts.optional(),
  psk: z.string(),
  auth: auth.optional(),
  testerAuth: auth.optional(),
  eapIdentity: z.string().optional(),
  eapPassword: z.string().optional(),
  ikeProposals: texts,
  espProposals: texts,
  localTs: texts,
  remoteTs: texts,
  mode: z.enum(["tunnel", "transport"]),
  fragmentation: z.boolean().optional(),
  cookies: z.literal("always").optional(),
  childless: z.enum(["never", "force"]).optional(),
  addressPools: texts.optional(),
  requestAddresses: z.array(z.enum(["ipv4", "ipv6"])).optional(),
  unique: z.literal("replace").optional(),
  drafts: z.record(z.string(), z.string()).optional(),
  codePoints: z.record(z.string(), z.int()).optional(),
  replayWindow: z.int().optional(),
  espCounter: z.int().optional(),
  mtu: z.int().optional(),
  transport: z.literal("tcp").optional(),
  groups: z.array(groupSpecSchema).optional(),
  ppks: z
    .array(z.strictObject({ id: z.string(), secret: z.string(), for: z.string().optional() }))
    .optional(),
  ppkRequired: z.literal(true).optional(),
  ppkIn: z.array(z.enum(["IKE_AUTH", "IKE_INTERMEDIATE", "CREATE_CHILD_SA"])).optional(),
  intermediate: z.literal(true).optional(),
} satisfies Record<keyof PeerConfig, z.ZodType>;

export const peerConfigSchema: z.ZodType<PeerConfig> = z.strictObject(configShape);

/** What a test may want of a configuration. Addresses are for the lab to give. */
export const configWishesSchema: z.ZodType<Partial<PeerConfig>> = z
  .strictObject(configShape)
  .omit({ local: true, remote: true })
  .partial();

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

const ping = z.strictObject({
  count: z.int(),
  plain: z.boolean().optional(),
  over: z.enum(["udp", "esp"]).optional(),
  size: z.int().optional(),
  reply: z.boolean().optional(),
  congestion: z.boolean().optional(),
});

/** A verb of the driver with its argument. */
const verbSchema = z.discriminatedUnion("verb", [
  z.strictObject({ verb: z.literal("configure"), config: peerConfigSchema }),
  z.strictObject({ verb: z.literal("initiate") }),
  z.strictObject({ verb: z.literal("rekeyIke") }),
  z.strictObject({ verb: z.literal("rekeyChild") }),
  z.strictObject({ verb: z.literal("delete"), what: z.enum(["ike", "child"]) }),
  z.strictObject({ verb: z.literal("sendTraffic"), options: traffic }),
  z.strictObject({ verb: z.literal("ping"), options: ping }),
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
