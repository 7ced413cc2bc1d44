#!/usr/bin/env python3
"""Counts by plain regular expressions, line by line, what the shipped packs should find in real logs.

    count.py FOLDER            one line per file, pack and rule: file;pack;rule;count

It knows nothing of records, literals, bodies or scopes: a check from outside. Where it and the engine
differ, counts.csv beside it says why. `FOLDER` holds the logs; they are no part of this project.
"""
import bz2
import gzip
import pathlib
import re
import sys

# Which pack reads which files (globs below FOLDER).
FILES = [
    ("mssql-errorlog", ["*/*ERRORLOG*", "*/*errorlog*", "avlane_errorlog-insight/*.log"]),
    ("dotnet-log4net", ["CoastalPetInc_CPP-Dev/*", "Fodba_caves/*", "jonathanread_ACP/*", "elodiecs_Simple.Todo/*"]),
    ("dotnet-serilog", ["RXROW_Risk-management-system/*"]),
    ("dotnet-console", ["_snippets/dotnet_mel_efcore_issue12166.log"]),
    ("dotnet-json", ["serilog_serilog-formatting-compact-reader/*"]),
    ("oracle-alert", ["_snippets/oracle_alert*", "_snippets/oracle_free*", "db2ai_oracle-alert-log-parser/*",
                      "masaki-921_databricks-handson/*"]),
    ("oracle-listener", ["_snippets/oracle_listener.log"]),
    ("oracle-xml", ["_snippets/oracle_listener.log", "averemee-si_oraadr-kafka/*"]),
    ("postgresql-stderr", ["darold_pgbadger/*begin_end*", "darold_pgbadger/*light*", "darold_pgbadger/*vacuums*",
                           "darold_pgbadger/*queryid*", "darold_pgbadger/*stmt_type*", "darold_pgbadger/*tempfile*",
                           "darold_pgbadger/*logplex*", "tstack_lnav/*postgres*"]),
    ("postgresql-csv", ["darold_pgbadger/*csv*", "elastic_beats/*"]),
    ("postgresql-json", ["darold_pgbadger/*cloudsql*"]),
    ("postgresql-syslog", ["darold_pgbadger/*syslog*"]),
    ("postgresql-plain", ["chobostar_demo-single-1rt-statement-timeout/*"]),
    ("mysql-error", ["percona_percona-toolkit/*errlog*", "tstack_lnav/*mysql_error*"]),
    ("mysql-slow", ["percona_percona-toolkit/*slow*"]),
    ("windows-events", ["*/*.relevant.xml", "tugix456_randaodcxjj/*.xml"]),
    ("iis-w3c", ["log2timeline_plaso/*iis*", "tstack_lnav/*w3c*"]),
    ("linux-console", ["google_syzkaller/*"]),
    ("linux-syslog", ["logpai_loghub/Linux*", "tstack_lnav/*syslog*"]),
    ("linux-journal-json", ["tstack_lnav/*journald*"]),
    ("spectrum-protect", ["_snippets/backup_jobs.txt"]),
    ("veeam-syslog", ["_snippets/backup_jobs.txt"]),
    ("windows-perfmon", ["*/DataCollector01.csv", "mizosk_PerfmonAnalyzer/*", "_snippets/perfmon*"]),
    ("linux-sysstat", ["sysstat_sysstat/*", "vlsi_ksar/*"]),
    ("mssql-errorlog", ["_snippets/mssql_real_lines.log"]),
    ("familia-like", ["*/*"]),  # what no pack above reads: nothing may be found in it
]

