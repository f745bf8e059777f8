"""What is known of a database's tables at one moment, and how one part of it is put in another's place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Self

import msgspec

from jobarium_events.migrations.lint.knowledge.layers import layered
from jobarium_events.migrations.lint.knowledge.tables import (
    Column,
    Constraint,
    ConstraintKind,
    Domain,
    EnumType,
    Index,
    Publication,
    Relation,
    ReplicaIdentity,
    Table,
)

__all__ = ["Known"]

_NO_TIES: set[str] = set()


class Known(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known; see `Schema`, which goes on from one statement to the next."""

    tables: Mapping[str, Table] = {}
    indexes: Mapping[str, Index] = {}
    enums: Mapping[str, EnumType] = {}
    domains: Mapping[str, Domain] = {}
    statistics: Mapping[str, str] = {}
    created: frozenset[str] = frozenset()
    tied: Mapping[str, tuple[str, ...]] = {}
    indexed: Mapping[str, tuple[str, ...]] = {}
    publications: Mapping[str, Publication] = {}

    def table(self, name: str) -> Table:
        """Return what is known of a table, which may be no more than its name."""
        return self.tables.get(name) or Table(name=name)

    def column(self, table: str, column: str) -> Column | None:
        """Return what is known of a column; None if nothing is."""
        return self.table(table).columns.get(column)

    def allowed_values(self, table: str, column: str) -> tuple[str, ...] | None:
        """Return the values that a column may have, by a check that lists them or by its enum; None if by neither."""
        for constraint in self.table(table).constraints.values():
            if constraint.allowed is not None and constraint.columns == (column,):
                return constraint.allowed
        known = self.column(table, column)
        enum = self.enums.get(known.type.removesuffix("[]")) if known else None
        return enum.values if enum else None

    def indexes_of(self, table: str) -> Iterator[Index]:
        """Yield the indexes that are known of a table."""
        found = (self.indexes.get(name) for name in self.indexed.get(table, ()))
        return (index for index in found if index is not None and index.table == table)

    def descendants(self, table: str) -> tuple[str, ...]:
        """Return the partitions and heirs of a table, and theirs."""
        if table not in self.tied:
            return ()
        found: dict[str, None] = {}
        waiting = [table]
        while waiting:
            name = waiting.pop(0)
            for each in self.tied.get(name, ()):
                heir = self.tables.get(each)
                if heir is not None and name in heir.parents and each not in found:
                    found[each] = None
                    waiting.append(each)
        return tuple(found)

    def children(self, table: str) -> tuple[str, ...]:
        """Return the partitions and heirs of a table, but not theirs."""
        return tuple(dict.fromkeys(each.name for each in self._tied_to(table) if table in each.parents))

    def default_partition(self, table: str) -> str | None:
        """Return the partition of a table that takes what no other one takes, if there is one."""
        heirs = (each.name for each in self._tied_to(table) if each.default_partition and table in each.parents)
        return next(heirs, None)

    def referencing(self, table: str) -> Iterator[tuple[Table, Constraint]]:
        """Yield the foreign keys that lead to a table, each with the table that has it."""
        for each in self._tied_to(_referred_to(table)):
            for constraint in each.constraints.values():
                if constraint.kind is ConstraintKind.FOREIGN_KEY and constraint.references == table:
                    yield each, constraint

    def leading_to(self, table: str) -> Iterator[tuple[Table, Constraint]]:
        """Yield the foreign keys that may lead to rows of a table: to it, or to what it is a partition of.

        Each comes with the uppermost table that has it: the partitions of that have it from there.
        """
        for name in (table, *self.above(table)):
            for other, key in self.referencing(name):
                if not self.inherits_key(other, key):
                    yield other, key

    def above(self, table: str) -> tuple[str, ...]:
        """Return what a table is a partition of, and what that is one of; not what it is an heir of."""
        found: dict[str, None] = {}  # SQL that Postgres refuses may have a table above itself
        waiting = [table]
        while waiting:
            for each in self.table(waiting.pop(0)).parents:
                if each not in found and self.table(each).kind is Relation.PARTITIONED:
                    found[each] = None
                    waiting.append(each)
        return tuple(found)

    def _tied_to(self, table: str) -> Iterator[Table]:
        """Yield what has to do with a table, a function and so on, see `_ties`; what was so once may be there."""
        return (self.tables[name] for name in self.tied.get(table, ()) if name in self.tables)

    def calling(self, function: str) -> tuple[str, ...]:
        """Return the tables with a trigger that calls a function."""
        found = {each.name for each in self._tied_to(_called(function)) if function in each.triggers.values()}
        return tuple(name for name in self.tables if name in found) if len(found) > 1 else tuple(found)

    def inherits_key(self, table: Table, key: Constraint) -> bool:
        """Whether a table has a foreign key as the partition of another one that has it."""
        keys = (each for parent in table.parents for each in self.table(parent).foreign_keys())
        return any(each.columns == key.columns and each.references == key.references for each in keys)

    def readers(self, table: str) -> tuple[str, ...]:
        """Return the views that read a table, and those that read them."""
        found: dict[str, None] = {}
        waiting = [table]
        while waiting:
            name = waiting.pop(0)
            for each in self._tied_to(name):
                if name in each.reads and each.name not in found:
                    found[each.name] = None
                    waiting.append(each.name)
        return tuple(found)

    def using_type(self, type_: str) -> Iterator[tuple[Table, Column]]:
        """Yield the columns of a type, or of arrays of it, each with its table."""
        for table in self.tables.values():
            for column in table.columns.values():
                if column.type.removesuffix("[]") == type_:
                    yield table, column

    def typed_tables(self, type_: str) -> tuple[Table, ...]:
        """Return the tables whose columns are the attributes of a type."""
        return tuple(each for each in self.tables.values() if each.of == type_)

    def domains_over(self, domain: str) -> tuple[str, ...]:
        """Return a domain, or what else a type is called, with the domains over it, and those over them."""
        found = [domain]
        for name in found:
            found += [each.name for each in self.domains.values() if each.over == name and each.name not in found]
        return tuple(found)

    def is_published(self, table: str) -> bool:
        """Whether a publication is known that tells of updates or deletes in a table."""
        found = [each for each in self.publications.values() if each.changes]
        return bool(found) and any(each.has(name) for name in (table, *self.above(table)) for each in found)

    def is_identified(self, table: str) -> bool:
        """Whether a table's replica identity may tell which row is updated or deleted: it does, or is not known."""
        found = self.table(table)
        match found.identity:
            case ReplicaIdentity.DEFAULT:
                keys = (each.kind is ConstraintKind.PRIMARY_KEY for each in found.constraints.values())
                return not found.complete or any(keys)
            case ReplicaIdentity.INDEX:
                return any(each.identity for each in self.indexes_of(table))
            case identity:
                return identity is ReplicaIdentity.FULL

    def with_table(self, table: Table, *, created: bool = False) -> Self:
        """Return the same with a table as it is now."""
        marked = self.created | {table.name} if created else self.created
        tables, tied = layered(self.tables).having(table.name, table), self.tied
        for name in _new_ties(self.tables.get(table.name), table):
            tied = layered(tied).having(name, (*tied.get(name, ()), table.name))
        return msgspec.structs.replace(self, tables=tables, tied=tied, created=marked)

    def with_index(self, index: Index) -> Self:
        """Return the same with an index as it is now."""
        names, indexed = self.indexed.get(index.table, ()), self.indexed
        if index.name not in names:
            indexed = layered(indexed).having(index.table, (*names, index.name))
        return msgspec.structs.replace(self, indexes=layered(self.indexes).having(index.name, index), indexed=indexed)

    def with_enum(self, enum: EnumType) -> Self:
        """Return the same with an enum as it is now."""
        return msgspec.structs.replace(self, enums={**self.enums, enum.name: enum})

    def with_domain(self, domain: Domain) -> Self:
        """Return the same with a domain as it is now."""
        return msgspec.structs.replace(self, domains={**self.domains, domain.name: domain})

    def with_publication(self, publication: Publication) -> Self:
        """Return the same with a publication as it is now."""
        return msgspec.structs.replace(self, publications={**self.publications, publication.name: publication})

    def without_publications(self, names: Iterable[str]) -> Self:
        """Return the same without some publications."""
        gone = {*names}
        kept = {name: each for name, each in self.publications.items() if name not in gone}
        return msgspec.structs.replace(self, publications=kept)

    def without_tables(self, names: Iterable[str]) -> Self:
        """Return the same without some tables, their heirs, their indexes, and the foreign keys that lead to them."""
        gone = {heir for name in names for heir in (name, *self.descendants(name))}
        tables = {
            name: _without_keys_to(table, gone) if _leads_to(table, gone) else table
            for name, table in self.tables.items()
            if name not in gone
        }
        indexes = {name: index for name, index in self.indexes.items() if index.table not in gone}
        published = {
            name: msgspec.structs.replace(each, tables=each.tables - gone) for name, each in self.publications.items()
        }
        return msgspec.structs.replace(
            self,
            tables=tables,
            indexes=indexes,
            created=self.created - gone,
            tied=_tied(tables),
            publications=published,
        )

    def without_indexes(self, names: Iterable[str]) -> Self:
        """Return the same without some indexes."""
        return msgspec.structs.replace(self, indexes=layered(self.indexes).without([*names]))

    def without_types(self, names: Iterable[str]) -> Self:
        """Return the same without some enums and domains, the domains over them, and the columns of those types."""
        gone = {each for name in names for each in self.domains_over(name)}
        tables = dict(self.tables)
        for name in gone:
            for table, column in self.using_type(name):
                columns = {key: each for key, each in tables[table.name].columns.items() if key != column.name}
                tables[table.name] = msgspec.structs.replace(tables[table.name], columns=columns)
        enums = {name: enum for name, enum in self.enums.items() if name not in gone}
        domains = {name: domain for name, domain in self.domains.items() if name not in gone}
        return msgspec.structs.replace(self, tables=tables, enums=enums, domains=domains)

    def with_table_named(self, old: str, new: str) -> Self:
        """Return the same with a table under another name."""
        table = self.tables.get(old)
        if table is None or new in self.tables:
            return self
        renamed = msgspec.structs.replace(table, name=new)
        tables = {name: _following(each, old, new) for name, each in self.tables.items() if name != old}
        tables[new] = _following(renamed, old, new)
        indexes = {}
        for index in self.indexes.values():
            moved = _moved(index, new) if index.table == old else index
            indexes[moved.name] = moved
        created = self.created - {old} | {new} if old in self.created else self.created
        indexed = {**self.indexed, new: tuple(name for name, index in indexes.items() if index.table == new)}
        published = {name: _publishing(each, old, new) for name, each in self.publications.items()}
        return msgspec.structs.replace(
            self,
            tables=tables,
            indexes=indexes,
            created=created,
            tied=_tied(tables),
            indexed=indexed,
            publications=published,
        )


