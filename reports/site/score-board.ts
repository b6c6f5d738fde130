/** The scores of all documents, computed once. */
import type { Role } from "../extras.ts";
import type { DocumentPart, Site, Subject } from "./model.ts";
import { rolesOf } from "./model.ts";
import { type Annotated, annotated, type LevelGroup, type Score, scoresOf } from "./score.ts";

/** What a subject in a role meets of a document. */
export interface BoardRow {
  part: DocumentPart;
  subject: Subject;
  role: Role;
  scores: Record<LevelGroup, Score>;
}

export class ScoreBoard {
  readonly rows: readonly BoardRow[];
  readonly #requirements: ReadonlyMap<DocumentPart, Annotated[]>;
  /** The page that has the definition of a score in any case. */
  readonly firstSlug: string;

  constructor({ documents, subjects }: Site) {
    this.#requirements = new Map(documents.map((part) => [part, annotated(part)]));
    this.firstSlug = documents[0]?.slug ?? "";
    this.rows = documents.flatMap((part) =>
      subjects.flatMap((subject) =>
        rolesOf(part.entries, subject).map((role) => ({
          ...{ part, subject, role },
          scores: scoresOf(this.requirements(part), subject, role),
        })),
      ),
    );
  }

  requirements(part: DocumentPart): Annotated[] {
    return this.#requirements.get(part) ?? [];
  }

  of(subject: Subject, role: Role): BoardRow[] {
    return this.rows.filter((row) => row.subject === subject && row.role === role);
  }
}
