"""The folder that is built: whole, the same each time, and nobody else's."""

from __future__ import annotations

import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
from urllib.parse import unquote

import pytest

from jobarium_events import Catalog
from jobarium_events.catalog.bundled import SCHEMAS
from jobarium_events.folders import FolderRefused
from jobarium_events.site import build_site
from jobarium_events.site.building import site_files
from jobarium_events.site.pictures.flow import MANY
from jobarium_events.site.shown import read_shown
from tests import folders
from tests.site.conftest import Site, site_of

SITES = ["bundled", "shop_site", "counted_site"]
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@pytest.fixture(params=SITES)
def site(request):
    return request.getfixturevalue(request.param)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_every_event_and_every_decision_has_its_page(bundled):
    catalog = Catalog.bundled()
    assert {f"events/{event}.html" for event in catalog.events} <= bundled.pages.keys()
    others = {path for path in bundled.pages if not path.startswith("events/")}
    assert others == {
        "index.html",
        "flow.html",
        "timeline.html",
        "services.html",
        "decisions.html",
        "decisions/DEC-0001.html",
        "deprecations.html",
    }


def test_all_that_a_page_leads_to_is_there(site):
    seen = 0
    for path, page in site.pages.items():
        for target in page.targets():
            if SCHEME.match(target):
                continue  # what a decision refers to; see the next test
            place, _, anchor = target.partition("#")
            to = posixpath.normpath(posixpath.join(posixpath.dirname(path), place)) if place else path
            assert to in site.files, (path, target)
            assert not anchor or unquote(anchor) in site.pages[to].ids, (path, target)
            seen += 1
    assert seen > 100


def test_a_page_loads_nothing_from_elsewhere(site):
    for path, page in site.pages.items():
        for element in page.all("script", "link", "img", "iframe", "object", "embed", "image", "use"):
            loaded = element.attributes.get("src") or element.attributes.get("href")
            assert loaded, (path, element)
            assert not SCHEME.match(loaded), (path, element)
            assert not loaded.startswith("//")
    for path, content in site.files.items():
        if path.endswith((".css", ".js", ".svg")):
            text = content.replace(b"http://www.w3.org/2000/svg", b"")
            assert b"//" not in re.sub(rb"(?m)^\s*//.*$|\s//\s.*$", b"", text), path
            assert b"@import" not in text


def test_every_page_keeps_the_policy_and_the_outline(site):
    titles = {}
    for path, page in site.pages.items():
        policy = page.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page.one("html").attributes["lang"] == "en"
        assert len(page.all("h1")) == 1
        assert len(page.all("main")) == 1
        assert page.all("a", class_="skip")[0].attributes["href"].removeprefix("#") in page.ids
        assert not [each for each in page.elements if "style" in each.attributes or each.tag == "style"], path
        assert not [name for each in page.elements for name in each.attributes if name.startswith("on")], path
        assert not [each for each in page.all("script") if each.text or "src" not in each.attributes], path
        repeated = {each for each in page.ids if page.ids.count(each) > 1}
        assert not repeated, (path, repeated)
        assert "" not in page.ids
        titles[path] = page.all("title")[0].text
    assert len(set(titles.values())) == len(titles)


def test_headings_leave_no_level_out(site):
    for path, page in site.pages.items():
        before = 0
        for heading in page.all("h1", "h2", "h3", "h4", "h5", "h6"):
            level = int(heading.tag[1])
            assert level <= before + 1, (path, heading.text)
            before = level


def test_tables_have_captions_and_heads(site):
    for path, page in site.pages.items():
        if "decisions/" in path:
            continue  # a table in Markdown has no caption
        named = [each for each in page.all("table") if each.attributes.keys() & {"aria-label", "aria-labelledby"}]
        assert len(page.all("table")) == len(page.all("caption")) + len(named), path
        for head in page.all("th"):
            assert head.attributes.get("scope") in ("col", "row"), (path, head.text)


def test_every_page_says_where_it_stands(site):
    for path, page in site.pages.items():
        current = [each for each in page.all("a") if "aria-current" in each.attributes]
        assert len(current) == 1, path
        is_it = posixpath.normpath(posixpath.join(posixpath.dirname(path), current[0].attributes["href"])) == path
        assert current[0].attributes["aria-current"] == ("page" if is_it else "true")


def test_the_same_input_gives_the_same_bytes(shop_folder, tmp_path):
    one = build_site(shop_folder, tmp_path / "one")
    copied = shutil.copytree(shop_folder, tmp_path / "elsewhere" / shop_folder.name)
    two = build_site(copied, tmp_path / "two")
    assert contents(one.folder) == contents(two.folder)
    assert one.pages == sum(path.endswith(".html") for path in one.written)
    # Another process hashes otherwise.
    code = "import sys; from pathlib import Path; from jobarium_events.site import build_site; "
    code += "build_site(None, Path(sys.argv[1]))"
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-c", code, str(tmp_path / seed)], env=environment, check=True)
    assert contents(tmp_path / "1") == contents(tmp_path / "2") == contents(build_site(None, tmp_path / "3").folder)


