#!/usr/bin/env python3
"""A second implementation of the assessment tree, to compare the engine with.

It was written from the text of the rules alone and shares nothing with the engine: no
guidance file, no generated table. It reads fixtures, one JSON object a line, and writes
one answer a line: id, derived, presumed, outcome and open.

`open` is found by trying every completion of the undetermined leaves, so it is given only
where no more than `--most` leaves are undetermined; otherwise it is null.

    python3 evaluate.py [--most 8] < fixtures.jsonl
"""

import argparse
import itertools
import json
import sys

M, N, U = "M", "N", "U"

LEAVES = (
    "G.ID LIAB "
    "C1.1.a C1.1.b C1.1.c C1.1.d C1.1.e C1.2.a C1.2.b C1.2.c C1.3.a C1.3.b C1.3.c C1.3.d "
    "C2.1 C2.2.a C2.2.b C2.3 C2.4 C2.5 C2.6 "
    "C3.1.a C3.1.b C3.1.c C3.1.d C3.2.a C3.2.b C3.2.c C3.2.d C3.2.e C3.2.f C3.2.h "
    "PUN.1 NEX WFF.sought WFF.harm SP IFA EXC CP.1 CP.2"
).split()
MET_WHEN_UNLISTED = {"G.ID", "LIAB", "NEX", "WFF.harm"}
SHOWN = "C1.1 C1.2 C1.3 C1 C2.2 C2.4 C2 C3.1 C3.2 C3 PATH NEX WFF INC CP".split()

#            consequence   C2.5   C2.2.b nexus  C2.4   subsidiary
#            of conscience needed counts pres.  pres.  status
PROFILES = {
    "UNHCR": ("leaf", False, True, False, False, True),
    "EU": ("leaf", True, False, True, True, True),
    "DE": ("leaf", True, False, True, True, True),
    "FR": ("leaf", True, False, True, True, True),
    "UK_pre2022": ("punishment", False, False, False, False, True),
    "UK_post2022": ("punishment", False, False, False, False, True),
    "CA": ("punishment", False, False, False, False, True),
    "AU": ("punishment", False, False, False, False, True),
    "NZ": ("leaf", False, False, False, False, True),
    "US": ("leaf", False, False, False, False, False),
    "ECHR": ("leaf", False, False, False, False, False),
}


def every(values):
    """ALL of strong Kleene logic."""
    values = list(values)
    if N in values:
        return N
    return U if U in values else M


def some(values):
    """ANY of strong Kleene logic."""
    values = list(values)
    if M in values:
        return M
    return U if U in values else N


def opposite(value):
    """NOT of strong Kleene logic."""
    return {M: N, N: M, U: U}[value]


def derive(profile, facts, leaf):
    """Every node of the tree, and the leaves that were presumed."""
    consequence, needs_only_means, admits_force, nexus_presumed, role_presumed, _ = profile
    node, presumed = {}, []

    node["C1.1"] = some(leaf["C1.1." + x] for x in "abcde")
    node["C1.2"] = some(leaf["C1.2." + x] for x in "abc")
    node["C1.3"] = some(leaf["C1.3." + x] for x in "abcd")
    node["C1"] = some([node["C1.1"], node["C1.2"], node["C1.3"]])

    acts = [leaf["C2.2.a"]] + ([leaf["C2.2.b"]] if admits_force else [])
    node["C2.2"] = some(acts)
    node["C2.4"] = leaf["C2.4"]
    if (
        role_presumed
        and leaf["C2.4"] == U
        and leaf["C2.3"] == M
        and facts.get("posting") == "unknown"
        and facts.get("enlistment") == "conscript"
    ):
        node["C2.4"] = M
        presumed.append("C2.4")
    parts = [leaf["C2.1"], node["C2.2"], leaf["C2.3"], node["C2.4"], leaf["C2.6"]]
    if needs_only_means:
        parts.append(leaf["C2.5"])
    node["C2"] = every(parts)

    last = leaf["C3.1.d"] if consequence == "leaf" else leaf["PUN.1"]
    node["C3.1"] = every([leaf["C3.1.a"], leaf["C3.1.b"], leaf["C3.1.c"], last])
    # The motive "other" settles nothing, as if none had been found.
    if facts.get("motive") == "fear_of_combat_only":
        node["C3.1"] = N
    node["C3.2"] = every([some(leaf["C3.2." + x] for x in "abcdef"), leaf["C3.2.h"]])
    node["C3"] = some([node["C3.1"], node["C3.2"]])

    node["PATH"] = some([node["C1"], node["C2"], node["C3"], leaf["PUN.1"]])
    node["NEX"] = leaf["NEX"]
    if nexus_presumed and leaf["NEX"] == U and node["C2"] == M:
        node["NEX"] = M
        presumed.append("NEX")
    node["WFF"] = every([some([leaf["LIAB"], leaf["WFF.sought"]]), leaf["WFF.harm"]])
    node["INC"] = every(
        [
            leaf["G.ID"],
            node["WFF"],
            node["PATH"],
            node["NEX"],
            opposite(leaf["SP"]),
            opposite(leaf["IFA"]),
        ]
    )
    node["CP"] = every([some([leaf["CP.1"], leaf["CP.2"]]), opposite(leaf["IFA"])])
    node["ART3"] = every([leaf["CP.1"], opposite(leaf["IFA"])])
    return node, presumed