EVENT = r"Provider Name=\"{}\"[^>]*/>\s*<EventID[^>]*>(?:{})</EventID>"
# pack -> rule -> expression. Lines that match are counted; with an upper case key "TEXT:rule" matches
# in the whole text are.
RULES = {
    "mssql-errorlog": {
        "login-failed": r"Error: 18456,",
        "started": r"Microsoft SQL Server 20\d\d \(|is now ready for client connections",
        "stopping": r"is terminating (?:in response|because of a system)|shutdown has been initiated",
        "paged-out": r"process memory has been paged out",
        "event-log-full": r"current event was not reported to the operating system error log",
        "long-sync-io": r"Long Sync IO",
        "backed-up": r"Database backed up|Log was backed up|differential changes were backed up",
        "backup-processed": r"BACKUP .*successfully processed",
        "backup-failed": r"Error: 3041,",
        "assertion": r"Dump not possible|SqlDumpExceptionHandler|Stack Signature",
        "slow-io": r"I/O requests taking longer than",
        "flush-cache": r"FlushCache: cleaned up",
        "frozen": r"I/O is frozen", "resumed": r"I/O was resumed",
        "log-full": r"Error: 9002,", "out-of-memory": r"Error: (?:701|802),",
        "deadlock": r"was deadlocked on lock resources", "non-yielding": r"appears to be non-yielding on Scheduler",
    },
    "dotnet-log4net": {
        "sql-connect": r"SqlException.*network-related or instance-specific",
        "sql-login-failed": r"SqlException.*(?:Cannot open database|Login failed for user)",
        "sql-pool": r"prior to obtaining a connection from the pool",
        "sql-timeout": r"SqlException.*(?:prior to completion of the operation|wait operation timed out)",
        "sql-handshake": r"during the pre-login handshake",
        "sql-data-text": r"SqlException(?: \(0x80131904\))?: (?:String or binary|Incorrect syntax|Invalid (?:object|column) name|Cannot insert|Violation of|Conversion failed|The \w+ statement conflicted)",
        "sql-restarting": r"SqlException.*SHUTDOWN is in progress",
        "sql-exception": r"SqlException \(0x80131904\)|\.OnError\(SqlException exception",
        "sql-severe": r"SqlException.*A severe error occurred",
    },
    "dotnet-serilog": {
        "sql-data": r"Error Number:(?:208|544),",
        "save-refused": r"An exception occurred in the database while saving changes",
        "ef-command-failed": r"Failed executing DbCommand",
        "ef-query-failed": r"An exception occurred while iterating over the results of a query",
        "sql-exception": r"SqlException \(0x80131904\)",
    },
    "dotnet-console": {"save-timeout": r"while saving changes for context", "sql-timeout": r"SqlException.*Timeout expired",
                       "sql-exception": r"SqlException \(0x80131904\)"},
    "dotnet-json": {},
    "oracle-alert": {
        "log-switch": r"advanced to log sequence", "redo-stall": r"cannot allocate new log",
        "instance-started": r"Starting ORACLE instance|Completed: (?i:alter database open)",
        "instance-stopped": r"Instance terminated by|Shutting down instance|Instance shutdown complete|terminating the instance",
        "ora-deadlock": r"ORA-0*60(?!\d)", "ora-memory": r"ORA-0*403[01](?!\d)", "ora-sessions": r"ORA-0*(?:20|1251[689]|12520)(?!\d)",
        "ora-tablespace": r"ORA-0*(?:165[234]|30036)(?!\d)", "ora-undo": r"ORA-0*1555(?!\d)", "ora-error": r"ORA-\d",
        "header-ctime": r"^Archived Log entry",
    },
    "oracle-listener": {"refused": r"\* 1251[89]\s*$", "tns-handler": r"TNS-1251[89]"},
    "oracle-xml": {"tns-handler": r"<txt>TNS-1251[89]", "instance-started": r"<txt>Starting ORACLE instance", "ora-internal": r"ORA-00700",
                   "ora-swapping": r"excessive swapping observed"},
    "postgresql-stderr": {
        "slow": r"LOG:  duration: [1-9]\d{3,}\.", "canceled": r"ERROR:  canceling statement due to user request",
        "lock-wait": r"still waiting for \w+Lock", "temp-file": r"LOG:  temporary file:", "temp-file-large": r"LOG:  temporary file:.*size [1-9]\d{8}",
        "deadlock": r"ERROR:  deadlock detected", "deadlock-found": r"detected deadlock while waiting",
        "follow-up": r"\b(?:DETAIL|HINT|QUERY|CONTEXT|LOCATION|STATEMENT):  ", "ready": r"ready to accept connections",
        "stopping": r"received (?:smart|fast|immediate) shutdown request", "data": r"ERROR: +.*(?:does not exist|syntax error|violates|invalid input|value too long|duplicate key|permission denied)",
    },
    "postgresql-csv": {"slow": r"\"duration: [1-9]\d{3,}\.", "state-timeout": r",25P03,"},
    "postgresql-json": {"connection-terminated": r"FATAL:  terminating connection due to administrator command",
                        "not-ready": r"FATAL:  the database system is (?:starting|shutting)", "ready": r"ready to accept connections",
                        "stopping": r"received (?:smart|fast|immediate) shutdown request"},
    "postgresql-syslog": {"ready": r"ready to accept connections"},
    "postgresql-plain": {"statement-timeout": r"^ERROR:  canceling statement due to statement timeout", "slow": r"LOG:  duration: [1-9]\d{3,}\.",
                         "follow-up": r"^(?:STATEMENT|DETAIL|HINT|CONTEXT):  "},
    "mysql-error": {
        "started": r"ready for connections", "stopping": r"Normal shutdown|Shutdown complete",
        "crash": r"got signal|mysqld restarted|not shut down normally|Starting crash recovery", "mysql-memory": r"annot allocate \d+ bytes",
        "disk-error": r"Incorrect key file for table", "semaphore-wait": r"a long semaphore wait", "assertion": r"Assertion failure in thread",
    },
    "mysql-slow": {"slow": r"^# Query_time: [1-9]", "lock-wait": r"Lock_time: [1-9]"},
    "windows-events": {
        "TEXT:disk-slow": EVENT.format("[Dd]isk", "51|153"), "TEXT:machine-started": EVENT.format("EventLog", "6005|6009"),
        "TEXT:machine-stopped": EVENT.format("(?:EventLog|User32)", "1074|6006"),
        "TEXT:service-trouble": EVENT.format("Service Control Manager", "7000|7009|7011|7022|7023|7031|7034|7043"),
        "TEXT:app-crash": EVENT.format("(?:Application Error|Windows Error Reporting|Application Hang)", "1000|1001|1002"),
        "TEXT:vss-summary": EVENT.format("VSS", "8212|8219|8220|8224"), "TEXT:ntfs-summary": EVENT.format("Microsoft-Windows-Ntfs", "142|145|146|151|158"),
    },
    "iis-w3c": {"server-error": r" 500 "},
    "linux-console": {"hung-task": r"INFO: task .* blocked for more than", "block-error": r"I/O error, dev|Buffer I/O error on dev"},
    "linux-syslog": {"boot": r"kernel: Linux version", "out-of-memory": r"Out of [Mm]emory: Kill"},
    "linux-journal-json": {},
    "spectrum-protect": {"failed": r"ANR2579E", "finished": r"ANR2507I|ANE4964I"},
    "veeam-syslog": {"started": r"instanceId=110 ", "finished": r"instanceId=(?:190|10010) "},
    "windows-perfmon": {},
    "linux-sysstat": {},
    "familia-like": {},
}


def text_of(path):
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    elif path.suffix == ".bz2":
        data = bz2.decompress(data)
    if data[:2] == b"\xff\xfe":
        return data.decode("utf-16")
    return data.decode("utf-8", "replace")


def main():
    folder = pathlib.Path(sys.argv[1])
    read = set()
    for pack, globs in FILES:
        paths = sorted({p for g in globs for p in folder.glob(g) if p.is_file()})
        if pack == "familia-like":
            paths = [p for p in paths if p not in read]
        read.update(paths)
        for path in paths:
            text = text_of(path)
            lines = text.splitlines()
            name = path.relative_to(folder).as_posix()
            print(f"{name};{pack};*;{len(lines)}")
            for rule, expression in RULES[pack].items():
                if rule.startswith("TEXT:"):
                    count, rule = len(re.findall(expression, text)), rule[5:]
                else:
                    found = re.compile(expression)
                    count = sum(1 for line in lines if found.search(line))
                if count:
                    print(f"{name};{pack};{rule};{count}")


if __name__ == "__main__":
    main()
