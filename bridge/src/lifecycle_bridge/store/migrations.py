# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: workforce.lifecycle contributors
"""Brings the tables of an older bridge up to date, and refuses those of a newer one.

Tables are only ever added to: a column that is missing is added with its default, so that an older bridge goes on working beside.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn

from lifecycle_bridge.errors import BridgeError
from lifecycle_bridge.store.tables import metadata, schema

#: Counts up when an older bridge could no longer work with the tables.
VERSION = 1


def up_to_date(c: sa.Connection) -> None:
    """Make the tables and columns that are missing. The caller opens the transaction.

    :raises BridgeError: the tables are of a newer bridge.
    """
    metadata.create_all(c)
    found = c.execute(sa.select(schema.c.version)).scalar()
    if found is not None and found > VERSION:
        raise BridgeError(
            f"open the database: its tables are of a newer bridge (version {found}, this one knows {VERSION}): upgrade this bridge"
        )
    inspector = sa.inspect(c)
    for table in metadata.sorted_tables:
        there = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                c.execute(_added(c, table, column))
    if found is None:
        c.execute(sa.insert(schema).values(one=1, version=VERSION))
    elif found < VERSION:
        c.execute(sa.update(schema).values(version=VERSION))


def _added(c: sa.Connection, table: sa.Table, column: sa.Column[object]) -> sa.TextClause:
    """Return the statement that adds a column; names and defaults are ours, none comes from outside."""
    return sa.text(f"ALTER TABLE {table.name} ADD COLUMN {CreateColumn(column).compile(dialect=c.dialect)}")
