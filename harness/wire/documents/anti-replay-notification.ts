import type { DocumentFacts } from "./document.ts";

export const antiReplayNotification: DocumentFacts = {
  name: "anti-replay-notification",
  title: "IKEv2 Support for Anti-Replay Status Notification",
  revisions: [
    { name: "01", text: "draft-pan-ipsecme-anti-replay-notification-01" },
    { name: "00", text: "draft-pan-ipsecme-anti-replay-notification-00" },
  ],
  provisional: "the notification data and the numbers: the bodies of both revisions could not be read",
};