def test_a_second_build_writes_what_has_changed_and_removes_what_is_gone(tmp_path):
    manifest = folders.table("thing.made", {"v1": 'key = "k:{id}"\nintroduced = "1"'})
    second = folders.table("other.made", {"v1": 'key = "k:{id}"\nintroduced = "1"'}, releases="")
    schemas = {"thing.made/v1.json": folders.schema({"id": folders.TEXT})}
    schemas["other.made/v1.json"] = schemas["thing.made/v1.json"]
    folder = folders.write(tmp_path / "schemas", manifest + second, schemas)
    site = tmp_path / "site"
    assert "events/other.made.html" in build_site(folder, site).written
    assert build_site(folder, site).written == ()
    shutil.rmtree(folder / "other.made")
    folders.write(folder, manifest, {})
    (site / "CNAME").write_text("somebody's own")
    done = build_site(folder, site)
    assert done.removed == ("events/other.made.html",)
    assert "index.html" in done.written
    assert "style.css" not in done.written
    assert (site / "CNAME").read_text() == "somebody's own"
    assert "events/other.made.html" not in json.loads((site / "site.json").read_bytes())["files"]


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("my own")
    with pytest.raises(FolderRefused, match="holds other files"):
        build_site(None, tmp_path)
    assert contents(tmp_path) == {"thesis.txt": b"my own"}


@pytest.mark.parametrize("inner", ["", "site", "deep/site"])
def test_the_catalogs_own_folder_is_refused(inner, tmp_path):
    folders.write(tmp_path, 'releases = ["1"]', {})
    with pytest.raises(FolderRefused, match="lies within the catalog"):
        build_site(tmp_path, tmp_path / inner)
    assert contents(tmp_path) == {"catalog.toml": b'releases = ["1"]'}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (None, "Event catalog"),
        (" \n", "Event catalog"),
        ("Our\nevents", "Our events"),
        ('<b>&amp;"</b>', '<b>&amp;"</b>'),
    ],
)
def test_the_title_stands_on_every_page(shop_folder, shop_site, tmp_path, given, shown):
    built = build_site(shop_folder, tmp_path / "site", title=given)
    site = Site({path: (built.folder / path).read_bytes() for path in built.written})
    assert site.pages.keys() == shop_site.pages.keys()
    for path, page in site.pages.items():
        assert page.all("title")[0].text.endswith(f" – {shown}"), path  # noqa: RUF001 - as it is written
        assert page.one("a", class_="brand").text == shown, path


def test_the_bundled_catalog_has_a_title_of_its_own(bundled):
    assert {page.one("a", class_="brand").text for page in bundled.pages.values()} == {"Jobarium events"}


def test_a_catalog_without_events_has_a_site(tmp_path):
    site = site_of(folders.write(tmp_path, 'releases = []\nplanned = ["1"]', {}))
    assert "no event yet" in site["index.html"].text
    assert "Nothing is released yet" in site["index.html"].text
    assert "no events" in site["flow.html"].text
    assert "No version is deprecated" in site["deprecations.html"].text
    assert "Nothing was decided yet" in site["decisions.html"].text


def test_the_bundled_catalog_as_a_folder_differs_in_its_snippets_only(bundled):
    other = site_files(read_shown(SCHEMAS, title="Jobarium events"))
    different = {path for path, content in other.items() if content != bundled.files[path]}
    assert different == {path for path in other if path.startswith("events/")}


def test_a_site_needs_its_extra(tmp_path):
    for package in ("jinja2", "markdown_it"):
        code = f"import sys; sys.modules[{package!r}] = None\nimport jobarium_events.site"
        environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert f"{package} is missing: pip install 'jobarium-events[site]'" in done.stderr


def test_the_flow_of_many_events_is_a_picture_for_each_service(tmp_path):
    manifest, schemas = [folders.RELEASES], {}
    for number in range(MANY + 1):
        name = f"thing{number}.made"
        owner = ("maker", "main")[number % 2]
        manifest.append(folders.table(name, {"v1": 'key = "k:{id}"\nintroduced = "1"'}, owner=owner, releases=""))
        schemas[f"{name}/v1.json"] = folders.schema({"id": folders.TEXT})
    page = site_of(folders.write(tmp_path, "\n".join(manifest), schemas))["flow.html"]
    assert [each.text for each in page.all("h2")] == ["main", "maker"]
    assert len(page.all("svg")) == 2


SQL = """-- /// migration
-- id = "0001_order_weight"
-- owner = "shop-service"
-- category = "expand"
-- release = "2026.2"
-- estimated_runtime = "5s"
-- rollback_plan = "db rollback"
-- risk = "low"
-- alerts = ["errors"]
-- ///

-- name: up
alter table orders add column weight double precision;

-- name: down
alter table orders drop column weight;

-- name: verify
-- returns: 0
select count(*) from orders where weight < 0;
"""


def test_migrations_have_their_pages_where_they_are_given(shop_folder, shop_site, tmp_path):
    (tmp_path / "migrations.toml").write_text('releases = ["2026.1", "2026.2"]\n[environments.production]\n')
    (tmp_path / "0001_order_weight.sql").write_text(SQL)
    site = site_of(shop_folder, migrations=tmp_path)
    assert site.pages.keys() - shop_site.pages.keys() == {"migrations.html", "migrations/0001_order_weight.html"}
    for page in site.pages.values():
        assert "Migrations" in [each.text for each in page.all("a") if "nav" in each.around]
    assert "alter table orders add column weight" in site["migrations/0001_order_weight.html"].text
    (current,) = [
        each for each in site["migrations/0001_order_weight.html"].all("a") if "aria-current" in each.attributes
    ]
    assert current.text == "Migrations"
