/** Whom a request comes from and whom it takes us for: neither a foreign name (DNS rebinding) nor a foreign page gets in. */
import type { IncomingMessage } from "node:http";
import { networkInterfaces } from "node:os";
import { formatAddress, parseAddress } from "../../wire/address.ts";
import { canonical } from "../addresses.ts";
import { Refused } from "./reply.ts";

/** The network of an IPv6 address: its user has all of it. */
const NETWORK_OCTETS = 8;

const LOOPBACK = "::1";

/** An IPv4 address, or the network of an IPv6 one, of which loopback is none. */
export function sourceOf(address: string | undefined): string {
  const octets = parseAddress((address ?? "").replace(/^::ffff:(?=\d+\.)/, "").replace(/%.*$/, ""));
  if (octets === undefined) return "unknown";
  const text = formatAddress(octets);
  if (octets.length === 4 || text === LOOPBACK) return text;
  return `${formatAddress(octets.fill(0, NETWORK_OCTETS))}/64`;
}

export const isLoopback = (source: string): boolean => source === LOOPBACK || source.startsWith("127.");

export interface Served {
  /** What the server is bound to. */
  host: string;
  port: number;
  /** Set when a reverse proxy on this machine serves it to others under this name. */
  publicUrl?: URL;
}

/** Source of a request. Only the proxy of this machine is believed whom it speaks for. */
export function requestSource(request: IncomingMessage, { publicUrl }: Served): string {
  const direct = sourceOf(request.socket.remoteAddress);
  const forwarded = request.headers["x-forwarded-for"];
  if (!publicUrl || !isLoopback(direct) || forwarded === undefined) return direct;
  return sourceOf([forwarded].flat().join(",").split(",").at(-1)?.trim());
}

/** Refuses what names another host than ours, and what a page of another origin sends. */
export function guard(request: IncomingMessage, served: Served): void {
  const { host, origin, "sec-fetch-site": site } = request.headers;
  if (host === undefined || !isOurs(host, served))
    throw new Refused(
      421,
      "this server has another name: use the address that it printed, or tell it this one by --web-url",
    );
  if (request.method !== "POST") return;
  if (typeof site === "string" && site !== "same-origin" && site !== "none")
    throw new Refused(403, "a page of another site may not do this");
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    throw new Refused(403, "a page of another origin may not do this");
}

const ANY = new Set(["0.0.0.0", "::"]);

/** Whether a `Host` field names this server. */
export function isOurs(given: string, { host, port, publicUrl }: Served): boolean {
  const { name, port: named } = nameAndPort(given.toLowerCase());
  if (publicUrl && given.toLowerCase() === publicUrl.host) return true;
  if (named !== port) return false;
  if (name === host) return true;
  if (ANY.has(host)) return name === "localhost" || ownAddresses().includes(name);
  return name === "localhost" && isLoopback(sourceOf(host));
}

function nameAndPort(host: string): { name: string; port: number } {
  const [, bracketed, plain, port = "80"] =
    /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(host) ?? [];
  return { name: canonical(bracketed ?? plain ?? ""), port: Number(port) };
}

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((cards = []) => cards.map(({ address }) => address));
