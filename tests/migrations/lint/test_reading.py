"""What Alembic and Django print is read as they print it: with their transactions, and without their own tables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from jobarium_events.migrations.lint.linting import lint_files
from jobarium_events.migrations.lint.reading import Tool, is_migration, read_source

REVISION = """
from alembic import op
import sqlalchemy as sa

revision = "{revision}"
down_revision = {before}
branch_labels = depends_on = None


def upgrade():
    {upgrade}


def downgrade():
    pass
"""
ENVIRONMENT = """
from alembic import context

context.configure(url="postgresql://nobody@127.0.0.1:1/none", literal_binds=True, transaction_per_migration={apart})
with context.begin_transaction():
    context.run_migrations()
"""
CREATE = 'op.create_table("job", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("title", sa.Text))'
INDEX = 'op.create_index("job_title", "job", ["title"])'


@pytest.fixture
def alembic(tmp_path: Path) -> Path:
    versions = tmp_path / "alembic" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "alembic" / "env.py").write_text(ENVIRONMENT.format(apart=False))
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = alembic\n")
    (versions / "a1.py").write_text(REVISION.format(revision="a1", before=None, upgrade=CREATE))
    (versions / "b2.py").write_text(REVISION.format(revision="b2", before='"a1"', upgrade=INDEX))
    return tmp_path


def printed(*command: str, folder: Path, **variables: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder), **variables}
    run = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_alembic_is_read_without_its_own_table(alembic: Path) -> None:
    text = printed("alembic", "upgrade", "head", "--sql", folder=alembic)
    source = read_source("-", text)
    assert source.tool is Tool.ALEMBIC
    kinds = [statement.kind for statement in source.statements]
    assert kinds == ["transaction_stmt", "create_stmt", "index_stmt", "transaction_stmt"]
    assert len(source.begins) == 2


def test_a_table_of_an_earlier_revision_of_alembic_is_not_new(alembic: Path) -> None:
    (alembic / "up.sql").write_text(printed("alembic", "upgrade", "head", "--sql", folder=alembic))
    report = lint_files([alembic / "up.sql"])
    index = next(each for each in report.statements if each.kind == "create-index")
    assert {finding.rule for finding in index.findings} == {"index-not-concurrent", "no-lock-timeout"}
    table = next(each for each in report.statements if each.kind == "create-table")
    assert not table.findings


NOTES = (
    'op.create_table("note", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("text", sa.Text), '
    'sa.Column("job_id", sa.BigInteger, sa.ForeignKey("job.id")))\n'
    '    op.create_index("note_job_id", "note", ["job_id"])\n'
    '    op.create_index("note_text", "note", ["text"])\n'
    '    op.alter_column("note", "job_id", nullable=False)\n'
    '    op.alter_column("note", "text", type_=sa.String(9))'
)


@pytest.mark.parametrize("apart", [False, True])
def test_a_table_that_alembic_makes_with_a_foreign_key_is_gone_through_while_it_is_empty(
    alembic: Path, apart: bool
) -> None:
    (alembic / "alembic" / "env.py").write_text(ENVIRONMENT.format(apart=apart))
    versions = alembic / "alembic" / "versions"
    (versions / "b2.py").write_text(REVISION.format(revision="b2", before='"a1"', upgrade=NOTES))
    (alembic / "up.sql").write_text(printed("alembic", "upgrade", "head", "--sql", folder=alembic))
    report = lint_files([alembic / "up.sql"])
    assert [each.kind for each in report.statements if each.scan] == ["create-index"] * 2 + [
        "set-not-null",
        "alter-column-type",
    ]
    assert [finding.rule for finding in report.findings] == ["no-lock-timeout"]


MODELS = """
from django.db import models


class Job(models.Model):
    class Meta:
        app_label = "jobs"
"""
DJANGO = """
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = {initial}
    dependencies = {dependencies}
    operations = [{operation}]
