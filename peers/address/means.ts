/** Ways to make a peer at an address do something: its owner's command, an HTTP hook, or the owner himself. */
import { z } from "zod";
import { run } from "../runtime/process.ts";
import { type AnyAsk, type Channel, DriverFault, limitMs, type Reply, readReply } from "../verbs.ts";

export const meansSchema = z.discriminatedUnion("kind", [
  /** Each verb is posted there as JSON. */
  z.strictObject({ kind: z.literal("hook"), url: z.string() }),
  /** Each verb is a run of this shell command, in this folder, with the verb after it and the JSON on standard input. */
  z.strictObject({ kind: z.literal("command"), command: z.string(), folder: z.string() }),
  /** A person is asked to dial, and given so long for it. */
  z.strictObject({ kind: z.literal("prompt"), limitMs: z.number() }),
]);
export type Means = z.infer<typeof meansSchema>;

/** What a channel to a peer at an address needs of its lane. */
export interface Surroundings {
  /** Shows the owner a line. */
  tell(text: string): void;
  /** Resolves when the peer next sends anything; false when it has not in time. */
  heard(limitMs: number): Promise<boolean>;
}

export function openMeans(means: Means, around: Surroundings, said: (text: string) => void): Channel {
  if (means.kind === "hook") return channelOf((ask) => post(means.url, ask));
  if (means.kind === "prompt") return channelOf((ask) => prompt(ask, means.limitMs, around));
  return channelOf((ask) => command(means, ask, said));
}

/** Verbs of no use to what is there already. */
const NEEDLESS = new Set(["hello", "bye"]);

/** Each request stands for itself, so that no fault spoils the next. */
function channelOf(answer: (ask: AnyAsk) => Promise<Reply>): Channel {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    usable: true,
    ask(ask) {
      const reply = turn.then(async (): Promise<Reply> => {
        const given = await answer(ask);
        return "unsupported" in given && NEEDLESS.has(ask.verb) ? { ok: true } : given;
      });
      turn = reply.catch(() => undefined);
      return reply;
    },
    close: async () => {},
  };
}

/** Octets of the longest reply. */
const LONGEST = 1 << 20;
const NOT_IMPLEMENTED = 501;

/** A reply without content is `ok`; status 501 is `unsupported`. */
async function post(url: string, ask: AnyAsk): Promise<Reply> {
  const limit = limitMs(ask.verb);
  const signal = AbortSignal.timeout(limit);
  try {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, {
      ...{ method: "POST", headers, body: JSON.stringify(ask), redirect: "error", signal },
    });
    const text = await bounded(response, ask);
    if (response.status === NOT_IMPLEMENTED) return { unsupported: text.slice(0, 300) };
    if (!response.ok)
      throw new DriverFault(
        `answered ${ask.verb} with HTTP status ${response.status}: ${text.slice(0, 120)}`,
      );
    return text === "" ? { ok: true } : readReply(text, ask.verb);
  } catch (error) {
    if (error instanceof DriverFault) throw error;
    if (signal.aborted) throw new DriverFault(`did not answer ${ask.verb} in ${limit / 1000} s`);
    // What is behind the path may be a secret.
    const { origin, pathname } = new URL(url);
    throw new DriverFault(`could not be asked to ${ask.verb} at ${origin}${pathname}: ${causeOf(error)}`);
  }
}

async function bounded(response: Response, ask: AnyAsk): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > LONGEST) throw new DriverFault(`answers ${ask.verb} without end`);
  }
  return text.trim();
}

/** What fetch says of itself tells nothing. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/** As a shell says of a command it does not find, and as runners of containers are used to say it: not supported. */
const UNSUPPORTED = 127;

async function command(
  { command: line, folder }: Extract<Means, { kind: "command" }>,
  ask: AnyAsk,
  said: (text: string) => void,
): Promise<Reply> {
  // The verb comes after the whole line, whatever is quoted in it.
  const argv = ["sh", "-c", `cd "$BAKEOFF_FOLDER" && ${line} "$@"`, "sh", ask.verb];
  const env = { BAKEOFF_FOLDER: folder };
  const stdin = `${JSON.stringify(ask)}\n`;
  const options = { stdin, timeoutMs: limitMs(ask.verb), env, foreign: true };
  const { exit, stdout, stderr } = await run(argv, options).catch((error: Error) => {
    throw new DriverFault(`did not do ${ask.verb}: ${error.message}`);
  });
  said(stderr);
  const last = stderr.trim().split("\n").at(-1) ?? "";
  // A shell that does not find the command says so itself, with its own name in front.
  if (exit === UNSUPPORTED && !/^sh: .*not found$/.test(last)) return { unsupported: last };
  if (exit !== 0) throw new DriverFault(`ended with ${exit} at ${ask.verb}: ${last}`);
  const reply = stdout.trim();
  return reply.startsWith("{") ? readReply(reply, ask.verb) : { ok: true };
}

/** A person can dial; for all else there are hooks. */
async function prompt(ask: AnyAsk, limit: number, around: Surroundings): Promise<Reply> {
  if (ask.verb !== "initiate")
    return { unsupported: `nobody is asked to ${ask.verb}: a hook or a command can be` };
  around.tell("please end the IKE SA that is up, if one is, and dial now");
  if (await around.heard(limit)) return { ok: true };
  throw new DriverFault(`was asked to dial, and nothing came in ${limit / 1000} s`);
}
