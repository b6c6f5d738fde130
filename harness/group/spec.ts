/** A group as a peer's configuration names it: plain data, of which controller and member make their policies. */
import { z } from "zod";

const texts = z.array(z.string());
/** What stands in 16 and in 32 bits on the wire. */
const u16 = z.int().min(0).max(0xffff);
const u32 = z.int().min(0).max(0xffff_ffff);

/** A group of G-IKEv2 (RFC 9838). */
export const groupSpecSchema = z.strictObject({
  /** The group's identity (IDg), spelt as identities of `PeerConfig`: `keyid:67727031`, `group.example`. */
  id: z.string(),
  /** Identities that may register. Not set: everybody who can prove an identity. */
  members: texts.optional(),
  /** Identities that may send. Not set: every member. */
  senders: texts.optional(),
  /** The group takes nobody more: REGISTRATION_FAILED. */
  full: z.literal(true).optional(),
  /** Not set: tunnel, with the addresses preserved. */
  mode: z.enum(["tunnel", "transport"]).optional(),
  /** How keys are renewed: over each member's IKE SA, or by multicast that is authenticated so. */
  rekey: z.enum(["inband", "implicit", "ed25519", "rsa-pss", "ecdsa-p256"]),
  /** Key wrap algorithm of the IKE SAs (`kw128`, `kw192`); not set: `kw256`. */
  keyWrap: z.string().optional(),
  /** Transforms of the Rekey SA; not set: `aes256gcm16-kw256`. */
  rekeyProposal: z.string().optional(),
  /** Transforms of the Data-Security SAs, an entry for each: `aes128gcm16-unspec32`, `aes128-sha256-noesn`. */
  data: texts,
  /** Their destinations; not set: 239.2.2.2, 239.2.2.3, and so on. */
  dataGroups: texts.optional(),
  /** Where GSA_REKEY goes; not set: 239.1.1.1 port 848. */
  rekeyGroup: z.strictObject({ host: z.string(), port: u16 }).optional(),
  /** Seconds; not set: 3600 and 86400. */
  dataLifetime: u32.optional(),
  rekeyLifetime: u32.optional(),
  /** Activation and deactivation time delay in seconds; not set: not sent, which is 0. */
  ATD: u16.optional(),
  DTD: u16.optional(),
  /** Bits of the Sender-ID in the IV; not set: 8. */
  senderIdBits: u16.optional(),
  /** Most Sender-IDs that one member gets; not set: 16. */
  mostSenderIds: z.int().min(1).optional(),
  /** Degree of the key tree (LKH); not set: no tree, so that nobody can be excluded by multicast. */
  keyTree: z.int().min(2).optional(),
  /** The SPIs of the next SAs are promised by GSA_NEXT_SPI. */
  promisesNextSpi: z.literal(true).optional(),
  /** Who is excluded must not see the policy of what comes after it either. */
  hidesPolicy: z.literal(true).optional(),
  /** The controller closes the IKE SA of a member that has a Rekey SA after so many seconds; not set: never. */
  closesIkeAfter: z.int().min(0).optional(),
});
export type GroupSpec = z.infer<typeof groupSpecSchema>;
