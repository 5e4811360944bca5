// Ends every run with one plain line, `N passed, N failed`, that people and CI can read, and names before it what failed and
// what passed only when it was tried again; CI accepts no skipped test.
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';

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
    const passed = tests.filter((test) => test.result().state === 'passed');
    const failedTests = tests.filter((test) => test.result().state === 'failed');
    // What broke outside of any test (an import, a hook, a stray rejection) is a failure of its own.
    const brokenSuites = modules
      .flatMap((module) => [module, ...module.children.allSuites()])
      .filter((suite) => suite.errors().length > 0);
    const skipped = tests.filter((test) => this.#wasSkipped(test));
    if (skipped.length > 0 && process.env.CI) process.exitCode = 1;
    this.#summary = summary({
      passed: passed.length,
      failures: [
        ...failedTests.map((test) => `${nameOf(test)}: ${firstLine(test.result().errors)}`),
        ...brokenSuites.map((suite) => `${nameOf(suite)}: ${firstLine(suite.errors())}`),
        ...unhandled.map((error) => `outside of any test: ${firstLine([error])}`),
      ],
      // Their errors are those of the try that failed.
      retried: passed
        .filter((test) => (test.diagnostic()?.retryCount ?? 0) > 0)
        .map((test) => `${nameOf(test)}: ${firstLine(test.result().errors)}`),
      skipped: skipped.map((test) => `${nameOf(test)}: ${reason(test)}`),
    });
  }

  #wasSkipped(test: TestCase): boolean {
    const pattern = this.#vitest?.config.testNamePattern;
    const { state } = test.result();
    const leftOut = pattern !== undefined && !pattern.test(test.fullName.replaceAll(' > ', ' '));
    return !leftOut && (state === 'skipped' || state === 'pending');
  }
}

type Outcome = { passed: number; failures: string[]; retried: string[]; skipped: string[] };

function summary({ passed, failures, retried, skipped }: Outcome): string {
  const lines = [
    ...failures.map((each) => `failed: ${each}`),
    ...retried.map((each) => `passed only when tried again: ${each}`),
    ...skipped.map((each) => `skipped: ${each}`),
  ];
  if (skipped.length > 0 && process.env.CI) lines.push('CI accepts no skipped test: give the machine what they need.');
  const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
  return [...lines, `${passed} passed, ${failures.length} failed${tail}`, ''].join('\n');
}

function nameOf(entity: TestCase | TestSuite | TestModule): string {
  return entity.type === 'module' ? entity.relativeModuleId : `${entity.module.relativeModuleId} > ${entity.fullName}`;
}

const firstLine = (errors: readonly SerializedError[] = []) => errors[0]?.message.split('\n')[0] ?? 'no reason given';

function reason(test: TestCase): string {
  const result = test.result();
  if (result.state === 'pending') return 'the run ended before it';
  return (result.state === 'skipped' && result.note) || 'no reason given';
}
