/** The HTTP side of `bakeoff listen`: pages on which participants watch their dials. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIPv6 } from "node:net";
import type { Hub } from "../types.ts";
import { watchConnections } from "./connections.ts";
import { LIMITS, type Limits, MOST_HEAD, MOST_TARGET } from "./limits.ts";
import { Refused, refuse } from "./reply.ts";
import { Routes } from "./routes.ts";
import { guard, isLoopback, requestSource, type Served } from "./source.ts";

export interface ServeOptions {
  /** An address of this machine; not set: loopback. */
  host?: string;
  /** 0: any. */
  port: number;
  /** Set when a reverse proxy on this machine serves it to others: as they call it. */
  publicUrl?: URL;
  /** Not set: what fits a hackathon. */
  limits?: Partial<Limits>;
}

export interface Serving {
  /** Where the first page is. */
  url: string;
  /** The port it is bound to. */
  port: number;
  /** Ends all connections. The hub is not closed. */
  close(): Promise<void>;
}

/** @throws what `listen` throws, as when the port is taken */
export async function serve(hub: Hub, options: ServeOptions): Promise<Serving> {
  const { host = "127.0.0.1", publicUrl } = options;
  const limits = { ...LIMITS, ...options.limits };
  const server = createServer({
    maxHeaderSize: MOST_HEAD,
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.headMs,
    connectionsCheckingInterval: Math.min(1000, limits.headMs),
  });
  // Behind a proxy all connections come from this machine.
  watchConnections(server, limits, (source) => publicUrl !== undefined && isLoopback(source));
  await listening(server, host, options.port);
  const port = portOf(server);
  const served: Served = { host, port, ...(publicUrl && { publicUrl }) };
  const routes = new Routes(hub, limits);
  server.on("request", (request, response) => void answer(routes, served, limits, request, response));
  server.on("clientError", refuseBroken);
  return { url: publicUrl?.href ?? urlOf(served), port, close: () => closed(server) };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

function urlOf({ host, port }: Served): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${port}/`;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(
  routes: Routes,
  served: Served,
  limits: Limits,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // One that waits behind another has no socket, and would never hear that the connection is gone: nobody needs to send it.
  if (!response.socket) return void request.socket.destroy();
  response.on("error", () => response.destroy());
  const late = setTimeout(() => response.destroy(), limits.replyMs);
  response.once("close", () => clearTimeout(late));
  try {
    guard(request, served);
    const { path, query } = targetOf(request.url ?? "");
    await routes.answer({ request, response, path, query, source: requestSource(request, served) });
    // A stream of events goes on; it has an end of its own for who is slow.
    if (!response.writableEnded) clearTimeout(late);
  } catch (error) {
    if (response.headersSent) response.destroy();
    else
      refuse(
        response,
        error instanceof Refused ? error : new Refused(500, "this went wrong here, not with you"),
      );
  }
}

/** Path and query as they stand there: nothing is resolved, so that no path leads out of where it begins. */
function targetOf(url: string): { path: string; query: URLSearchParams } {
  if (url.length > MOST_TARGET) throw new Refused(414, `the address is longer than ${MOST_TARGET} letters`);
  if (!url.startsWith("/")) throw new Refused(400, "the target must be a path");
  const [path = "", query = ""] = url.split("?", 2);
  return { path, query: new URLSearchParams(query) };
}

const BROKEN = {
  HPE_HEADER_OVERFLOW: {
    status: "431 Request Header Fields Too Large",
    why: `the head is larger than ${MOST_HEAD} octets`,
  },
  ERR_HTTP_REQUEST_TIMEOUT: { status: "408 Request Timeout", why: "the request took too long" },
} as const;

/** What is no HTTP, or never ends. */
function refuseBroken(
  error: NodeJS.ErrnoException,
  socket: NodeJS.WritableStream & { destroy(): void },
): void {
  if (!socket.writable) return socket.destroy();
  const { status, why } = Object.entries(BROKEN).find(([code]) => code === error.code)?.[1] ?? {
    status: "400 Bad Request",
    why: "this is no HTTP/1.1 request",
  };
  const head = `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n`;
  socket.end(`${head}Content-Length: ${why.length + 1}\r\n\r\n${why}\n`, () => socket.destroy());
}
