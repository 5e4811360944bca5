// Ends every run with one plain line, `N passed, N failed`, that people and CI can read; CI accepts no skipped test.
import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node';

export default class CountReporter implements Reporter {
  #vitest: Vitest | undefined;
  #summary = '';

  onInit(vitest: Vitest) {
    this.#vitest = vitest;
    // After whatever vitest itself still has to say.
    process.once('exit', () => process.stdout.write(this.#summary));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = tests.filter((test) => test.result().state === 'passed').length;
    const failedTests = tests.filter((test) => test.result().state === 'failed').length;
    // What broke outside of any test (an import, a hook, a stray rejection) is a failure of its own.
    const brokenSuites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const failed = failedTests + brokenSuites.filter((suite) => suite.errors().length > 0).length + unhandled.length;
    const skipped = tests.filter((test) => this.#wasSkipped(test));
    if (skipped.length > 0 && process.env.CI) process.exitCode = 1;
    this.#summary = summary(passed, failed, skipped);
  }

  #wasSkipped(test: TestCase): boolean {
    const pattern = this.#vitest?.config.testNamePattern;
    const { state } = test.result();
    const leftOut = pattern !== undefined && !pattern.test(test.fullName.replaceAll(' > ', ' '));
    return !leftOut && (state === 'skipped' || state === 'pending');
  }
}

function summary(passed: number, failed: number, skipped: TestCase[]): string {
  const lines = skipped.map((test) => `skipped: ${test.module.relativeModuleId} > ${test.fullName}: ${reason(test)}`);
  if (skipped.length > 0 && process.env.CI) lines.push('CI accepts no skipped test: give the machine what they need.');
  const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
  return [...lines, `${passed} passed, ${failed} failed${tail}`, ''].join('\n');
}

function reason(test: TestCase): string {
  const result = test.result();
  if (result.state === 'pending') return 'the run ended before it';
  return (result.state === 'skipped' && result.note) || 'no reason given';
}
