"""What is on its way out, and what is still to do for it, at each stage of the way."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobarium_events.evolution.evidence import UNSEEN
from jobarium_events.evolution.lifecycle import WINDOW
from jobarium_events.evolution.releasing import release
from jobarium_events.exports.choosing import standing
from jobarium_events.site.deprecations import deprecations_of
from jobarium_events.site.shown import read_shown
from tests import folders
from tests.cli.conftest import run  # noqa: F401 - a fixture
from tests.site.catalogs import SHIPPED, counters, shop
from tests.site.conftest import V1, site_of

KEY = 'key = "k:{id}"\n'
RELEASES = 'releases = ["1", "2", "3"]\nplanned = ["4", "5", "6"]'


def thing(folder, first, *, second='introduced = "1"', releases=RELEASES):
    """A catalog of one event in two versions; the lines of the first one's table are given."""
    schema = folders.schema({"id": folders.TEXT})
    manifest = folders.table("thing.made", {"v1": KEY + first, "v2": KEY + second}, releases=releases)
    schemas = dict.fromkeys(("thing.made/v1.json", "thing.made/v2.json"), schema)
    return folders.write(folder, manifest, schemas)


def leaving(folder, **given):
    (found,) = deprecations_of(read_shown(folder, **given)).leaving
    return found


def test_the_page_says_since_when_until_when_and_who(shop_site):
    text = shop_site["deprecations.html"].text
    assert f"still read for at least {WINDOW} releases" in text
    assert "Deprecated since 2026.2 Move to order.placed v2 May be retired in 2026.4 at the earliest" in text
    assert "Is to be retired in 2026.4 Decision DEC-0001 Orders say where they were placed" in text
    assert "shop-service sends and reads it billing-service reads it" in text
    assert "build this site with --evidence FILE" in text


def test_counters_say_who_has_moved(counted_site):
    page = counted_site["deprecations.html"]
    text = page.text
    assert f"up to 2026-11-20: v1 has to be unseen for {UNSEEN.days} days" in text
    assert "billing-service reads it yes Unseen from 2026-10-21 08:00 UTC to 2026-11-20 08:00 UTC." in text
    assert (
        "shop-service sends and reads it not shown shop-service has emitted it 0 times and got it 4,711 times" in text
    )
    assert "the last time at 2026-11-17 08:00 UTC" in text
    assert "last seen 2026-11-17 08:00 UTC" in counted_site["events/order.placed.html"].text  # in the same form
    assert "--evidence FILE" not in text


def test_evidence_is_taken_right_before_the_release(shop_folder, tmp_path):
    found = leaving(shop_folder)
    assert found.next == (
        "First, every service has to move. The evidence is taken right before release 2026.4, once 2026.3 is released."
    )
    assert found.command == ""
    assert "jobarium-events release" not in site_of(shop_folder)["deprecations.html"].text
    files = [counters(tmp_path / f"{each}.json", each, {V1: 20}) for each in ("shop-service", "billing-service")]
    found = leaving(shop_folder, evidence=files)
    assert found.next == (
        "Every service has moved. The evidence is taken right before release 2026.4; 2026.3 comes first."
    )
    assert found.command == f"jobarium-events release 2026.3 {shop_folder.name}"
    counters(files[0], "shop-service", {V1: 3})
    found = leaving(shop_folder, evidence=files)
    assert found.next.startswith("First, it has to be shown that shop-service has moved. The evidence")
    assert found.command == ""


@pytest.fixture(scope="module")
def due(tmp_path_factory):
    """The shop before the release that retires a version of it."""
    folder = shop(tmp_path_factory.mktemp("due"), drafts=False)
    release(folder, "2026.3")
    return folder


def test_the_command_names_the_files_that_there_are_and_those_that_are_missing(due, tmp_path):
    given = counters(tmp_path / "shop of ours.json", "shop-service", {V1: None})
    found = leaving(due, evidence=[given])
    assert [each.problem == "" for each in found.services] == [True, False]
    assert found.services[1].problem.startswith("billing-service has no counters of it")
    assert shlex.split(found.command) == [
        *("jobarium-events", "retire", "order.placed", "v1", "--in", "2026.4", due.name),
        *("--evidence", "shop of ours.json", "--evidence", "FILE"),
    ]
    assert found.next.startswith("First, it has to be shown that billing-service has moved. Once nobody")
    assert found.next.endswith(" FILE stands for the counters of billing-service.")
    others = leaving(due)
    assert others.next.startswith("First, every service has to move.")
    assert others.command.endswith(" --evidence FILE --evidence FILE")
    assert others.next.endswith(" Each FILE stands for the counters of shop-service or billing-service.")


def test_without_a_lock_the_current_release_comes_first(due, tmp_path, run):  # noqa: F811
    """There is nothing yet that could keep the evidence, so a command that takes it would be refused."""
    folder = tmp_path / "schemas"
    shutil.copytree(due, folder)
    (folder / "catalog.lock").unlink()
    found = leaving(folder)
    assert found.next == (
        "There is no catalog.lock yet, which keeps the evidence. Release 2026.3, the current one, once more: "
        "that writes it."
    )
    assert found.command == "jobarium-events release 2026.3"
    assert run("release", "2026.3", str(folder)).code == 0
    assert leaving(folder).command.startswith("jobarium-events retire order.placed v1 --in 2026.4")


