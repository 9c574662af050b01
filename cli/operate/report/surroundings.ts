/** One file of a report. */
export interface ReportDocument {
  /** Within the report, with `/`. */
  readonly path: string;
  /** An object becomes JSON. */
  readonly content: string | object;
}

/** Something that couldn't be had. */
export interface Missing {
  readonly what: string;
  readonly why: string;
}

/** What is known of where the parts run. */
export interface Surroundings {
  readonly documents: readonly ReportDocument[];
  readonly missing: readonly Missing[];
  /** Secrets that are known, to be hidden wherever they stand; none of a deployed stack's is ever read. */
  readonly secrets: readonly string[];
}
