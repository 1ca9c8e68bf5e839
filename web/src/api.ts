// The server's answers.

import type { FoundField, Profile, Run, Sample, Start } from "./types";

/** What the server said instead of an answer. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly hint: string | null,
  ) {
    super(message);
  }
}

async function call<T>(name: string, body: object): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(`api/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      cache: "no-store",
      redirect: "error",
    });
  } catch {
    throw new Refusal("`udmap serve` does not answer", 0, "start it again and open the address that it prints");
  }
  const found = (await answer.json().catch(() => null)) as (T & { error?: string; hint?: string }) | null;
  if (!answer.ok || found === null) {
    throw new Refusal(found?.error ?? `expected an answer, found status ${answer.status}`, answer.status, found?.hint ?? null);
  }
  return found;
}

export interface RunRequest {
  mapping: string;
  parser: string | null;
  sample: string;
  record: number;
  golden: string | null;
}

export interface SampleRequest {
  name: string;
  /** The table by which records are counted. */
  mapping?: string;
  text?: string;
  base64?: string;
  files?: { name: string; base64: string }[];
}

export const api = {
  start: () => call<Start>("start", {}),
  mapping: (name: string) => call<{ name: string; text: string }>("mapping", { name }),
  sample: (request: SampleRequest) => call<Sample>("sample", request),
  run: (request: RunRequest) => call<Run>("run", request),
  fields: (request: { query: string; field: string; value: string }) => call<{ fields: FoundField[]; more: boolean }>("fields", request),
  rule: (request: { mapping: string; field: string; udm: string; value: string; becomes: string | null }) =>
    call<{ mapping: string; line: number; note: string | null }>("rule", request),
  profile: (sample: string, mapping: string) => call<Profile>("profile", { sample, mapping }),
  saveTable: (text: string, file: string | null) => call<{ file: string }>("save", { kind: "mapping", text, file }),
  saveCase: (request: { folder: string; name: string; mapping: string; sample: string; record: number }) =>
    call<{ folder: string; files: string[]; command: string }>("save", { kind: "case", ...request }),
  command: (request: { sample: string; record: number; mapping: string; mapping_file: string; what: string }) =>
    call<{ command: string }>("command", request),
  share: (request: { mapping: string; parser: string | null; sample: string; record: number; golden: string | null }) =>
    call<{ name: string; html: string }>("share", request),
  quit: () => call<object>("quit", {}),
};
