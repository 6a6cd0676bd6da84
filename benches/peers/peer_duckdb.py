"""DuckDB's side of the contest: one job in this process, its outcome as JSON on standard output.

python peer_duckdb.py {memory|csv|emails} RECORDS.csv POLICIES.json THREADS
"""

import json
import sys

import duckdb

from measure import add_up, measured

COLUMNS = {"runtime": "VARCHAR", "provider": "VARCHAR", "tenant": "VARCHAR", "username": "VARCHAR", "email": "VARCHAR",
           "is_active": "BOOLEAN"}

# `trim` looks at every character and takes longer than all else in this query, so only texts with blanks get it.
MACROS = """
CREATE MACRO clean(x) AS lower(CASE WHEN starts_with(x, ' ') OR ends_with(x, ' ') THEN trim(x) ELSE x END);
CREATE MACRO host(x) AS split_part(x, '@', -1);
CREATE MACRO is_address(x) AS contains(host(x), '.') AND strlen(x) > strlen(host(x)) + 1;
"""

# What the rules ask of a record: its address (C3), its class (C4, C5), whether it is in its default tenant (R4). `CASE`
# computes only the branch it takes, where `OR` computes both sides.
RECORDS = """
WITH texts AS (
    SELECT runtime, nullif(clean(username), '') AS login, clean(email) AS email,
        CASE WHEN tenant IS NULL THEN true
            ELSE clean(tenant) IN ('', coalesce(nullif(clean(provider), ''), 'users')) END AS links,
    FROM {source} WHERE is_active
), addresses AS (
    SELECT runtime, login, links,
        CASE WHEN is_address(email) THEN email WHEN is_address(login) THEN login END AS address,
    FROM texts
), records AS (
    SELECT {place} AS place, login, address, links,
        address IS NULL OR {listed} AS internal,
    FROM addresses
)
"""

# Texts as numbers: `e` the address, `l` the login, null where the record links by neither (D3, D8). Numbers have 64
# bits: two texts of ten million meet with a chance of 3e-6, and the tallies would then differ. `hash(NULL)` is a number.
KEYS = """
CREATE TEMP TABLE keys AS {records}
SELECT place, internal,
    CASE WHEN links AND address IS NOT NULL THEN hash(address) END AS e,
    CASE WHEN links AND login IS NOT NULL THEN hash(login) END AS l,
FROM records
"""

# The addresses of each login.
LOGINS = """
CREATE OR REPLACE TEMP TABLE logins AS
SELECT {place} AS place, l, min(e) AS first, max(e) AS last FROM keys WHERE l IS NOT NULL GROUP BY ALL
"""

# Only a login with two addresses or more links addresses: each of them with the smallest.
LINKS = """
CREATE OR REPLACE TEMP TABLE links AS
WITH apart AS (SELECT place, l, first FROM logins WHERE first < last), joined AS (
    SELECT DISTINCT apart.place, e, first FROM keys JOIN apart ON keys.l = apart.l AND {place} = apart.place
    WHERE e <> first
)
SELECT place, e AS a, first AS b FROM joined UNION ALL SELECT place, first, e FROM joined
"""

# Min-label propagation over those addresses: every one takes the smallest label next to it.
LABELS = "CREATE OR REPLACE TEMP TABLE labels AS SELECT DISTINCT place, a AS e, a AS label FROM links"
ROUND = """
CREATE OR REPLACE TEMP TABLE next AS
SELECT links.place, links.a AS e, least(any_value(own.label), min(other.label)) AS label
FROM links
JOIN labels AS own ON own.place = links.place AND own.e = links.a
JOIN labels AS other ON other.place = links.place AND other.e = links.b
GROUP BY links.place, links.a
"""
CHANGED = "SELECT count(*) FROM next JOIN labels USING (place, e) WHERE next.label <> labels.label"