def test_when_all_have_moved_the_evidence_is_to_be_taken(due, tmp_path):
    files = [counters(tmp_path / f"{each}.json", each, {V1: 20}) for each in ("shop-service", "billing-service")]
    found = leaving(due, evidence=files)
    assert found.next.startswith("Every service has moved. Once")
    assert str(tmp_path) not in found.command


def test_a_service_that_nobody_knew_to_read_it_counts(due, tmp_path):
    files = [counters(tmp_path / f"{each}.json", each, {V1: 20}) for each in ("shop-service", "billing-service")]
    files.append(counters(tmp_path / "x.json", "stranger", {V1: 1}))
    found = leaving(due, evidence=files)
    assert found.services[-1].service == "stranger"
    assert found.services[-1].problem
    assert found.next == (
        "First, it has to be shown that stranger has moved. Once nobody sees v1 any more, take the evidence."
    )
    assert found.command == ""  # it would be refused
    # One that counts another version only, or that has never seen it, has nothing to do with it.
    for seen in ({("order.placed", "v2"): 1}, {V1: None}):
        files[-1] = counters(tmp_path / "x.json", "stranger", seen)
        found = leaving(due, evidence=files)
        assert [each.service for each in found.services] == ["shop-service", "billing-service"]
        assert found.next.startswith("Every service has moved.")
        assert "x.json" not in found.command


