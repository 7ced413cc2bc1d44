"""What passed and what failed, said as it happens."""


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
        self.skipped.append(name)
        self.output.step(f"skipped {name}")