def _leads_to(table: Table, gone: set[str]) -> bool:
    constraints = table.constraints.values()
    return any(each.references in gone for each in constraints) or not gone.isdisjoint((*table.reads, *table.parents))


def _without_keys_to(table: Table, gone: set[str]) -> Table:
    constraints = {name: each for name, each in table.constraints.items() if each.references not in gone}
    reads = tuple(name for name in table.reads if name not in gone)
    parents = tuple(name for name in table.parents if name not in gone)
    return msgspec.structs.replace(table, constraints=constraints, reads=reads, parents=parents)


def _following(table: Table, old: str, new: str) -> Table:
    def now(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if name == old else name for name in names)

    constraints = {
        name: msgspec.structs.replace(each, references=new) if each.references == old else each
        for name, each in table.constraints.items()
    }
    return msgspec.structs.replace(table, constraints=constraints, parents=now(table.parents), reads=now(table.reads))


def _publishing(publication: Publication, old: str, new: str) -> Publication:
    """Return a publication of which a table may have another name."""
    if old not in publication.tables:
        return publication
    return msgspec.structs.replace(publication, tables=publication.tables - {old} | {new})


def _moved(index: Index, table: str) -> Index:
    """Return an index whose table has another name; its own changes only if the schema does."""
    schema, dot, _ = table.rpartition(".")
    return msgspec.structs.replace(index, name=f"{schema}{dot}{index.name.rpartition('.')[2]}", table=table)


def _called(function: str) -> str:
    """Return the name under which the tables are tied to a function that their triggers call."""
    return f"{function}()"


def _referred_to(table: str) -> str:
    """Return the name under which the tables are tied to one that their foreign keys lead to."""
    return f"references {table}"


def _ties(table: Table) -> set[str]:
    """Return what a table has to do with.

    That is the tables that it reads or is a part of, and by names of their own those that it refers to, and the
    functions that its triggers call.
    """
    referenced = [_referred_to(each.references) for each in table.constraints.values() if each.references]
    return {*table.parents, *table.reads, *referenced, *map(_called, table.triggers.values())}


def _new_ties(before: Table | None, table: Table) -> set[str]:
    if before is None:
        return _ties(table)
    if (
        before.constraints is table.constraints
        and before.parents is table.parents
        and before.reads is table.reads
        and before.triggers is table.triggers
    ):
        return _NO_TIES  # it is mostly something else that changes
    return _ties(table) - _ties(before)


def _tied(tables: Mapping[str, Table]) -> dict[str, tuple[str, ...]]:
    tied: dict[str, tuple[str, ...]] = {}
    for table in tables.values():
        for name in _ties(table):
            tied[name] = (*tied.get(name, ()), table.name)
    return tied
