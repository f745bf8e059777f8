"""The decision log: what is read, and every mistake that can be made in it."""

import datetime

import pytest

from jobarium_events.catalog import SCHEMAS
from jobarium_events.evolution.decision import SECTIONS, Status
from jobarium_events.evolution.decisions import read_decisions
from jobarium_events.evolution.findings import Severity
from jobarium_events.evolution.lock import Lock, LockedDecision, read_lock
from tests.evolution.logs import TODAY, V2, decision, log, rules


def read(folder, lock=None, today=TODAY):
    return read_decisions(folder, lock=lock, today=today)


def found(tmp_path, text, **others):
    return read(log(tmp_path, DEC_0001=text, **others))


def test_the_log_of_the_bundled_catalog_is_right():
    decisions, findings = read_decisions(SCHEMAS, lock=read_lock(SCHEMAS), today=TODAY)
    assert list(decisions) == ["DEC-0001"]
    assert findings == []


def test_a_decision_is_read(tmp_path):
    decisions, findings = found(tmp_path, decision())
    assert findings == []
    read = decisions["DEC-0001"]
    assert (read.title, read.status, read.owner) == ("thing.made v2 counts", Status.ACCEPTED, "maker")
    assert (read.date, read.review) == (datetime.date(2026, 9, 1), datetime.date(2027, 3, 1))
    assert read.timeline[0].retired == "6"
    assert read.sections["Why"] == "It is so."


def test_a_folder_without_a_log_has_no_decisions(tmp_path):
    assert read(tmp_path) == ({}, [])


def test_a_readme_and_other_files_are_no_decisions(tmp_path):
    folder = log(tmp_path, DEC_0001=decision(), README="About the log.")
    (folder / "decisions" / "picture.png").write_bytes(b"")
    assert read(folder)[1] == []


@pytest.mark.parametrize("status", Status)
def test_only_an_accepted_decision_allows_what_it_names(tmp_path, status):
    tables = V2.replace("breaking =", 'meanings = ["/properties/id"]\nretirement = true\nowner = "heir"\nbreaking =')
    by = '"DEC-0002"' if status is Status.SUPERSEDED else None
    text = decision({"status": f'"{status}"', "superseded_by": by}, tables)
    other = decision({"id": '"DEC-0002"'}, "")
    read = found(tmp_path, text, DEC_0002=other)[0]["DEC-0001"]
    accepted = status is Status.ACCEPTED
    assert read.allows("thing.made", "v2", "/required/count", "breaking") is accepted
    assert read.allows("thing.made", "v2", "/properties/id", "meanings") is accepted
    assert read.waives_evidence("thing.made", "v2") is accepted
    assert read.new_owner("thing.made") == ("heir" if accepted else None)
    assert (read.timeline_of("thing.made", "v1") is not None) is accepted
    assert read.introduces("thing.made", "v2")


def test_it_allows_nothing_else(tmp_path):
    read = found(tmp_path, decision())[0]["DEC-0001"]
    assert not read.allows("thing.made", "v1", "/required/count", "breaking")
    assert not read.allows("thing.lost", "v2", "/required/count", "breaking")
    assert not read.allows("thing.made", "v2", "/required/id", "breaking")
    assert not read.allows("thing.made", "v2", "/required/count", "meanings")
    assert not read.waives_evidence("thing.made", "v2")
    assert read.new_owner("thing.made") is None
    assert read.timeline_of("thing.made", "v2") is None
    assert not read.introduces("thing.made", "v1")


@pytest.mark.parametrize(
    ("changes", "rule", "place"),
    [
        *(({key: None}, "decision-key-missing", key) for key in ("id", "title", "date", "status", "owner", "review")),
        ({"status": '"done"'}, "decision-status-unknown", "status"),
        ({"date": '"September"'}, "decision-key-wrong", "date"),
        ({"review": "2027"}, "decision-key-wrong", "review"),
        ({"title": '""'}, "decision-key-wrong", "title"),
        ({"owner": "7"}, "decision-key-wrong", "owner"),
        ({"id": '"DEC-1"'}, "decision-key-wrong", "id"),
        ({"id": '"DEC-0002"'}, "decision-misnamed", "id"),
        ({"reviewer": '"me"'}, "decision-key-unknown", "reviewer"),
        ({"superseded_by": "2"}, "decision-key-wrong", "superseded_by"),
        ({"allows": '"all"'}, "decision-key-wrong", "allows"),
    ],
)
def test_a_mistake_in_the_front_matter_has_its_place_and_the_decision_does_not_count(tmp_path, changes, rule, place):
    decisions, findings = found(tmp_path, decision(changes, "" if "allows" in changes else V2))
    assert [(each.rule, each.pointer, each.file) for each in findings] == [(rule, place, "decisions/DEC-0001.md")]
    assert decisions == {}


