/**
 * Reading threads read batches of entries beside the thread that follows the chain.
 */
import { Worker } from 'node:worker_threads';
import type { Answer, Unread } from './reading-thread.js';

/** More than this keep no more busy: one thread follows the chain. */
const MOST_THREADS = 4;
/** Batches of each thread: one that it reads, and what keeps it busy while the caller reads one itself. */
const DEPTH = 4;

export class ReadingThreads {
  private readonly threads: readonly Thread[];

  /** @param cores that there are, of which one is the caller's */
  constructor(cores: number) {
    this.threads = Array.from({ length: Math.max(1, Math.min(cores - 1, MOST_THREADS)) }, () => new Thread());
  }

  /** @returns null where all are busy; otherwise the room of lines is theirs until it comes back */
  read(unread: Unread): Promise<Answer> | null {
    const thread = this.threads.reduce((free, other) => (other.waiting < free.waiting ? other : free));
    return thread.waiting < DEPTH ? thread.read(unread) : null;
  }

  async end(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.end()));
  }
}

class Thread {
  private readonly worker = new Worker(new URL('./reading-thread.js', import.meta.url), {
    // What is read lives briefly: a young generation that grows would only keep memory, and a small one is cleared too often.
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
  });
  private readonly asked: { resolve(read: Answer): void; reject(error: unknown): void }[] = [];

  constructor() {
    this.worker.on('message', (answer: Answer) => this.asked.shift()?.resolve(answer));
    this.worker.on('error', (error) => this.fail(error));
    this.worker.on('exit', () => this.fail(new Error('a reading thread ended')));
  }

  get waiting(): number {
    return this.asked.length;
  }

  read(unread: Unread): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.asked.push({ resolve, reject });
      this.worker.postMessage(unread, 'room' in unread ? [unread.room.buffer] : []);
    });
  }

  private fail(error: unknown): void {
    for (const { reject } of this.asked.splice(0)) reject(error);
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}
