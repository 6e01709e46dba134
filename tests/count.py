"""Counts tests in Meson's JUnit logs.

count.py BROKEN LOG...          prints `N passed, N failed, N skipped`, BROKEN counted as failed; exit status 1 if any failed
count.py --check LOG STATUS     exit status 1 when `meson test` ended with STATUS but the log blames no test for it
"""
import pathlib
import sys
import xml.etree.ElementTree as xml


def count(path):
    passed = failed = skipped = 0
    if not pathlib.Path(path).exists():
        return 0, 0, 0
    for case in xml.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main(arguments):
    if arguments[0] == "--check":
        return int(int(arguments[2]) != 0 and count(arguments[1])[1] == 0)
    passed, failed, skipped = (sum(column) for column in zip(*map(count, arguments[1:])))
    failed += int(arguments[0])
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return int(failed > 0 or passed == 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
