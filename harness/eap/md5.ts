/** EAP MD5-Challenge: RFC 3748 section 5.4, which is CHAP of RFC 1994. It makes no key. */
import { createHash } from "node:crypto";
import { concat, EMPTY, equal, plain, view } from "../wire/bytes.ts";
import { EAP_TYPE } from "../wire/registry/eap.ts";
import { type EapMethod, failed, succeeded } from "./method.ts";

/** MD5 over the identifier of the request, the secret and the challenge. */
export function chapResponse(identifier: number, secret: string, challenge: Uint8Array): Uint8Array {
  const hash = createHash("md5").update(Uint8Array.of(identifier)).update(secret, "utf8").update(challenge);
  return plain(hash.digest());
}

/** A value with its size before it; undefined if it is empty or not all there. A name may follow. */
function valueIn(data: Uint8Array): Uint8Array | undefined {
  const size = data[0] ?? 0;
  return size > 0 && data.length > size ? view(data, 1, 1 + size) : undefined;
}

const sized = (value: Uint8Array): Uint8Array => concat(Uint8Array.of(value.length), value);

export const md5: EapMethod = {
  name: "md5",
  type: EAP_TYPE.MD5_CHALLENGE,
  makesKey: false,

  peer: ({ user }) => ({
    take(data, identifier) {
      const challenge = valueIn(data);
      if (!challenge) return { reason: "MD5-Challenge without a challenge" };
      return { data: sized(chapResponse(identifier, user.password, challenge)), mayEnd: true };
    },
  }),

  authenticator({ user, random, manners = {} }, known) {
    const challenge = random(16);
    let right = EMPTY;
    return {
      begin(identifier) {
        right = chapResponse(identifier, user.password, challenge);
        return sized(challenge);
      },
      take(data) {
        const value = valueIn(data);
        if (value?.length !== 16) return failed("the response to MD5-Challenge has no value of 16 octets");
        if (manners.acceptsAnything || (known && equal(value, right))) return succeeded();
        return failed("wrong password");
      },
    };
  },
};
