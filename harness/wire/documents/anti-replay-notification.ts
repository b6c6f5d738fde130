import type { DocumentFacts } from "./document.ts";

const PRIVATE = "private: this harness (draft anti-replay-notification)";

export const antiReplayNotification = {
  name: "anti-replay-notification",
  title: "IKEv2 Support for Anti-Replay Status Notification",
  revisions: [
    { name: "01", text: "draft-pan-ipsecme-anti-replay-notification-01" },
    { name: "00", text: "draft-pan-ipsecme-anti-replay-notification-00" },
  ],
  provisional: "the notification data and the numbers: the bodies of both revisions could not be read",
  codePoints: {
    NOTIFY: [
      { value: 51110, name: "ANTI_REPLAY_STATUS", state: "private use", document: PRIVATE },
      { value: 51111, name: "REPLAY_PROT_AND_ESN_STATUS", state: "private use", document: PRIVATE },
    ],
  },
} as const satisfies DocumentFacts;

export type ReplayStatusRevision = (typeof antiReplayNotification)["revisions"][number]["name"];

/** The name of the notify, by revision. */
export const REPLAY_STATUS_NOTIFY = {
  "00": "ANTI_REPLAY_STATUS",
  "01": "REPLAY_PROT_AND_ESN_STATUS",
} as const satisfies Record<ReplayStatusRevision, string>;

/** Values of the only data octet of revision 00; all others are reserved. */
export const ANTI_REPLAY_STATUS = { off: 0, on: 1 } as const;

/** Bits of the only data octet of revision 01; all others are reserved. */
export const REPLAY_FLAG = {
  /** The sender of the notify checks replays on its inbound SA. */
  protects: 0x01,
  /** It can use extended sequence numbers without doing so. */
  esnWithout: 0x02,
} as const;
