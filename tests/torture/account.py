"""What the agent says it has read, against what was written.

Three witnesses, none of which can stand for another: the content ranges of its statements (which
bytes of which content), the number of records (each line is one), and the facts (one for each
marked line, each with its own id). The worst of them counts.
"""
import collections
import dataclasses


@dataclasses.dataclass
class Told:
    """Everything that the statements of one source say."""
    ranges: dict
    records: int
    facts: collections.Counter
    said: collections.Counter
    gaps: list


def told(statements, source):
    """`statements`: the agent's own journal (`sent --format json`), in order."""
    ranges, facts, said, gaps, records = collections.defaultdict(list), collections.Counter(), \
        collections.Counter(), [], 0
    for entry in statements:
        for coverage in entry["statement"]["sources"]:
            if coverage["id"] != source:
                continue
            records = coverage["records"]
            gaps += [(g["span"]["from"], g["span"]["to"]) for g in coverage["event_gaps"]]
            for part in coverage["ranges"]:
                ranges[part["file"]].append((part["from"], part["to"]))
        for body in entry["bodies"]:
            for fact in body["facts"]:
                facts[fact["id"]] += 1
                for reference in fact.get("step", {}).get("references", []):
                    if facts[fact["id"]] == 1:
                        said[reference["value"]] += 1
    return Told(ranges, records, facts, said, gaps)


def covered(intervals):
    """Overlapping ones joined, in order."""
    out = []
    for begin, end in sorted(intervals):
        if out and begin <= out[-1][1]:
            out[-1][1] = max(out[-1][1], end)
        else:
            out.append([begin, end])
    return out


def lines_not_read(generation, intervals):
    """Indexes of the generation's lines that no range holds."""
    joined, at, missing = covered(intervals), 0, []
    for index, (begin, end) in enumerate(zip(generation.starts, generation.ends)):
        while at < len(joined) and joined[at][1] < end:
            at += 1
        if at == len(joined) or joined[at][0] > begin:
            missing.append(index)
    return missing


def judge(writers, report, by_ranges=True):
    """The row's result: {"written", "lost", "doubled", ...}; what truncation destroyed is apart."""
    written = sum(w.written for w in writers)
    marks = collections.Counter(m for w in writers for m in w.marks)
    lost_lines, destroyed, unconfessed, where = 0, 0, 0, []
    for writer in writers if by_ranges else ():
        for generation in writer.generations:
            if not generation.starts:
                continue
            for index in lines_not_read(generation, report.ranges[generation.content_id]):
                cut = generation.destroyed_from
                if cut is not None and generation.ends[index] > cut:
                    destroyed += 1
                    when = generation.times[index]
                    if not any(a <= when <= b for a, b in report.gaps):
                        unconfessed += 1
                        where.append(when)
                else:
                    lost_lines += 1
    expected = written - destroyed
    lost_marks = sum(1 for m in marks if not report.said[m])
    lost_by_marks = 0 if destroyed else lost_marks
    lost = max(lost_lines, expected - report.records, lost_by_marks) + unconfessed
    doubled = max(report.records - expected, sum(n - 1 for n in report.said.values() if n > 1), 0)
    out = {"written": written, "lost": max(lost, 0), "doubled": doubled}
    if any(g.destroyed_from is not None for w in writers for g in w.generations):
        out.update(destroyed=destroyed, unconfessed=unconfessed)
    return out, {"lines": lost_lines, "records": report.records, "marks": lost_marks, "gaps": report.gaps,
                 "unconfessed": where[:1] + where[-1:]}
