// What the server is asked and answers. Places in texts are UTF-16 indices; lines and columns begin at 1.

export interface Place {
  line: number;
  column: number;
  end_line: number;
  end_column: number;
}

export interface Fix extends Place {
  text: string;
  replacement: string;
}

export interface Problem extends Place {
  message: string;
  hint: string | null;
  fix: Fix | null;
}

export interface Checked {
  errors: Problem[];
  warnings: Problem[];
}

export interface Sample {
  id: string;
  name: string;
  bytes: number;
  truncated: boolean;
  records: number;
  form: string;
  forms: { form: string; count: number }[];
  /** What could not be read, a sentence each. */
  failures: string[];
}

export interface Start {
  version: string;
  mapping: { name: string; text: string; file: string | null; builtin: boolean };
  parser: { name: string; text: string; file: string | null } | null;
  sample: Sample;
  is_example: boolean;
  /** Whether parsers can be run. */
  has_parser: boolean;
  mappings: string[];
  limits: { sample_bytes: number; table_bytes: number };
}

export interface Rule {
  udm: string;
  file: string;
  line: number;
  text: string;
  /** Whether the line is one of the table in the editor, not of a table that it extends. */
  here: boolean;
}

export interface RawField {
  field: string;
  value: string;
  from: number | null;
  to: number | null;
}

export interface Value {
  path: string;
  value: unknown;
  from: number | null;
  to: number | null;
  rule: Rule | null;
  raw: RawField | null;
  how: string;
}

export interface SkippedRule {
  udm: string;
  file: string;
  line: number;
  here: boolean;
  why: string;
}

export interface Explained {
  index: number;
  source: string;
  line: number;
  offset: number;
  length: number;
  format: string;
  form_words: string;
  raw: string;
  cut: boolean;
  shape: string | null;
  table: string | null;
  reject: { reason: string; message: string } | null;
  event: unknown;
  event_text: string | null;
  values: Value[];
  skipped: SkippedRule[];
  left: RawField[];
  unused: RawField[];
  omitted: number;
}

export interface Counts {
  records: number;
  events: number;
  rejects: number;
  by_reason: { reason: string; count: number; first: number }[];
  previous_reject: number | null;
  next_reject: number | null;
}

export interface Finding {
  path: string;
  code: string;
  severity: string;
  message: string;
  /** What SecOps does with such an event. */
  outcome: string;
  advice: string;
  from: number | null;
  to: number | null;
}

/** Which line of a parser set a field. */
export interface ParserLine {
  path: string;
  line: number;
  column: number;
  from: number | null;
  to: number | null;
}

export interface ParserRun {
  outcome: "events" | "dropped" | "no-output" | "failed";
  message: string;
  /** The statement that failed. */
  at: Place | null;
  event_text: string | null;
  events: unknown[];
  lines: ParserLine[];
}

export interface Difference {
  path: string;
  /** JSON. */
  ours: string | null;
  theirs: string | null;
  kind: string;
}

export interface Diff {
  against: "golden" | "parser";
  differences: Difference[];
  same: boolean;
  /** How many events there are to compare with: the nearest is taken. */
  events: number;
  /** None of them belongs to this event. */
  alone: boolean;
}

export interface Run {
  table: Checked;
  parser: Checked | null;
  counts: Counts | null;
  record: Explained | null;
  findings: Finding[];
  parser_run: ParserRun | null;
  diff: Diff | null;
  golden_error: string | null;
  elapsed_ms: number;
}

export interface FoundField {
  path: string;
  type: string;
  values: string[];
  repeated: boolean;
}

/** A count, with the first of the records behind it. */
export interface Counted {
  count: number;
  records: number[];
}

export interface ProfileField extends Counted {
  path: string;
  /** How many values there are of each type. */
  types: Record<string, number>;
  share: number;
  distinct: number;
  /** Whether a rule reads it. */
  read: boolean;
  examples: ({ value: string } & Counted)[];
}

export interface Profile {
  records: number;
  forms: ({ form: string } & Counted)[];
  shapes: ({ shape: string } & Counted)[];
  times: { first: string | null; last: string | null };
  rejects: ({ reason: string } & Counted)[];
  fields: ProfileField[];
  fields_not_counted: number;
}
