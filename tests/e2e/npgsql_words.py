"""What libpq says, in the words a .NET program would have logged.

The agent's pack reads Npgsql's wording because that is what a .NET case system writes; the failures
here are real, so their SQLSTATE and message text come from the server, and only the wrapping is
composed. Two kinds matter and are kept apart with care: the server *answered* (PostgresException,
the transaction is certainly not committed) and *no answer came* (NpgsqlException around an
end-of-stream). Where in the program that happened stands in the stack trace: Open, a statement, or
the commit call.
"""
import re

OPEN, STATEMENT, COMMIT = "open", "statement", "commit"

# libpq gives no SQLSTATE when a session cannot be opened; the server's text has one meaning each.
OPEN_TEXTS = [
    ("sorry, too many clients already", "53300"),
    ("remaining connection slots are reserved", "53300"),
    ("the database system is starting up", "57P03"),
    ("the database system is shutting down", "57P03"),
    ("the database system is in recovery mode", "57P03"),
    ("the database system is not yet accepting connections", "57P03"),
]

FRAMES = {
    OPEN: ["Npgsql.PoolingDataSource.<Get>g__RentAsync|33_0(NpgsqlConnection conn, NpgsqlTimeout "
           "timeout, Boolean async, CancellationToken cancellationToken)",
           "Npgsql.NpgsqlConnection.Open(Boolean async, CancellationToken cancellationToken)",
           "Npgsql.NpgsqlConnection.Open()"],
    STATEMENT: ["Npgsql.NpgsqlDataReader.NextResult(Boolean async, Boolean isConsuming, "
                "CancellationToken cancellationToken)",
                "Npgsql.NpgsqlCommand.ExecuteReader(CommandBehavior behavior, Boolean async, "
                "CancellationToken cancellationToken)",
                "Npgsql.NpgsqlCommand.ExecuteNonQuery(Boolean async, CancellationToken "
                "cancellationToken)",
                "Npgsql.NpgsqlCommand.ExecuteNonQuery()"],
    COMMIT: ["Npgsql.NpgsqlTransaction.Commit(Boolean async, CancellationToken "
             "cancellationToken)",
             "Npgsql.NpgsqlTransaction.Commit()"],
}
READ_FRAME = ("Npgsql.Internal.NpgsqlConnector.ReadMessageLong(Boolean async, DataRowLoadingMode "
              "dataRowLoadingMode, Boolean readingNotifications)")
PROGRAM_FRAMES = [r"Fagsystem.Lagring.MeldingLager.Lagre(Melding melding) in "
                  r"D:\Bygg\Fagsystem\Lagring\MeldingLager.cs:line 142",
                  r"Fagsystem.Innboks.Arbeider.Behandle(Melding melding) in "
                  r"D:\Bygg\Fagsystem\Innboks\Arbeider.cs:line 77"]


class SaveFailed(Exception):
    """A save that did not end well: where, what the server said, and whether it said anything."""

    def __init__(self, where, error):
        super().__init__(str(error))
        self.where = where
        self.text = str(error).strip()
        self.detail = getattr(getattr(error, "diag", None), "message_detail", None)
        primary = getattr(getattr(error, "diag", None), "message_primary", None)
        self.sqlstate = getattr(error, "pgcode", None)
        if not self.sqlstate and where == OPEN:
            self.sqlstate = next((code for text, code in OPEN_TEXTS if text in self.text), None)
            fatal = re.search(r"FATAL:\s+(.*)", self.text)
            primary = fatal.group(1) if fatal else primary
        self.message = primary or (self.text.splitlines() or ["no message"])[0]

    @property
    def answered(self):
        """The server's own word reached us: nothing of the transaction was committed."""
        return self.sqlstate is not None

    @property
    def commit_unanswered(self):
        """A session ended by the server's stop (57P0x, 08xxx) answers no commit either."""
        return self.where == COMMIT and (not self.answered or self.sqlstate.startswith(
            ("57P0", "08")))

    def lines(self):
        """The exception as .NET's ToString() prints it."""
        at = ["   at " + f for f in [READ_FRAME, *FRAMES[self.where], *PROGRAM_FRAMES]]
        if self.answered:
            out = [f"Npgsql.PostgresException (0x80004005): {self.sqlstate}: {self.message}"]
            if self.detail:
                out += ["", f"DETAIL: {self.detail}"]
            out += at + ["  Exception data:", "    Severity: ERROR",
                         f"    SqlState: {self.sqlstate}", f"    MessageText: {self.message}"]
            return out + ([f"    Detail: {self.detail}"] if self.detail else [])
        if self.where == OPEN:
            return ["Npgsql.NpgsqlException (0x80004005): Failed to connect to "
                    "127.0.0.1:5432",
                    " ---> System.Net.Sockets.SocketException (111): Connection refused",
                    "   at Npgsql.Internal.NpgsqlConnector.Connect(NpgsqlTimeout timeout)",
                    "   --- End of inner exception stack trace ---", *at[1:]]
        return ["Npgsql.NpgsqlException (0x80004005): Exception while reading from stream",
                " ---> System.IO.EndOfStreamException: Attempted to read past the end of the "
                "stream.",
                "   at Npgsql.Internal.NpgsqlReadBuffer.<Ensure>g__EnsureLong|41_0(NpgsqlReadBuffer "
                "buffer, Int32 count, Boolean async)",
                "   --- End of inner exception stack trace ---", *at]