@pytest.mark.parametrize(
    ("tables", "place"),
    [
        (V2.replace('version = "v2"', "version = 2"), "allows[0]"),
        (V2.replace("breaking", "breaks"), "allows[0]"),
        (V2.replace("breaking =", "owner = true\nbreaking ="), "allows[0]"),
        (V2.replace('retired = "6"', ""), "timeline[0]"),
    ],
)
def test_a_mistake_in_a_table_has_its_place(tmp_path, tables, place):
    _, findings = found(tmp_path, decision(tables=tables))
    assert [(each.rule, each.pointer) for each in findings] == [("decision-key-wrong", place)]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"owner": "7"}, "has an owner that is not the service or the person who answers for it"),
        ({"id": "7"}, 'has an id that is not a text, as in "DEC-0001"'),
        ({"title": "7"}, "has a title that is not a text in one line"),
        ({"allows": '"all"'}, "has an allows that is no list of tables; write [[allows]]"),
    ],
)
def test_a_mistake_is_told_in_good_english(tmp_path, changes, told):
    _, (finding,) = found(tmp_path, decision(changes, "" if "allows" in changes else V2))
    assert finding.text == told


def test_every_mistake_is_found_at_once(tmp_path):
    _, findings = found(tmp_path, decision({"title": None, "status": '"done"'}, sections={"Why": None}))
    assert rules(findings) == ["decision-key-missing", "decision-status-unknown", "section-missing"]


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"Text.", "front matter"), (b"\xff", "is not UTF-8, at byte 0"), (b"+++\na =\n+++\n", "TOML")],
)
def test_what_cannot_be_read_is_a_finding(tmp_path, content, told):
    folder = log(tmp_path)
    (folder / "decisions" / "DEC-0001.md").write_bytes(content)
    decisions, findings = read(folder)
    assert decisions == {}
    assert rules(findings) == ["decision-unreadable"]
    assert told in findings[0].text


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize(("status", "severity"), [("accepted", Severity.ERROR), ("proposed", Severity.WARNING)])
@pytest.mark.parametrize("text", [None, "<!-- later -->"])
def test_every_section_says_something_before_a_decision_is_accepted(tmp_path, section, text, status, severity):
    rule = "section-missing" if text is None else "section-empty"
    decisions, findings = found(tmp_path, decision({"status": f'"{status}"'}, sections={section: text}))
    assert [(each.rule, each.pointer, each.severity) for each in findings] == [(rule, f"## {section}", severity)]
    assert "DEC-0001" in decisions


def test_a_section_stands_there_once(tmp_path):
    _, findings = found(tmp_path, f"{decision()}\n## Why\n\nAgain.\n")
    assert rules(findings) == ["section-repeated"]


def test_two_decisions_have_two_ids(tmp_path):
    _, findings = found(tmp_path, decision(), DEC_0002=decision())
    assert rules(findings) == ["decision-misnamed", "decision-id-repeated"]
    assert findings[1].file == "decisions/DEC-0002.md"


def test_a_new_version_needs_a_migration_plan_and_a_timeline(tmp_path):
    tables = V2.partition("[[timeline]]")[0]
    _, findings = found(tmp_path, decision(tables=tables, sections={"Migration plan": None}))
    assert rules(findings) == ["migration-plan-missing", "timeline-missing"]


def test_what_changes_within_a_version_needs_neither(tmp_path):
    tables = '[[allows]]\nevent = "thing.made"\nversion = "v1"\nmeanings = ["/properties/count"]\n'
    _, findings = found(tmp_path, decision(tables=tables, sections={"Migration plan": None}))
    assert findings == []


@pytest.mark.parametrize(
    ("deprecated", "retired", "expected"),
    [
        ("4", "6", []),
        ("1", "7", []),
        ("4", "5", ["timeline-too-short"]),
        ("6", "4", ["timeline-too-short"]),
        ("nonsense", "6", ["timeline-release-unknown"]),
        ("nonsense", "never", ["timeline-release-unknown"] * 2),
    ],
)
@pytest.mark.parametrize("status", ["accepted", "proposed", "rejected"])
def test_a_timeline_names_releases_that_are_far_enough_apart(tmp_path, deprecated, retired, expected, status):
    tables = V2.replace('deprecated = "4"', f'deprecated = "{deprecated}"').replace('"6"', f'"{retired}"')
    _, findings = found(tmp_path, decision({"status": f'"{status}"'}, tables))
    severity = Severity.ERROR if status == "accepted" else Severity.WARNING
    assert [(each.rule, each.pointer, each.severity) for each in findings] == [
        (rule, "timeline[0]", severity) for rule in expected if status != "rejected"
    ]


