/**
 * Mocha's own reporter, with one line at the very end that a machine can read: `N passed, N failed`.
 */
import Mocha from 'mocha';

export default class Reporter extends Mocha.reporters.Spec {
  override epilogue(): void {
    super.epilogue();
    const { passes, failures, pending } = this.stats;
    const skipped = pending > 0 ? `, ${pending} skipped` : '';
    process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`);
  }
}
