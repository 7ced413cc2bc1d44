"""What passed and what failed, said as it happens."""
from support import is_root


class Report:
    """Counts what passed and says what failed."""

    def __init__(self, output):
        self.output = output
        self.passed, self.failed = 0, 0
        self.skipped = []

    def check(self, name, problem):
        """`problem`: falsy when it is well, else a text."""
        if problem:
            self.failed += 1
            self.output.step(f"FAILED  {name}\n{problem}")
        else:
            self.passed += 1
            self.output.step(f"passed  {name}")
        return not problem

    def skip(self, name):
        """What this user or machine cannot show. Root can show everything: then it is a failure."""
        if is_root():
            self.check(name, "skipped, although root runs this")
            return
        self.skipped.append(name)
        self.output.step(f"skipped {name}")