"""


@pytest.fixture
def django(tmp_path: Path) -> Path:
    migrations = tmp_path / "jobs" / "migrations"
    migrations.mkdir(parents=True)
    (tmp_path / "jobs" / "__init__.py").touch()
    (migrations / "__init__.py").touch()
    (tmp_path / "project.py").write_text(
        "SECRET_KEY = 'x'\nINSTALLED_APPS = ['jobs']\nDEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'none', 'HOST': '127.0.0.1'}}\n"
    )
    create = (
        "migrations.CreateModel('Job', [('id', models.BigAutoField(primary_key=True)), ('title', models.TextField())])"
    )
    (migrations / "0001_initial.py").write_text(DJANGO.format(initial=True, dependencies=[], operation=create))
    index = "migrations.AddIndex('Job', models.Index(fields=['title'], name='job_title'))"
    (migrations / "0002_index.py").write_text(
        DJANGO.format(initial=False, dependencies=[("jobs", "0001_initial")], operation=index)
    )
    return tmp_path


def test_django_is_read_with_its_transaction(django: Path, django_url: dict[str, str]) -> None:
    for name in ("0001", "0002"):
        sql = printed(
            "django", "sqlmigrate", "jobs", name, folder=django, DJANGO_SETTINGS_MODULE="project", **django_url
        )
        (django / f"{name}.sql").write_text(sql)
    source = read_source("-", (django / "0002.sql").read_text())
    assert (source.tool, [each.kind for each in source.statements]) == (
        Tool.DJANGO,
        ["transaction_stmt", "index_stmt", "transaction_stmt"],
    )
    report = lint_files([django / "0001.sql", django / "0002.sql"])
    assert [finding.rule for finding in report.findings] == ["no-lock-timeout", "index-not-concurrent"]


NOTE = """migrations.CreateModel('Note', [
        ('id', models.BigAutoField(primary_key=True)),
        ('text', models.TextField(null=True)),
        ('job', models.ForeignKey('Job', models.CASCADE)),
    ]),
    migrations.AddIndex('Note', models.Index(fields=['text'], name='note_text')),
    migrations.AlterField('Note', 'text', models.CharField(max_length=9))"""


def test_a_table_that_django_makes_with_a_foreign_key_is_gone_through_while_it_is_empty(
    django: Path, django_url: dict[str, str]
) -> None:
    text = DJANGO.format(initial=False, dependencies=[("jobs", "0001_initial")], operation=NOTE)
    (django / "jobs" / "migrations" / "0002_index.py").write_text(text)
    for name in ("0001", "0002"):
        sql = printed(
            "django", "sqlmigrate", "jobs", name, folder=django, DJANGO_SETTINGS_MODULE="project", **django_url
        )
        (django / f"{name}.sql").write_text(sql)
    report = lint_files([django / "0001.sql", django / "0002.sql"])
    assert [each.kind for each in report.statements if each.scan] == [
        "create-index",
        "alter-table",
        "add-foreign-key",
        "create-index",
    ]
    assert [finding.rule for finding in report.findings] == ["no-lock-timeout"]


@pytest.fixture
def django_url(database: str, django: Path) -> dict[str, str]:
    """Django asks the server for its version, so that it needs one."""
    facts = conninfo_to_dict(database)
    names = {"NAME": "dbname", "HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
    chosen = {key: str(facts[name]) for key, name in names.items() if facts.get(name)}
    settings = (django / "project.py").read_text()
    (django / "project.py").write_text(f"{settings}DATABASES['default'].update({chosen!r})\n")
    return {}


@pytest.mark.parametrize(
    ("text", "ours"), [("-- /// migration\n-- id = 1\n", True), ("\n\n-- /// migration\n", True), ("select 1;", False)]
)
def test_a_migration_of_ours_is_known_by_its_header(text: str, ours: bool) -> None:
    assert is_migration(text) is ours


def test_commands_of_psql_are_passed_over() -> None:
    source = read_source("x.sql", "\\set ON_ERROR_STOP on\nselect 1;\n")
    assert [(each.kind, each.line) for each in source.statements] == [("select_stmt", 2)]
