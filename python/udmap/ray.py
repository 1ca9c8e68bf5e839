"""UDM events on Ray: `to_udm(dataset)` by `map_batches` on Arrow tables.

Workers need this package, and pyarrow 14 or later. The mapping travels with the job.
"""

# Ray does not say all of its types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Sequence, cast

from ._converter import Converter, Options, Table, needs

needs("pyarrow", "ray")

import pyarrow  # noqa: E402

if TYPE_CHECKING:
    import ray.data
    from typing_extensions import Unpack

__all__ = ["to_udm"]


def to_udm(
    dataset: "ray.data.Dataset",
    column: str = "value",
    *,
    mapping: Table = "duo_telephony",
    keep: Optional[Sequence[str]] = None,
    columns: bool = True,
    batch_size: Optional[int] = None,
    **options: Unpack[Options],
) -> "ray.data.Dataset":
    """The events of the records in a column of strings or bytes.

    dataset: a Dataset, such as `ray.data.read_text(path)`, whose column is `text`.
    mapping: a `Mapping`, a built-in table's name, or a table's file on the driver.
    keep: columns that are kept next to each event; by default all others.
    columns: whether the main UDM fields have columns of their own.
    batch_size: how many rows are converted at once; by default a block.
    options: those of `udmap.Converter`.

    The result has the columns of `keep`, `event`, the main fields, and `reject`: null, or why there is no event and the
    record's bytes.

    Raises MappingError and ValueError at once; KeyError and TypeError for the column when the dataset is run.
    """
    converter = Converter(mapping, **options)

    def run(table: pyarrow.Table) -> pyarrow.Table:
        kept = [name for name in table.column_names if name != column] if keep is None else list(keep)
        made = converter.convert_batches(table, column, keep=kept, columns=columns).read_all()
        return made.drop_columns(["row"])

    # Ray's type says that a function takes every format of batches, whatever `batch_format` says.
    return dataset.map_batches(cast(Any, run), batch_format="pyarrow", batch_size=batch_size)
