// Runs the table over the record, again at each change: one request at a time, and the newest state waits behind it. So
// answers come in order, and an old one never takes the place of a newer one.

import { api, type Refusal, type RunRequest } from "./api";
import type { Run } from "./types";

/** An answer that takes longer dims what it will take the place of. */
const LATE_MS = 200;

export class Runner {
  private isAsked = false;
  private isBusy = false;
  private isWaiting = false;

  constructor(
    private readonly request: () => RunRequest | null,
    private readonly answered: (run: Run, request: RunRequest) => void,
    private readonly failed: (refusal: Refusal) => void,
    private readonly late: (isLate: boolean) => void,
  ) {}

  /** Something has changed. What changes at once is asked about once. */
  changed(): void {
    if (this.isAsked) return;
    this.isAsked = true;
    queueMicrotask(() => {
      this.isAsked = false;
      void this.run();
    });
  }

  private async run(): Promise<void> {
    if (this.isBusy) {
      this.isWaiting = true;
      return;
    }
    const request = this.request();
    if (!request) return;
    this.isBusy = true;
    const late = setTimeout(() => this.late(true), LATE_MS);
    try {
      const run = await api.run(request);
      // What was asked about another sample is of no use any more.
      if (this.request()?.sample === request.sample) this.answered(run, request);
    } catch (error) {
      this.failed(error as Refusal);
    } finally {
      clearTimeout(late);
      this.isBusy = false;
      if (this.isWaiting) {
        this.isWaiting = false;
        void this.run();
      } else {
        this.late(false);
      }
    }
  }
}