def excluded(art3):
    """What an established exclusion leads to."""
    return {M: "excluded_not_removable", U: "undetermined", N: "excluded"}[art3]


def decide(profile, sought, node, exclusion):
    """The outcome."""
    inclusion, harm, art3 = node["INC"], node["CP"], node["ART3"]
    article3_only = {M: "nonrefoulement_only", N: "refused", U: "undetermined"}[art3]
    if sought == "nonrefoulement":
        return article3_only
    if inclusion == U:
        return "undetermined"
    if inclusion == M:
        return {N: "refugee", U: "undetermined", M: excluded(art3)}[exclusion]
    if sought == "refugee":
        return "refused"
    if not profile[5]:
        return article3_only
    if harm == N:
        return "refused"
    if harm == U or exclusion == U:
        return "undetermined"
    return excluded(art3) if exclusion == M else "subsidiary"


def answer(profile, facts, sought, leaf):
    """Nodes, presumed leaves and outcome of one set of findings."""
    node, presumed = derive(profile, facts, leaf)
    return node, presumed, decide(profile, sought, node, leaf["EXC"])


def turning(profile, facts, sought, leaf, presumed, most):
    """The undetermined leaves that turn the outcome in some completion of the others."""
    unknown = [x for x in LEAVES if leaf[x] == U and x not in presumed]
    if len(unknown) > most:
        return None
    outcome = {}
    for completion in itertools.product((N, M), repeat=len(unknown)):
        trial = dict(leaf)
        trial.update(zip(unknown, completion))
        outcome[completion] = answer(profile, facts, sought, trial)[2]
    found = []
    for place, name in enumerate(unknown):
        for completion, result in outcome.items():
            if completion[place] == N:
                other = completion[:place] + (M,) + completion[place + 1 :]
                if outcome[other] != result:
                    found.append(name)
                    break
    return found


def main():
    """Answer standard input line by line."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--most", type=int, default=8)
    most = arguments.parse_args().most
    for line in sys.stdin:
        if not line.strip():
            continue
        fixture = json.loads(line)
        profile = PROFILES[fixture["profile"]]
        facts = fixture.get("facts") or {}
        leaf = {x: M if x in MET_WHEN_UNLISTED else N for x in LEAVES}
        for name, value in (fixture.get("findings") or {}).items():
            if name in leaf:
                leaf[name] = value
        sought = fixture["sought"]
        node, presumed, outcome = answer(profile, facts, sought, leaf)
        result = {
            "id": fixture.get("id"),
            "derived": {x: node[x] for x in SHOWN},
            "presumed": presumed,
            "outcome": outcome,
            "open": turning(profile, facts, sought, leaf, presumed, most),
        }
        print(json.dumps(result, separators=(",", ":"), ensure_ascii=False))


if __name__ == "__main__":
    main()
