/** Which address shows what. The number of a session is all that is needed to use it, and nothing lists them. */
import { createReadStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Hub, SessionView } from "../types.ts";
import { isRefusal } from "../types.ts";
import { assets } from "./assets.ts";
import { readBody } from "./body.ts";
import { eventForPage } from "./events-view.ts";
import { Counts, type Limits, Rate } from "./limits.ts";
import { head, JSON_TYPE, Refused, type Reply, seeOther, send } from "./reply.ts";
import { liesPage, sessionJson, sessionPage, stateForPage } from "./session-page.ts";
import { type Choice, choicesOf, startPage } from "./start-page.ts";
import { EventStream, lastSeen } from "./stream.ts";
import { dialBackBody, lieBody, wishBody } from "./wishes.ts";

/** A request that the guard has let in. */
export interface Asked {
  request: IncomingMessage;
  response: ServerResponse;
  path: string;
  query: URLSearchParams;
  source: string;
}

const SESSION = /^\/s\/([0-9a-f]{32})(\.json|\/[^?]*)?$/;
const NOTHING = "there is nothing at this address";

export class Routes {
  readonly #hub: Hub;
  readonly #limits: Limits;
  readonly #posts: Rate;
  readonly #streams = new Counts();
  readonly #assets = assets();
  readonly #choices: readonly Choice[];

  constructor(hub: Hub, limits: Limits) {
    this.#hub = hub;
    this.#limits = limits;
    this.#posts = new Rate(limits.posts);
    this.#choices = choicesOf(hub);
  }

  /** @throws Refused */
  async answer(asked: Asked): Promise<void> {
    const { request, response, path } = asked;
    const reply = await (request.method === "POST" ? this.#post(asked) : this.#get(asked));
    if (reply) send(response, reply);
    else if (!response.headersSent) throw new Refused(404, `${NOTHING}: ${path.slice(0, 40)}`);
  }

  async #get(asked: Asked): Promise<Reply | undefined> {
    const { request, path } = asked;
    if (request.method !== "GET" && request.method !== "HEAD")
      throw new Refused(405, "only GET, HEAD and POST are known here", { Allow: "GET, HEAD, POST" });
    if (path === "/") return startPage(this.#choices);
    const asset = this.#assets.get(path);
    if (asset) return asset;
    const { session, rest } = this.#session(path);
    if (rest === "") return sessionPage(this.#hub, session);
    if (rest === ".json") return { status: 200, type: JSON_TYPE, body: sessionJson(this.#hub, session) };
    if (rest === "/lies") return liesPage(this.#hub, session);
    if (rest === "/events") return this.#events(session.id, asked);
    if (rest.startsWith("/files/")) return this.#file(session.id, rest.slice("/files/".length), asked);
    throw new Refused(404, NOTHING);
  }

  async #post({ request, path, source }: Asked): Promise<Reply> {
    const wait = this.#posts.take(source, performance.now());
    if (wait > 0) {
      const seconds = Math.ceil(wait / 1000);
      throw new Refused(429, `too many requests: try again in ${seconds} s`, { "Retry-After": `${seconds}` });
    }
    if (path === "/sessions") return this.#create(request);
    const { session, rest } = this.#session(path);
    const done = await this.#act(session.id, rest, request);
    if (done && isRefusal(done)) throw new Refused(409, done.refused);
    return seeOther(`/s/${session.id}`);
  }

  async #create(request: IncomingMessage): Promise<Reply> {
    const session = this.#hub.create(await readBody(request, wishBody));
    if (isRefusal(session)) throw new Refused(409, session.refused);
    return seeOther(`/s/${session.id}`, `${JSON.stringify(session)}\n`, JSON_TYPE);
  }

  async #act(id: string, rest: string, request: IncomingMessage) {
    if (rest === "/lie") return this.#hub.lie(id, (await readBody(request, lieBody)).name);
    if (rest === "/dial-back") return this.#hub.dialBack(id, await readBody(request, dialBackBody));
    throw new Refused(404, NOTHING);
  }

  #session(path: string): { session: SessionView; rest: string } {
    const [, id, rest = ""] = SESSION.exec(path) ?? [];
    const session = id === undefined ? undefined : this.#hub.view(id);
    if (!session) throw new Refused(404, NOTHING);
    return { session, rest };
  }

  #events(id: string, { request, response, query, source }: Asked): undefined {
    if (request.method === "HEAD") throw new Refused(405, "a stream of events has no HEAD", { Allow: "GET" });
    const names = ["all", `source ${source}`, `session ${id}`];
    const { streams, streamsPerSource, streamsPerSession } = this.#limits;
    const most = [streams, streamsPerSource, streamsPerSession];
    if (names.some((name, index) => this.#streams.of(name) >= (most[index] ?? 0)))
      throw new Refused(503, "too many pages are open: close one, and load this one again");
    for (const name of names) this.#streams.add(name, 1);
    response.once("close", () => {
      for (const name of names) this.#streams.add(name, -1);
    });
    const form =
      query.get("for") === "page"
        ? { event: eventForPage, state: () => stateForPage(this.#hub, id) }
        : { event: JSON.stringify };
    new EventStream(this.#hub, id, response, form, lastSeen(request, query), this.#limits).start();
  }

  /** Only what the hub lists, by the very name that it has there. */
  async #file(id: string, encoded: string, { request, response }: Asked): Promise<undefined> {
    const name = decoded(encoded);
    const path =
      name !== undefined && this.#hub.files(id).includes(name) ? this.#hub.file(id, name) : undefined;
    if (name === undefined || path === undefined) throw new Refused(404, "there is no such file");
    const stream = createReadStream(path);
    try {
      await new Promise<void>((resolve, reject) =>
        stream.once("open", () => resolve()).once("error", reject),
      );
    } catch {
      throw new Refused(404, "the file is not there any more");
    }
    head(response, 200, typeOf(name));
    if (request.method === "HEAD") {
      stream.destroy();
      response.end();
    } else await pipeline(stream, response);
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Nothing that a participant may have written is shown as anything but text. */
function typeOf(name: string): Record<string, string> {
  const base = name.slice(name.lastIndexOf("/") + 1).replace(/[^A-Za-z0-9._-]/g, "_");
  if (/\.(txt|jsonl|json)$/.test(name)) return { "Content-Type": "text/plain; charset=utf-8" };
  const type = name.endsWith(".pcap") ? "application/vnd.tcpdump.pcap" : "application/octet-stream";
  return { "Content-Type": type, "Content-Disposition": `attachment; filename="${base}"` };
}
