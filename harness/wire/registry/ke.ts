import { frodokem } from "../documents/frodokem.ts";
import { mlkem } from "../documents/mlkem.ts";
import { constants, defineRegistry, type RegistryEntry } from "./registry.ts";

const table = [
  { value: 0, name: "NONE", document: "RFC 7296" },
  { value: 1, name: "MODP768", document: "RFC 7296; deprecated by RFC 8247", short: "modp768" },
  { value: 2, name: "MODP1024", document: "RFC 7296", short: "modp1024" },
  { value: 5, name: "MODP1536", document: "RFC 3526", short: "modp1536" },
  { value: 14, name: "MODP2048", document: "RFC 3526", short: "modp2048" },
  { value: 15, name: "MODP3072", document: "RFC 3526", short: "modp3072" },
  { value: 16, name: "MODP4096", document: "RFC 3526", short: "modp4096" },
  { value: 17, name: "MODP6144", document: "RFC 3526", short: "modp6144" },
  { value: 18, name: "MODP8192", document: "RFC 3526", short: "modp8192" },
  { value: 19, name: "ECP256", document: "RFC 5903", short: "ecp256" },
  { value: 20, name: "ECP384", document: "RFC 5903", short: "ecp384" },
  { value: 21, name: "ECP521", document: "RFC 5903", short: "ecp521" },
  { value: 22, name: "MODP1024_160", document: "RFC 5114; deprecated by RFC 8247", short: "modp1024s160" },
  { value: 23, name: "MODP2048_224", document: "RFC 5114", short: "modp2048s224" },
  { value: 24, name: "MODP2048_256", document: "RFC 5114", short: "modp2048s256" },
  { value: 25, name: "ECP192", document: "RFC 5114", short: "ecp192" },
  { value: 26, name: "ECP224", document: "RFC 5114", short: "ecp224" },
  { value: 27, name: "BRAINPOOL224", document: "RFC 6954", short: "ecp224bp" },
  { value: 28, name: "BRAINPOOL256", document: "RFC 6954", short: "ecp256bp" },
  { value: 29, name: "BRAINPOOL384", document: "RFC 6954", short: "ecp384bp" },
  { value: 30, name: "BRAINPOOL512", document: "RFC 6954", short: "ecp512bp" },
  { value: 31, name: "CURVE25519", document: "RFC 8031", short: "x25519" },
  { value: 32, name: "CURVE448", document: "RFC 8031", short: "x448" },
  { value: 33, name: "GOST3410_2012_256", document: "RFC 9385" },
  { value: 34, name: "GOST3410_2012_512", document: "RFC 9385" },
  ...mlkem.codePoints.KE,
  { value: 1024, name: "MODP_NULL", document: "private: strongSwan", short: "modpnull" },
  { value: 1030, name: "NTRU112", document: "private: strongSwan 5.9", short: "ntru112" },
  { value: 1031, name: "NTRU128", document: "private: strongSwan 5.9", short: "ntru128" },
  { value: 1032, name: "NTRU192", document: "private: strongSwan 5.9", short: "ntru192" },
  { value: 1033, name: "NTRU256", document: "private: strongSwan 5.9", short: "ntru256" },
  { value: 1035, name: "SNTRUP761X25519", document: "private: OpenIKED", short: "sntrup761x25519" },
  { value: 1040, name: "NEWHOPE128", document: "private: strongSwan 5.9", short: "newhope128" },
  { value: 1051, name: "SM2_KEM_GMALG", document: "private: strongSwan fork gmalg" },
  ...frodokem.codePoints.KE,
  {
    value: 1101,
    name: "MCELIECE348864",
    document: "private: this harness (draft beyond-64k)",
    short: "mceliece348864",
  },
  {
    value: 1102,
    name: "MCELIECE460896",
    document: "private: this harness (draft beyond-64k)",
    short: "mceliece460896",
  },
  {
    value: 1103,
    name: "MCELIECE6688128",
    document: "private: this harness (draft beyond-64k)",
    short: "mceliece6688128",
  },
  {
    value: 1104,
    name: "MCELIECE6960119",
    document: "private: this harness (draft beyond-64k)",
    short: "mceliece6960119",
  },
  {
    value: 1105,
    name: "MCELIECE8192128",
    document: "private: this harness (draft beyond-64k)",
    short: "mceliece8192128",
  },
  { value: 65201, name: "CURVE_SM2", document: "private: this harness (draft shangmi)", short: "curvesm2" },
] as const satisfies readonly RegistryEntry[];

/** Key Exchange Method Transform IDs. */
export const keMethods = defineRegistry<RegistryEntry>(
  "Key Exchange Method Transform IDs",
  table,
  [1024, 65535],
);

export const KE = constants(table);
