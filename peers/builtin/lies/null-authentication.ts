/** Lies about NULL authentication (RFC 7619). */
import { pskAuthValue } from "../../../harness/ike/auth/octets.ts";
import type { ChildSa } from "../../../harness/ike/child.ts";
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import { payload } from "../../../harness/ike/payloads.ts";
import { AUTH_METHOD } from "../../../harness/wire/registry/auth-methods.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { ID_TYPE } from "../../../harness/wire/registry/id-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import type { IdPayload } from "../../../harness/wire/types.ts";
import { type Lie, lie } from "./lie.ts";
import { decides, inMessage } from "./tools.ts";

const ownId = ({ sa, payloads }: OutgoingMessage): IdPayload | undefined =>
  payload(payloads, "ID", sa?.role === "initiator" ? PAYLOAD.IDi : PAYLOAD.IDr);

/** AUTH as the shared secret makes it, under the method of NULL. */
const useSecret = inMessage(EXCHANGE.IKE_AUTH, (message) => {
  const { sa, payloads } = message;
  const [id, auth] = [ownId(message), payload(payloads, "AUTH")];
  if (!sa || !id || auth?.method !== AUTH_METHOD.NULL) return;
  auth.data = pskAuthValue(sa, new TextEncoder().encode("bake-off-shared-secret"), sa.role, id);
});

export const nullAuthenticationLies: readonly Lie[] = [
  lie("uses-the-shared-secret-for-null", "NULLAUTH-04", "AUTH of method 13 from the shared secret", () => ({
    ike: { outgoing: useSecret },
  })),
  lie("writes-method-2-for-null", "NULLAUTH-04", "the value of NULL authentication under method 2", () => ({
    ike: {
      outgoing: inMessage(EXCHANGE.IKE_AUTH, ({ payloads }) => {
        const auth = payload(payloads, "AUTH");
        if (auth?.method === AUTH_METHOD.NULL) auth.method = AUTH_METHOD.SHARED_KEY_MIC;
      }),
    },
  })),
  lie("puts-a-name-into-id-null", "NULLAUTH-06", "ID_NULL with data", () => ({
    policy: (policy) => {
      if (policy.localId.type === ID_TYPE.ID_NULL) policy.localId.data = new TextEncoder().encode("nobody");
    },
  })),
  lie("answers-null-with-null", "NULLAUTH-03", "proves nothing where the other end proves nothing", () => ({
    policy: (policy) => {
      if (policy.peerAuth.method === "null") policy.ownAuth = { method: "null" };
    },
  })),
  lie("stays-anonymous-before-eap", "NULLAUTH-02", "NULL of its own where the other end uses EAP", () => ({
    policy: (policy) => {
      if (policy.peerAuth.method === "eap") policy.ownAuth = { method: "null" };
    },
  })),
  lie(
    "lets-anonymous-ends-replace-child-sas",
    "NULLAUTH-15",
    "a Child SA of whoever takes the place of an older one",
    () => {
      const older: ChildSa[] = [];
      return {
        ike: {
          decide: { "NULL authentication": "accept" },
          childEstablished: (child) => {
            for (const { keysOut } of older.splice(0)) keysOut.encr.fill(0);
            older.push(child);
          },
        },
      };
    },
  ),
  decides("accepts-null-for-a-shared-secret", "NULLAUTH-01", "an anonymous peer is let in", {
    "NULL authentication": "accept",
  }),
  decides(
    "heeds-initial-contact-of-anonymous-peers",
    "NULLAUTH-09",
    "one anonymous peer ends the SA of another",
    {
      INITIAL_CONTACT: "of any identity",
    },
  ),
];