@pytest.mark.parametrize("given", ["schemas", "the catalogs/of ours"])
def test_the_commands_on_the_page_do_what_they_say(given, tmp_path, monkeypatch, run):  # noqa: F811
    """Each is run as it is shown, from the evidence to the retirement."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "our counters").mkdir()
    folder = Path(given)
    shop(folder, drafts=False)
    files = [Path("our counters") / f"{service}.json" for service in ("shop-service", "billing-service")]
    for file in files:
        counters(file, file.stem, {V1: 20}, until=datetime.now(UTC))
    for _ in range(2):  # the release before, and the evidence
        assert run(*shlex.split(leaving(folder, evidence=files).command)[1:]).code == 0
    today = datetime.now(UTC).date()
    text = site_of(folder)["deprecations.html"].text
    assert f"On {today} it was shown that it may be retired: billing-service and shop-service have not seen it." in text
    assert leaving(folder).next == "Nothing but to wait: release 2026.4 retires it."
    assert run(*shlex.split(leaving(folder).command)[1:]).code == 0
    text = site_of(folder)["deprecations.html"].text
    assert f"order.placed v1, retired in 2026.4; on {today} nobody had seen it any more: billing-service" in text


@pytest.mark.parametrize(
    ("first", "earliest", "next_", "command"),
    [
        ('introduced = "1"\ndeprecated = "2"', "4", "Bind its retirement", "retire thing.made v1 --in 4"),
        ('introduced = "1"\ndeprecated = "4"', "6", "Bind its retirement", "retire thing.made v1 --in 6"),
        ('introduced = "1"\ndeprecated = "5"', None, f"Plan a release at least {WINDOW} releases after 5", ""),
        (
            'introduced = "1"\ndeprecated = "2"\nretired = "4"',
            "4",
            "There is no catalog.lock yet",
            "release 3",
        ),
    ],
)
def test_what_is_next(first, earliest, next_, command, tmp_path):
    found = leaving(thing(tmp_path, first))
    assert found.earliest == earliest
    assert found.next.startswith(next_)
    assert found.command.startswith(command and f"jobarium-events {command}")
    assert bool(found.command) == bool(command)
    page = site_of(tmp_path)["deprecations.html"]
    assert found.next in page.text
    assert found.command in page.text
    assert ("that release is not planned yet" in page.text) == (earliest is None)


def test_a_release_that_is_past_binds_the_next_one(tmp_path):
    folder = thing(
        tmp_path, 'introduced = "1"\ndeprecated = "2"', releases='releases = ["1", "2", "3", "4"]\nplanned = ["5"]'
    )
    assert leaving(folder).command == f"jobarium-events retire thing.made v1 --in 5 {folder.name}"
    folder = thing(tmp_path, 'introduced = "1"\ndeprecated = "2"', releases='releases = ["1", "2", "3", "4"]')
    assert leaving(folder).next == "Plan another release, and bind its retirement to that."


def test_an_older_version_whose_end_nobody_has_planned(tmp_path):
    folder = thing(tmp_path, 'introduced = "1"', second='introduced = "2"')
    deprecations = deprecations_of(read_shown(folder))
    assert not deprecations.leaving
    (found,) = deprecations.overdue
    assert (found.contract.version, found.successor.version) == ("v1", "v2")
    assert found.command == f"jobarium-events deprecate thing.made v1 --in 4 {folder.name}"
    assert "Still to be planned" in site_of(folder)["deprecations.html"].text
    folder = thing(tmp_path, 'introduced = "1"', second='introduced = "2"', releases='releases = ["1", "2"]')
    (found,) = deprecations_of(read_shown(folder)).overdue
    assert (found.next, found.command) == ("Plan a release, and bind its deprecation to that.", "")
    assert found.next in site_of(folder)["deprecations.html"].text


def test_what_to_move_to_is_active(tmp_path):
    three = {"v1": 'introduced = "1"\ndeprecated = "2"', "v2": 'introduced = "2"', "v3": 'introduced = "5"'}
    schema = folders.schema({"id": folders.TEXT})
    tables = {version: KEY + lines for version, lines in three.items()}
    manifest = folders.table("thing.made", tables, releases=RELEASES)
    folder = folders.write(tmp_path, manifest, {f"thing.made/{each}.json": schema for each in three})
    assert leaving(folder).successor.version == "v2"
    assert "New code sends and reads v2." in site_of(folder)["events/thing.made.html"].text
    catalog = read_shown(folder).catalog
    contracts = catalog.versions("thing.made")
    assert "Move to v2." in standing(contracts[0], contracts)  # the exports say the same


def test_nobody_is_sent_back_to_an_older_version(tmp_path):
    folder = thing(tmp_path, 'introduced = "1"', second='introduced = "1"\ndeprecated = "2"')
    assert leaving(folder).successor is None
    contracts = read_shown(folder).catalog.versions("thing.made")
    assert "Move to" not in standing(contracts[1], contracts)


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ('introduced = "5"', "Move to nothing yet: v2 is to be active in 5 "),
        ("", "Move to nothing yet: v2 is a draft "),
        ('introduced = "1"\ndeprecated = "2"\nretired = "3"', "Move to nothing: no newer version is active "),
    ],
)
def test_where_there_is_nothing_to_move_to(second, said, tmp_path):
    site = site_of(thing(tmp_path, 'introduced = "1"\ndeprecated = "2"', second=second))
    assert said in site["deprecations.html"].text
    assert "New code sends" not in site["events/thing.made.html"].text


def test_fields_that_go(shop_site):
    text = shop_site["deprecations.html"].text
    assert "note order.placed v1 2026.1 in 2026.3 Have its consumers stop reading it." in text
    assert "note order.placed v2 2026.2 in 2026.4 Have its consumers stop reading it." in text


def test_a_field_may_go_once_its_time_is_over(tmp_path):
    manifest = folders.table(
        "thing.made", {"v1": KEY + 'introduced = "1"'}, releases='releases = []\nplanned = ["1", "2", "3"]'
    )
    schema = folders.schema({"id": folders.TEXT}, size={"type": "integer", "deprecated": True})
    folder = folders.write(tmp_path, manifest, {"thing.made/v1.json": schema})
    before = deprecations_of(read_shown(folder)).fields
    assert [(each.since, each.earliest, each.to_do) for each in before] == [
        ("not released", "at any time", "Take it out: nothing of v1 is released yet.")
    ]
    for name in ("1", "2", "3"):
        release(folder, name)
    (after,) = deprecations_of(read_shown(folder)).fields
    assert (after.since, after.earliest) == ("1", "in 3")
    assert after.to_do == "Take it out of the schema, once no consumer reads it."


def test_a_required_field_takes_a_new_version(tmp_path):
    schema = folders.schema({"id": folders.TEXT, "old": {**folders.TEXT, "deprecated": True}})
    folder = thing(tmp_path, 'introduced = "1"')
    folders.write(folder, (folder / "catalog.toml").read_text(), {"thing.made/v1.json": schema})
    (found,) = deprecations_of(read_shown(folder)).fields
    assert found.earliest == "with v1"
    assert found.to_do == "It goes with v1: v2 does without it."
    assert found.command == ""
    folders.write(folder, (folder / "catalog.toml").read_text(), {"thing.made/v2.json": schema})
    for found in deprecations_of(read_shown(folder)).fields:
        assert found.earliest == f"with {found.contract.version}"
        assert found.to_do == "It is required, so only a new version can do without it."
        assert found.command == f"jobarium-events new-version thing.made {folder.name}"


def test_a_field_that_is_marked_since_the_last_release(tmp_path):
    folder = shop(tmp_path)
    marked = {**SHIPPED, "properties": {**SHIPPED["properties"], "old": {**folders.TEXT, "deprecated": True}}}
    (folder / "order.shipped/v1.json").write_text(json.dumps(marked))
    found = deprecations_of(read_shown(folder)).fields[-1]
    assert (found.since, found.earliest) == ("the next release", f"{WINDOW} releases after that")
    assert found.to_do == "Release the schema that marks it."


def test_what_is_retired_is_listed(tmp_path):
    site = site_of(thing(tmp_path, 'introduced = "1"\ndeprecated = "2"\nretired = "3"'))
    assert re.search(r"Retired thing.made v1, retired in 3\.", site["deprecations.html"].text)