def test_a_timeline_that_is_wrong_says_what_there_is(tmp_path):
    tables = V2.replace('"6"', '"never"')
    _, (finding,) = found(tmp_path, decision(tables=tables))
    assert finding.text == "DEC-0001 has thing.made v1 retired in never, which is not in the manifest"
    assert finding.advice.endswith("the releases to come are 4, 5, 6, 7")
    _, (finding,) = found(tmp_path, decision(tables=V2.replace('"6"', '"5"')))
    assert finding.text == "DEC-0001 has thing.made v1 deprecated in 4 and retired in 5"
    assert finding.advice == "have it retired 2 releases after it is deprecated, or later"


@pytest.mark.parametrize(
    ("changes", "others"),
    [
        ({"status": '"superseded"'}, {}),
        ({"superseded_by": '"DEC-0002"'}, {"DEC_0002": decision({"id": '"DEC-0002"'}, "")}),
        ({"status": '"superseded"', "superseded_by": '"DEC-0009"'}, {}),
        ({"status": '"superseded"', "superseded_by": '"DEC-0001"'}, {}),
    ],
    ids=["by nothing", "and accepted", "by one that there is not", "by itself"],
)
def test_a_superseded_decision_says_by_which(tmp_path, changes, others):
    _, findings = found(tmp_path, decision(changes), **others)
    assert rules(findings) == ["decision-superseded-wrongly"]


def test_decisions_do_not_supersede_each_other(tmp_path):
    one = decision({"status": '"superseded"', "superseded_by": '"DEC-0002"'})
    other = decision({"id": '"DEC-0002"', "status": '"superseded"', "superseded_by": '"DEC-0001"'})
    assert rules(found(tmp_path, one, DEC_0002=other)[1]) == ["decision-superseded-wrongly"] * 2


@pytest.mark.parametrize(
    ("status", "expected"), [("accepted", ["decision-names-unknown-contract"] * 2), ("proposed", []), ("rejected", [])]
)
def test_what_an_accepted_decision_names_is_there(tmp_path, status, expected):
    tables = V2.replace('"v2"', '"v7"').replace('version = "v1"', 'version = "v6"')
    _, findings = found(tmp_path, decision({"status": f'"{status}"'}, tables))
    assert rules(findings) == expected
    assert [each.pointer for each in findings] == ["allows[0]", "timeline[0]"][: len(expected)]


def test_a_review_that_has_passed_is_a_warning(tmp_path):
    folder = log(tmp_path, DEC_0001=decision({"review": "2026-10-05"}))
    assert read(folder, today=datetime.date(2026, 10, 5))[1] == []
    _, findings = read(folder, today=datetime.date(2026, 10, 6))
    assert [(each.rule, each.severity) for each in findings] == [("decision-review-passed", Severity.WARNING)]


def locked(status, digest):
    return Lock(
        releases=(), planned=(), contracts={}, frozen={}, decisions={"DEC-0001": LockedDecision(status, digest)}
    )


def test_a_decision_is_never_deleted(tmp_path):
    folder = log(tmp_path, DEC_0001=decision())
    (folder / "decisions" / "DEC-0001.md").unlink()
    _, findings = read(folder, locked("rejected", ""))
    assert [(each.rule, each.file) for each in findings] == [("decision-deleted", "decisions/DEC-0001.md")]


def test_one_with_a_mistake_is_not_taken_for_deleted(tmp_path):
    folder = log(tmp_path, DEC_0001=decision({"title": None}))
    assert rules(read(folder, locked("accepted", ""))[1]) == ["decision-key-missing"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [(decision().replace("date =", "date ?"), "decision-unreadable"), (decision({"id": None}), "decision-key-missing")],
)
def test_nor_is_one_that_cannot_be_read_or_has_no_id(tmp_path, text, rule):
    other = decision({"id": '"DEC-0002"', "status": '"superseded"', "superseded_by": '"DEC-0001"'}, "")
    folder = log(tmp_path, DEC_0001=text, DEC_0002=other)
    assert rules(read(folder, locked("accepted", ""))[1]) == [rule]


@pytest.mark.parametrize("before", ["accepted", "superseded", "rejected"])
@pytest.mark.parametrize("now", ["proposed", "accepted", "superseded", "rejected"])
def test_a_status_only_goes_from_accepted_to_superseded(tmp_path, before, now):
    by = '"DEC-0002"' if now == "superseded" else None
    other = decision({"id": '"DEC-0002"'}, "")
    folder = log(tmp_path, DEC_0001=decision({"status": f'"{now}"', "superseded_by": by}), DEC_0002=other)
    digest = read(folder)[0]["DEC-0001"].digest
    may = now == before or (before, now) == ("accepted", "superseded")
    assert rules(read(folder, locked(before, digest))[1]) == ([] if may else ["decision-reversed"])


