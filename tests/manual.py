"""The man pages of files as tests read them: sections, their entries, and the facts that each entry states."""
import collections
import re

from program import SOURCE

FACTS = "Dimensions|Type|Default|Unit|Range|When"
# `section` is the heading above; `key` is None for an example that stands right below a heading; `text` is the rest.
Entry = collections.namedtuple("Entry", "section key facts example text")


def source(name):
    return (SOURCE / "src" / "cli" / name).read_text().replace("\\-", "-").replace("\\(aq", "'")


def plain(line):
    """A line of roff as it is read: without macros, and without the quotes and gaps of their arguments."""
    found = re.match(r"\.([BIR]{1,2}) (.*)", line)
    if found is None:
        return line
    words = [quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|(\S+)', found[2])]
    return ("" if len(found[1]) == 2 else " ").join(words)


def blocks(name):
    """Heading and lines of each paragraph that a tag or a heading begins; lists within an entry belong to it."""
    heading, lines, depth = "", [], 0
    for line in source(name).splitlines():
        depth += line.startswith(".RS") - line.startswith(".RE")
        if line.startswith((".SH", ".SS", ".TP")) and depth == 0:
            yield heading, lines
            heading, lines = (heading if line == ".TP" else line[4:]), [line[:3]]
        else:
            lines.append(line)
    yield heading, lines


def entries(name):
    """All that state facts or have an example."""
    for heading, lines in blocks(name):
        facts = dict(found.groups() for line in lines if (found := re.match(rf"({FACTS}): (.*)$", line)))
        example = next((plain(after) for line, after in zip(lines, lines[1:]) if line == "Example:"), None)
        if facts or example:
            key = plain(lines[1]) if lines[0] == ".TP" else None
            yield Entry(heading, key, facts, example, "\n".join(lines))


def examples(name):
    """What stands between .nf and .fi, in order."""
    return re.findall(r"^\.nf\n(.*?)^\.fi$", source(name), re.M | re.S)
