"""Polars' side of the contest: one job in this process, its outcome as JSON on standard output.

python peer_polars.py {memory|emails} RECORDS.csv POLICIES.json THREADS

The way is peer_duckdb.py's: texts to numbers, addresses that share a login joined by min-label propagation.
"""

import json
import os
import sys

from measure import add_up, measured

os.environ["POLARS_MAX_THREADS"] = sys.argv[4]  # Read once, when the library is loaded.

import polars as pl  # noqa: E402
from polars import col, lit, when  # noqa: E402

TEXT = ["runtime", "provider", "tenant", "username", "email"]
SCHEMA = {name: pl.String for name in TEXT} | {"is_active": pl.Boolean}
ENGINE = "streaming"  # Two thirds of the time and half the memory of "in-memory", measured here.
GLOBAL = 255
SCOPES = [col("place"), lit(GLOBAL, pl.UInt8).alias("place")]


def clean(name):
    return col(name).str.strip_chars().str.to_lowercase()


def or_absent(text):
    return when(text != "").then(text)


def number(texts, links):
    """A text as 64 bits, null where the record does not link by it: the hash of null is a number."""
    return when(links & texts.is_not_null()).then(texts.hash())


def is_address(text):
    return text.str.contains(r".@[^@]*\.[^@]*$")


def records(users, policies):
    """What the rules ask of a record: address (C3), class (C4, C5), whether it is in its default tenant (R4)."""
    listed = lit(False)
    for name, domains in policies:
        of_domain = pl.any_horizontal(lit(not domains), *(col("address").str.ends_with("@" + domain) for domain in domains))
        listed = when(col("runtime") == name).then(of_domain).otherwise(listed)
    email, login = col("email"), col("login")
    default = or_absent(clean("provider")).fill_null("users")
    tenant = clean("tenant")
    return (
        users.lazy().filter(col("is_active")).select(
            place=col("runtime").replace_strict({name: place for place, (name, _) in enumerate(policies)},
                                                return_dtype=pl.UInt8),
            runtime="runtime",
            login=or_absent(clean("username")),
            email=clean("email"),
            links=tenant.is_null() | (tenant == "") | (tenant == default),
        ).with_columns(address=when(is_address(email)).then(email).when(is_address(login)).then(login))
        .with_columns(internal=col("address").is_null() | listed)
    )


def counted(individuals):
    """Rows of place, records, internal, external."""
    return individuals.group_by("place").agg(
        col("records").sum().cast(pl.Int64), col("internal").sum().cast(pl.Int64),
        external=(~col("internal")).sum().cast(pl.Int64),
    ).collect(engine=ENGINE).rows()


def propagated(links):
    """Each address with the smallest that it is joined to, when no label changes any more."""
    labels = links.select("place", "a", label="a").unique()
    while True:
        near = links.join(labels, left_on=["place", "b"], right_on=["place", "a"])
        near = near.group_by("place", "a").agg(col("label").min())
        both = labels.join(near, on=["place", "a"], suffix="_near")
        if not (both["label_near"] < both["label"]).any():
            return labels
        labels = both.select("place", "a", label=pl.min_horizontal("label", "label_near"))


def same(users, policies):
    """The same job as the others: individuals."""
    keys = records(users, policies).select(
        "place", "internal", e=number(col("address"), col("links")), l=number(col("login"), col("links")),
    ).collect(engine=ENGINE)
    parts = []
    for place in SCOPES:
        scope = keys.lazy().with_columns(place)
        logins = scope.filter(col("l").is_not_null()).group_by("place", "l").agg(
            first=col("e").min(), last=col("e").max()).collect(engine=ENGINE)
        apart = logins.lazy().filter(col("first") < col("last")).select("place", "l", "first")
        joined = scope.join(apart, on=["place", "l"]).filter(col("e") != col("first"))
        joined = joined.select("place", a="e", b="first").unique().collect(engine=ENGINE)
        of_login = scope.filter(col("e").is_null()).join(logins.lazy(), on=["place", "l"])
        owners = pl.concat([
            scope.filter(col("e").is_not_null()).select("place", "internal", owner="e"),
            of_login.select("place", "internal", owner=col("first").fill_null(col("l"))),
        ])
        if len(joined) > 0:
            labels = propagated(pl.concat([joined, joined.select("place", a="b", b="a")]))
            owners = owners.join(labels.lazy(), left_on=["place", "owner"], right_on=["place", "a"], how="left")
            owners = owners.with_columns(owner=col("label").fill_null(col("owner")))
        parts += counted(owners.group_by("place", "owner").agg(records=pl.len(), internal=col("internal").any()))
        alone = scope.filter(col("e").is_null() & col("l").is_null())
        parts += counted(alone.select("place", "internal", records=1))
    return add_up([*range(len(policies)), GLOBAL], parts)


def emails(users, policies):
    """The lesser job: different addresses by class."""
    numbers = records(users, policies).select("place", "internal", e=number(col("address"), col("links")))
    numbers = numbers.filter(col("e").is_not_null()).group_by("place", "e").agg(
        records=pl.len(), internal=col("internal").any()).collect(engine=ENGINE)
    parts = []
    for place in SCOPES:
        groups = numbers.lazy().with_columns(place).group_by("place", "e")
        parts += counted(groups.agg(col("records").sum(), col("internal").any()))
    return add_up([*range(len(policies)), GLOBAL], parts)


def main():
    job, path, policies, _ = sys.argv[1:]
    with open(policies) as file:
        policies = json.load(file)
    users = pl.read_csv(path, schema=SCHEMA)
    run = emails if job == "emails" else same
    measured(lambda: run(users, policies), f"Polars {pl.__version__}")


main()
