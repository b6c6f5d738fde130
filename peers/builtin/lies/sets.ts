/** Bugs that belong together, by a name that `bakeoff catch` takes. */
export const lieSets: Readonly<Record<string, readonly string[]>> = {
  // Four faults of one implementation's hybrid key exchange, found from outside within one summer; one has two forms.
  "summer-2026": [
    "covers-intermediate-that-never-was",
    "takes-links-of-eight-octets-alone",
    "sends-a-link-in-the-last-response",
    "expects-a-link-in-the-last-response",
    "expands-with-the-old-spis-after-follow-ups",
  ],
};