# A record's individual is the label of its address, or of its login's, or it is known by its login alone. A login that
# is an address (C3) has one, so that no login's number is taken for an address's.
INDIVIDUALS = """
WITH owners AS (
    SELECT {place} AS place, e AS owner, internal FROM keys WHERE e IS NOT NULL
    UNION ALL
    SELECT logins.place, coalesce(first, l), internal FROM keys JOIN logins USING (l)
    WHERE e IS NULL AND {place} = logins.place
), individuals AS (
    SELECT owners.place, {owner} AS individual, count(*) AS records, bool_or(internal) AS internal
    FROM owners {labels} GROUP BY ALL
)
SELECT place, sum(records)::BIGINT, count(*) FILTER (internal), count(*) FILTER (NOT internal)
FROM individuals GROUP BY place
"""
JOIN_LABELS = "LEFT JOIN labels ON labels.place = owners.place AND labels.e = owners.owner"

# Records that link to nothing are individuals of their own.
ALONE = """
SELECT {place} AS place, count(*), count(*) FILTER (internal), count(*) FILTER (NOT internal)
FROM keys WHERE e IS NULL AND l IS NULL GROUP BY ALL
"""

# The lesser job: different addresses by class, in each runtime and over all.
EMAILS = """
CREATE TEMP TABLE emails AS {records}
SELECT place, hash(address) AS e, count(*) AS records, bool_or(internal) AS internal,
FROM records WHERE links AND address IS NOT NULL GROUP BY ALL
"""
COUNT_EMAILS = """
SELECT place, sum(records)::BIGINT, count(*) FILTER (internal), count(*) FILTER (NOT internal) FROM (
    SELECT {place} AS place, e, sum(records) AS records, bool_or(internal) AS internal FROM emails GROUP BY ALL
) GROUP BY place
"""

GLOBAL = 255
SCOPES = ["keys.place", f"{GLOBAL}::UTINYINT"]


def of_domains(domains):
    """Whether the address is of one of those: faster here than to split the domain off and look it up."""
    return " OR ".join(f"ends_with(address, '@{domain}')" for domain in domains) or "true"


class Contest:
    """One database, its threads, and the jobs."""

    def __init__(self, records, policies, threads):
        self.policies = policies
        self.places = [*range(len(policies)), GLOBAL]
        self.source = f"read_csv('{records}', header = true, columns = {COLUMNS})"
        self.db = duckdb.connect()
        self.db.execute(f"SET threads = {threads}; SET preserve_insertion_order = false; {MACROS}")

    def load(self):
        self.db.execute(f"CREATE TABLE users AS FROM {self.source}")
        self.source = "users"

    def records(self):
        """The runtimes and domains are a dozen: written into the query, they cost no join."""
        place = " ".join(f"WHEN '{name}' THEN {place}" for place, (name, _) in enumerate(self.policies))
        listed = " ".join(f"WHEN '{name}' THEN {of_domains(domains)}" for name, domains in self.policies)
        return RECORDS.format(
            source=self.source, place=f"(CASE runtime {place} END)::UTINYINT", listed=f"CASE runtime {listed} END"
        )

    def rows(self, query, **parts):
        return self.db.execute(query.format(**parts)).fetchall()

    def same(self):
        """The same job as the others: individuals."""
        self.rows(KEYS, records=self.records())
        parts = []
        for place in SCOPES:
            self.rows(LOGINS, place=place)
            self.rows(LINKS, place=place)
            linked = self.rows("SELECT count(*) FROM links")[0][0] > 0
            if linked:
                self.propagate()
            owner, labels = ("coalesce(label, owner)", JOIN_LABELS) if linked else ("owner", "")
            parts += self.rows(INDIVIDUALS, place=place, owner=owner, labels=labels)
            parts += self.rows(ALONE, place=place)
        return add_up(self.places, parts)

    def propagate(self):
        self.rows(LABELS)
        while True:
            self.rows(ROUND)
            changed = self.rows(CHANGED)[0][0]
            self.rows("DROP TABLE labels; ALTER TABLE next RENAME TO labels")
            if changed == 0:
                return

    def emails(self):
        """The lesser job: different addresses."""
        self.rows(EMAILS, records=self.records())
        parts = []
        for place in SCOPES:
            parts += self.rows(COUNT_EMAILS, place=place.replace("keys.", ""))
        return add_up(self.places, parts)


def main():
    job, records, policies, threads = sys.argv[1:]
    with open(policies) as file:
        contest = Contest(records, json.load(file), threads)
    if job != "csv":
        contest.load()
    measured(contest.emails if job == "emails" else contest.same, f"DuckDB {duckdb.__version__}")


main()
