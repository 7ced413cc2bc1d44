"""The table of truth.py, tried by rows; and that a wrong verdict, or a lying instrument, is seen."""
from truth import Comparison, Life, check_database, expected_verdict

FAILED = {"where": "statement", "answered": True, "logged": True}
SILENT = {"where": "open", "answered": False, "logged": False}
UNANSWERED = {"where": "commit", "answered": False, "logged": True}
REFUSED_COMMIT = {"where": "commit", "answered": True, "logged": True}

ROWS = [  # mode, receipted, rejected, stored, attempts, in_gap, verdict
    ("fault", 10, None, 20, [], False, "stored_after_receipt"),
    ("fault", 20, None, 20, [], False, "stored"),
    ("fault", 10, None, None, [FAILED], False, "lost"),
    ("fault", 10, None, None, [SILENT], False, "missing"),
    ("fault", 10, None, None, [UNANSWERED], False, "in_doubt"),
    ("fault", 10, None, None, [REFUSED_COMMIT], False, "lost"),
    ("fault", 10, None, 20, [], True, "unverifiable"),
    ("repaired", 30, None, 20, [], False, "stored"),
    ("repaired", 30, None, 20, [UNANSWERED], False, "stored"),
    ("repaired", None, 30, None, [FAILED] * 3, False, "fallback"),
    ("repaired", None, 30, None, [UNANSWERED] * 3, False, "fallback"),
    ("repaired", None, None, None, [FAILED], False, "pending"),
    ("failures-only", 10, None, 20, [], False, "no_failure_seen"),
    ("failures-only", 10, None, None, [FAILED], False, "lost"),
    ("failures-only", 10, None, None, [UNANSWERED], False, "in_doubt"),
    ("failures-only", 10, None, 20, [], True, "unverifiable"),
]


def _life(mode, receipted, rejected, stored, attempts, in_gap):
    life = Life("a")
    life.mode, life.receipted, life.rejected, life.stored = mode, receipted, rejected, stored
    life.attempts, life.in_gap = attempts, in_gap
    return life


def problems():
    """Rows that come out wrong."""
    out = []
    for *row, want in ROWS:
        got = expected_verdict(_life(*row))
        if got != want:
            out.append(f"{row}: {got}, expected {want}")
    stored = _life("fault", 10, None, 20, [], False)
    lost = _life("fault", 10, None, None, [FAILED], False)
    unsure = _life("fault", 10, None, None, [UNANSWERED], False)
    for life, ids, sentences in ((stored, {"a"}, 0), (stored, set(), 1), (lost, set(), 0),
                                 (lost, {"a"}, 1), (unsure, {"a"}, 0), (unsure, set(), 0),
                                 (stored, {"a", "b"}, 1)):
        said = check_database({"a": life}, ids)
        if len(said) != sentences:
            out.append(f"database {ids} against {vars(life)}: said {said}")
    for messages, wrong in (([{"message": "a", "verdict": "lost"}], []),
                            ([{"message": "a", "verdict": "stored"}], ["a"]), ([], ["a"]),
                            ([{"message": "a", "verdict": "lost"},
                              {"message": "b", "verdict": "lost"}], ["b"])):
        if Comparison({"a": lost}, messages).mismatches != wrong:
            out.append(f"{messages}: not seen as {wrong}")
    return out
