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
