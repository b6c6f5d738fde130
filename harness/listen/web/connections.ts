/** Who is connected: with too many, the one that was idle longest goes, and whoever waits for a reply stays. */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Limits } from "./limits.ts";
import { sourceOf } from "./source.ts";

interface Connection {
  source: string;
  /** Replies that are under way. */
  busy: number;
}

const FULL = "too many connections: try again in a minute\n";
const REFUSAL = `HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${FULL.length}\r\nConnection: close\r\n\r\n${FULL}`;

/**
 * Watches the connections of a server.
 * @param shared a source that speaks for many, as a reverse proxy does: without a limit of its own
 */
export function watchConnections(server: Server, limits: Limits, shared: (source: string) => boolean): void {
  /** Those that were idle longest come first. */
  const open = new Map<Socket, Connection>();

  const closeIdle = (from?: string): boolean => {
    for (const [socket, { source, busy }] of open)
      if (busy === 0 && (from === undefined || source === from)) {
        open.delete(socket);
        socket.destroy();
        return true;
      }
    return false;
  };
  const countOf = (source: string): number =>
    [...open.values()].filter((connection) => connection.source === source).length;
  const fits = (source: string): boolean => {
    if (!shared(source) && countOf(source) >= limits.perSource && !closeIdle(source)) return false;
    return open.size < limits.connections || closeIdle();
  };

  server.on("connection", (socket) => {
    const source = sourceOf(socket.remoteAddress);
    if (!fits(source)) {
      socket.on("error", () => socket.destroy());
      socket.end(REFUSAL, () => socket.destroy());
      return;
    }
    open.set(socket, { source, busy: 0 });
    socket.once("close", () => open.delete(socket));
  });
  server.prependListener("request", (request, response) => {
    const { socket } = request;
    const connection = open.get(socket);
    if (!connection) return;
    connection.busy++;
    response.once("close", () => {
      connection.busy--;
      // The last to become idle is the last to be closed for it.
      if (open.delete(socket)) open.set(socket, connection);
    });
  });
}