BY = {"status": '"superseded"', "superseded_by": '"DEC-0002"'}


def since(tmp_path, before, text, status="accepted"):
    """What is found of a decision that was released in another form."""
    digest = read(log(tmp_path, DEC_0001=before))[0]["DEC-0001"].digest
    return read(log(tmp_path, DEC_0001=text, DEC_0002=decision({"id": '"DEC-0002"'}, "")), locked(status, digest))[1]


CHANGED = [
    *(({}, V2, {section: "In better words."}) for section in (*SECTIONS, "Migration plan")),
    ({}, V2, {"Notes": "And this."}),
    ({}, V2, {"Why": "It is\n\nso."}),
    ({"title": '"another"'}, V2, {}),
    ({"owner": '"taker"'}, V2, {}),
    ({"date": "2026-09-02"}, V2, {}),
    ({}, V2.replace('["/required/count"]', '["/required/count", "/x"]'), {}),
    ({}, V2.replace("breaking =", 'owner = "heir"\nbreaking ='), {}),
    ({}, V2.replace('"6"', '"7"'), {}),
]


@pytest.mark.parametrize(("front", "tables", "sections"), CHANGED)
@pytest.mark.parametrize("now", [{}, BY], ids=["accepted", "superseded"])
def test_what_was_decided_is_not_rewritten_later(tmp_path, front, tables, sections, now):
    (finding,) = since(tmp_path, decision(), decision({**front, **now}, tables, sections))
    assert (finding.rule, finding.file, finding.severity) == (
        "decision-changed",
        "decisions/DEC-0001.md",
        Severity.ERROR,
    )
    assert finding.text == (
        "DEC-0001 does not say what it said at the last release; only its status, superseded_by and review may change"
    )
    assert finding.advice.startswith("restore the text; what is decided otherwise is another decision")


@pytest.mark.parametrize("status", ["rejected", "superseded"])
def test_nor_is_what_is_rejected_or_superseded(tmp_path, status):
    front = {"status": f'"{status}"', "superseded_by": BY["superseded_by"] if status == "superseded" else None}
    before, after = decision(front), decision(front, sections={"Why": "In better words."})
    assert since(tmp_path, before, before, status) == []
    assert rules(since(tmp_path, before, after, status)) == ["decision-changed"]


def long(**front):
    return decision(front, sections={"Why": "It is so.\nQuite so."})


@pytest.mark.parametrize(
    "text",
    [
        long(review="2028-03-01"),
        long(**BY),
        long().replace("so.\nQuite", "so. \t\nQuite"),
        long().replace("\n", "\r\n"),
        long().rstrip("\n"),
        f"{long()}\n\n",
        long().replace("## Why", "\n\n## Why"),
        long().replace("## Why", "<!-- What made the difference? -->\n\n## Why"),
        long().replace('status = "accepted"', 'status = "accepted"  # since September'),
    ],
    ids="review superseded line-ends windows no-last-line more-lines blank-lines comment comment-in-front".split(),
)
def test_what_may_still_change_of_a_decision(tmp_path, text):
    assert since(tmp_path, long(), text) == []


def test_a_decision_of_which_the_lock_has_another_digest_is_a_finding(tmp_path):
    folder = log(tmp_path, DEC_0001=decision())
    assert rules(read(folder, locked("accepted", "6689be070102b6c7102c8e2d8d3d60d4"))[1]) == ["decision-changed"]


COLUMNS = '[[columns]]\ntable = "job"\nmeanings = ["status", "pay"]\n'


@pytest.mark.parametrize("status", Status)
def test_only_an_accepted_decision_allows_what_a_column_means(tmp_path, status):
    by = '"DEC-0002"' if status is Status.SUPERSEDED else None
    text = decision({"status": f'"{status}"', "superseded_by": by}, COLUMNS)
    read = found(tmp_path, text, DEC_0002=decision({"id": '"DEC-0002"'}, ""))[0]["DEC-0001"]
    accepted = status is Status.ACCEPTED
    assert read.allows_column("job", "status") is accepted
    assert read.allows_column("job", "pay") is accepted
    assert not read.allows_column("job", "title")
    assert not read.allows_column("task", "status")


def test_a_decision_without_columns_keeps_the_digest_that_it_had(tmp_path):
    digests = [
        found(tmp_path / name, decision({}, tables))[0]["DEC-0001"].digest
        for name, tables in (("plain", V2), ("columns", V2 + COLUMNS))
    ]
    assert digests[0] == "4ed419927579e133827b3d40096fdd37"  # as locks of earlier versions have it
    assert digests[1] != digests[0]
