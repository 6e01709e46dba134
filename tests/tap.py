"""Runs a file of unittest tests and reports in TAP, so that Meson counts every test: tap.py FILE."""
import importlib.util
import os
import pathlib
import sys
import time
import unittest

import tier

SLOWEST = 10  # tests whose seconds are told


def tests_of(suite):
    for test in suite:
        yield from tests_of(test) if isinstance(test, unittest.TestSuite) else [test]


def is_due(test):
    """Whether this tier runs it."""
    method = getattr(test, test._testMethodName, test)
    return tier.ALL or not (getattr(test, "in_all_alone", False) or getattr(method, "in_all_alone", False))


def name_of(test):
    return test.id().split(".", 1)[1]


def clocks():
    """Seconds, and those that processors worked for this process and the children it has waited for."""
    return time.monotonic(), sum(os.times()[:4])


class TapResult(unittest.TestResult):
    """Prints a line a test; what a test has to say of its failure goes into comment lines below it."""

    def __init__(self):
        super().__init__()
        self.costs = []

    def startTest(self, test):
        super().startTest(test)
        self.before = clocks()

    def stopTest(self, test):
        super().stopTest(test)
        self.costs.append((*(now - then for now, then in zip(clocks(), self.before)), name_of(test)))

    def report(self, ok, test, remark="", detail=""):
        directive = f" # {remark}" if remark else ""
        print(f"{'ok' if ok else 'not ok'} {self.testsRun} - {name_of(test)}{directive}", flush=True)
        for line in detail.splitlines():
            print(f"# {line}", flush=True)

    def addSuccess(self, test):
        self.report(True, test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.report(False, test, detail=self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.report(False, test, detail=self.errors[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.report(True, test, remark="SKIP " + " ".join(reason.split()))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            print(f"# in {subtest}", flush=True)
            self.report(False, test, detail=self.failures[-1][1] if self.failures else self.errors[-1][1])


def main():
    path = pathlib.Path(sys.argv[1]).resolve()
    sys.path[:0] = [str(path.parent), str(path.parent.parent)]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    found = list(tests_of(unittest.defaultTestLoader.loadTestsFromModule(module)))
    suite = unittest.TestSuite(filter(is_due, found))
    print(f"1..{suite.countTestCases()}", flush=True)
    result = TapResult()
    start = time.monotonic()
    suite.run(result)
    left = len(found) - suite.countTestCases()
    print(f"# {result.testsRun} tests in {time.monotonic() - start:.1f} s; {left} more with --all")
    for seconds, work, name in sorted(result.costs, reverse=True)[:SLOWEST]:
        print(f"# {seconds:6.2f} s, {work:6.2f} s of processors: {name}")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
