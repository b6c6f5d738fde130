/** For tests: keys as strongSwan and `ip xfrm state` would print them. */
import { hex } from "../../harness/wire/bytes.ts";
import type { EspSaKeys, IkeSaKeys } from "../keys.ts";
import { CHARON_ENCR, CHARON_INTEG } from "./names.ts";

const nameOf = (names: Readonly<Record<string, number>>, id: number | undefined): string =>
  Object.keys(names).find((name) => names[name] === id) ?? "UNKNOWN";

function dump(thread: string, label: string, octets: Uint8Array | undefined): string[] {
  if (!octets || octets.length === 0) return [];
  const lines = Array.from({ length: Math.ceil(octets.length / 16) }, (_, row) => {
    const part = [...octets.subarray(16 * row, 16 * row + 16)];
    const digits = part.map((octet) => octet.toString(16).padStart(2, "0").toUpperCase()).join(" ");
    // What stands behind is the octets as text, which may look like hex.
    return `${thread} ${String(16 * row).padStart(4)}: ${digits.padEnd(48)} ${"AB ".repeat(5)}`;
  });
  return [`${thread} ${label} => ${octets.length} bytes @ 0x7f0744004cc0`, ...lines];
}

/** A log of charon with these keys; an AEAD cipher has no SK_ai. */
export function charonLog(ike: readonly IkeSaKeys[], esp: readonly EspSaKeys[]): string {
  const ikeLines = ike.flatMap((sa, at) => {
    const thread = `09:39:52 ${String(at % 16).padStart(2, "0")}[IKE] <lane|${at}>`;
    return (["d", "ai", "ar", "ei", "er", "pi", "pr"] as const).flatMap((name) =>
      dump(thread, `Sk_${name} secret`, sa[`SK_${name}`]),
    );
  });
  const espLines = esp.flatMap((sa, at) => {
    const thread = `09:39:53 ${String(at % 16).padStart(2, "0")}[CHD]`;
    return [
      `${thread}   using ${nameOf(CHARON_ENCR, sa.encrId)} for encryption`,
      ...(sa.integId ? [`${thread}   using ${nameOf(CHARON_INTEG, sa.integId)} for integrity`] : []),
      ...dump(
        thread,
        "encryption initiator key",
        sa.encrKey.map((octet) => octet ^ 1),
      ),
      ...dump(thread, "encryption responder key", sa.encrKey),
      ...dump(
        thread,
        "integrity initiator key",
        sa.integKey.map((octet) => octet ^ 1),
      ),
      ...dump(thread, "integrity responder key", sa.integKey),
      `${thread} adding inbound ESP SA`,
      `${thread}   SPI 0x${sa.spi.toString(16)}, src ${sa.source} dst ${sa.destination}`,
    ];
  });
  return [...ikeLines, ...espLines, ""].join("\n");
}

const XFRM_AEAD: Record<number, [name: string, bits: number]> = {
  14: ["rfc4309(ccm(aes))", 64],
  15: ["rfc4309(ccm(aes))", 96],
  16: ["rfc4309(ccm(aes))", 128],
  18: ["rfc4106(gcm(aes))", 64],
  19: ["rfc4106(gcm(aes))", 96],
  20: ["rfc4106(gcm(aes))", 128],
  21: ["rfc4543(gcm(aes))", 128],
  28: ["rfc7539esp(chacha20,poly1305)", 128],
};
const XFRM_ENC: Record<number, string> = { 3: "cbc(des3_ede)", 12: "cbc(aes)", 13: "rfc3686(ctr(aes))" };
const XFRM_AUTH: Record<number, [name: string, bits: number]> = {
  2: ["hmac(sha1)", 96],
  5: ["xcbc(aes)", 96],
  8: ["cmac(aes)", 96],
  12: ["hmac(sha256)", 128],
  13: ["hmac(sha384)", 192],
  14: ["hmac(sha512)", 256],
};

/** What `ip xfrm state` prints of these SAs. */
export function xfrmState(esp: readonly EspSaKeys[]): string {
  return esp.map(xfrmSa).join("");
}

function xfrmSa(sa: EspSaKeys): string {
  const [aead, aeadBits] = XFRM_AEAD[sa.encrId] ?? [];
  const [auth, authBits] = XFRM_AUTH[sa.integId ?? 0] ?? [];
  const keys = aead
    ? [`aead ${aead} 0x${hex(sa.encrKey)} ${aeadBits}`]
    : [
        `auth-trunc ${auth} 0x${hex(sa.integKey)} ${authBits}`,
        `enc ${XFRM_ENC[sa.encrId]} 0x${hex(sa.encrKey)}`,
      ];
  const lines = [
    `proto esp spi 0x${sa.spi.toString(16).padStart(8, "0")} reqid 1 mode tunnel`,
    `replay-window 32 flag af-unspec${sa.esn ? " esn" : ""}`,
    ...keys,
    "sel src 0.0.0.0/0 dst 0.0.0.0/0 ",
  ];
  return `src ${sa.source} dst ${sa.destination}\n${lines.map((line) => `\t${line}\n`).join("")}`;
}
