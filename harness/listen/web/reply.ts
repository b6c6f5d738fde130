/** What a request is answered with. */
import type { ServerResponse } from "node:http";

/** Ends the work on a request: its status, and why in one line. */
export class Refused extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, why: string, headers: Readonly<Record<string, string>> = {}) {
    super(why);
    this.status = status;
    this.headers = headers;
  }
}

export interface Reply {
  status: number;
  type: string;
  body: string | Buffer;
  headers?: Readonly<Record<string, string>>;
}

export const HTML = "text/html; charset=utf-8";
export const TEXT = "text/plain; charset=utf-8";
export const JSON_TYPE = "application/json; charset=utf-8";

/** On every reply: nothing from elsewhere runs or is asked for, nobody frames it, caches it or learns its address. */
const ALWAYS: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'self'; img-src data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  // With `no-referrer`, browsers would call the origin of our own forms `null`.
  "Referrer-Policy": "same-origin",
  "X-Robots-Tag": "noindex",
  "Cache-Control": "no-store",
};

/** Writes the head of a reply whose body is still to come. */
export function head(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, { ...ALWAYS, ...headers });
}

export function send(response: ServerResponse, { status, type, body, headers }: Reply): void {
  const octets = Buffer.byteLength(body);
  head(response, status, { "Content-Type": type, "Content-Length": String(octets), ...headers });
  response.end(body);
}

/** As one line. What was not read of the request goes with the connection. */
export function refuse(response: ServerResponse, { status, message, headers }: Refused): void {
  send(response, { status, type: TEXT, body: `${message}\n`, headers: { Connection: "close", ...headers } });
}

/** To the page that shows what was done. */
export const seeOther = (location: string, body = "", type = TEXT): Reply => ({
  ...{ status: 303, type, body },
  headers: { Location: location },
});
