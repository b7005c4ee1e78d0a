/**
 * Mocha's own reporter, with one line at the very end that a machine can read: `N passed, N failed`.
 */
import Mocha from 'mocha';

export default class Reporter extends Mocha.reporters.Spec {
  private isDone = false;

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    // Of what fails before its tests are known, or takes them with it, mocha says no file.
    runner.on('fail', (test) => {
      if (test.title === 'Uncaught error outside test suite' && test.file) test.title += ` of ${test.file}`;
    });
    // Mocha waits in vain for a process that ended where no test ran, or for the last of several that did: it would end
    // without a word, and without a failure.
    process.once('exit', () => {
      if (this.isDone) return;
      process.stdout.write('\n  This run has lost its processes: not all tests have run.\n');
      this.stats.duration ??= Date.now() - this.stats.start!.getTime();
      this.stats.failures++;
      this.done(this.stats.failures, () => {
        process.exitCode = 1;
      });
    });
  }

  /** In a run of several processes mocha says at each file that cannot be loaded that the run has ended. */
  override epilogue(): void {}

  override done(failures: number, end: (failures: number) => void): void {
    this.isDone = true;
    super.epilogue();
    const { passes, failures: failed, pending } = this.stats;
    const skipped = pending > 0 ? `, ${pending} skipped` : '';
    process.stdout.write(`${passes} passed, ${failed} failed${skipped}\n`);
    end(failures);
  }
}
