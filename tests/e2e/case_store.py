"""Where the case system saves: a real transaction over four tables.

The running number of a journal is a counter row that every save of the same district updates and
holds until its commit. So lock waits are the product's own, as they are in real case systems, and
an overload needs no tricks to reach the saves. A deferred trigger takes a lock, shared with all
other saves, and reads how slow a commit shall be; it runs inside the server's COMMIT, which is how
a test can hit the commit call itself.
"""
import os

import psycopg2

from npgsql_words import COMMIT, OPEN, STATEMENT, SaveFailed

DATABASE = "fagsystem"
USER = "fagsystem"
COMMIT_LOCK = 2023  # the advisory lock of the deferred trigger
DISTRICTS = [f"{n:02d}" for n in range(8)]

SCHEMA = """
CREATE TABLE melding (id uuid PRIMARY KEY, skjema text NOT NULL, bydel text NOT NULL,
                      mottatt timestamptz NOT NULL DEFAULT clock_timestamp(), avsender text,
                      innhold text NOT NULL, journalpost text);
CREATE TABLE barn (fnr text NOT NULL, navn text NOT NULL, adresse text, telefon text, epost text,
                   personnokkel uuid, melding uuid REFERENCES melding(id),
                   CONSTRAINT barn_fnr_unik UNIQUE (fnr));
CREATE TABLE vedlegg (melding uuid REFERENCES melding(id), data bytea NOT NULL) {tablespace};
CREATE TABLE journalteller (bydel text PRIMARY KEY, siste integer NOT NULL);
CREATE TABLE treghet (commit_ms integer NOT NULL);
CREATE TABLE historikk (nr integer, tekst text);
ALTER TABLE vedlegg ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE historikk ALTER COLUMN tekst SET STORAGE EXTERNAL;
INSERT INTO treghet VALUES (0);
INSERT INTO journalteller SELECT lpad(n::text, 2, '0'), 1000 FROM generate_series(0, 7) n;
INSERT INTO historikk SELECT n, repeat(md5(n::text), 40) FROM generate_series(1, 4000) n;
CREATE FUNCTION treg_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_advisory_xact_lock_shared({commit_lock});
PERFORM pg_sleep((SELECT commit_ms FROM treghet) / 1000.0); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER treg_commit AFTER INSERT ON melding DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION treg_commit();
"""


def create_database(cluster, name=DATABASE):
    """The case system's database; attachments in the small tablespace where there is one."""
    if not cluster.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (USER,)):
        cluster.execute(f"CREATE ROLE {USER} LOGIN")
    clause = ""
    if cluster.tablespace:
        clause = "TABLESPACE liten"
        if not cluster.execute("SELECT 1 FROM pg_tablespace WHERE spcname = 'liten'"):
            cluster.execute(f"CREATE TABLESPACE liten OWNER {USER} LOCATION "
                            f"'{cluster.tablespace}'")
    cluster.execute(f"CREATE DATABASE {name} OWNER {USER}")
    cluster.execute(f"SET ROLE {USER}; " + SCHEMA.format(
        tablespace=clause, commit_lock=COMMIT_LOCK), database=name)


class CaseStore:
    """Saves messages; every failure becomes a SaveFailed that says where and what."""

    def __init__(self, socket, database=DATABASE):
        self.socket = socket
        self.database = database

    def save(self, message, lock_timeout_ms, statement_timeout_ms):
        """One attempt, a session of its own. Returns the journal number."""
        try:
            connection = psycopg2.connect(
                host=self.socket, user=USER, dbname=self.database, connect_timeout=10,
                application_name="Fagsystem Innboks",
                options=f"-c lock_timeout={lock_timeout_ms} "
                        f"-c statement_timeout={statement_timeout_ms}")
        except psycopg2.Error as error:
            raise SaveFailed(OPEN, error) from error
        try:
            try:
                number = self._statements(connection, message)
            except psycopg2.Error as error:
                raise SaveFailed(STATEMENT, error) from error
            try:
                connection.commit()
            except psycopg2.Error as error:
                raise SaveFailed(COMMIT, error) from error
            return number
        finally:
            connection.close()

    @staticmethod
    def _statements(connection, message):
        child, sender = message["barn"], message["avsender"]
        with connection.cursor() as cursor:
            cursor.execute("SELECT journalpost FROM melding WHERE id = %s",
                           (message["bekymringsmeldingId"],))
            row = cursor.fetchone()
            if row:  # an earlier attempt was committed although its answer never came
                return row[0]
            cursor.execute(
                "UPDATE journalteller SET siste = siste + 1 WHERE bydel = %s RETURNING siste",
                (message["bydel"],))
            number = f"2023/{cursor.fetchone()[0]}"
            cursor.execute(
                "INSERT INTO melding (id, skjema, bydel, avsender, innhold, journalpost) "
                "VALUES (%s, %s, %s, %s, %s, %s)",
                (message["bekymringsmeldingId"], message["skjemaType"], message["bydel"],
                 f"{sender['navn']}, {sender['telefon']}", message["melding"], number))
            cursor.execute(
                "INSERT INTO barn (fnr, navn, adresse, telefon, epost, personnokkel, melding) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (child["fnr"], child["navn"], child["adresse"], child["telefon"], child["epost"],
                 child["guid"], message["bekymringsmeldingId"]))
            cursor.execute("INSERT INTO vedlegg (melding, data) VALUES (%s, %s)",
                           (message["bekymringsmeldingId"],
                            psycopg2.Binary(os.urandom(message["vedlegg_bytes"]))))
        return number


def stored_ids(cluster, name=DATABASE):
    """The truth itself: which messages the database holds."""
    return {str(row[0]) for row in cluster.execute("SELECT id FROM melding", database=name)}
