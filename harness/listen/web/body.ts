/** The body of a request: a form or JSON, of bounded size, checked by a schema. */
import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { brief } from "../../../reports/text.ts";
import { MOST_BODY } from "./limits.ts";
import { Refused } from "./reply.ts";

const LARGE = `the body is larger than ${MOST_BODY} octets`;

/** Fields of a form that may stand there more than once, beside those of JSON. */
type Fields = Record<string, unknown>;

/** @throws Refused in one line that names the field */
export async function readBody<T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<T> {
  const fields = parse(request.headers["content-type"] ?? "", await octets(request));
  const checked = schema.safeParse(fields);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new Refused(400, brief(`${issue?.path.join(".") || "body"}: ${issue?.message}`, 300));
}

async function octets(request: IncomingMessage): Promise<string> {
  if (Number(request.headers["content-length"] ?? 0) > MOST_BODY) throw new Refused(413, LARGE);
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of request.iterator({ destroyOnReturn: false })) {
      parts.push(Buffer.from(part));
      size += parts.at(-1)?.length ?? 0;
      if (size > MOST_BODY) throw new Refused(413, LARGE);
    }
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(400, "the body ended too early");
  }
  return Buffer.concat(parts).toString("utf8");
}

function parse(type: string, text: string): unknown {
  const [media = ""] = type.toLowerCase().split(";");
  if (media.trim() === "application/x-www-form-urlencoded") return ofForm(new URLSearchParams(text));
  if (media.trim() !== "application/json")
    throw new Refused(415, "the body must be application/x-www-form-urlencoded or application/json");
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused(400, "the body is no JSON");
  }
}

/** A field that was left empty was not filled in. */
function ofForm(form: URLSearchParams): Fields {
  const names = new Set(form.keys());
  return Object.fromEntries(
    [...names].flatMap((name): [string, unknown][] => {
      const values = form.getAll(name).filter((value) => value.trim() !== "");
      if (values.length === 0) return [];
      return [[name, name === "documents" || values.length > 1 ? values : values[0]]];
    }),
  );
}
