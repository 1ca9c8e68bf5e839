"""UDM events on Spark, 3.5 or later: `to_udm(df)` by `mapInArrow`.

Executors need this package, and pyarrow 14 or later, in the Python that runs there. The mapping travels with the job:
its file need not be on the executors.
"""

# Neither pyarrow nor Spark say all of their types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Dict, Iterator, Optional, Sequence

from ._converter import Converter, Options, Table, needs

needs("pyarrow", "spark")
needs("pyspark", "spark")

import pyarrow  # noqa: E402
from pyspark.sql import DataFrame, functions  # noqa: E402
from pyspark.sql import types as spark  # noqa: E402

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["to_udm"]

_TYPES: Dict[pyarrow.DataType, spark.DataType] = {
    pyarrow.string(): spark.StringType(),
    pyarrow.binary(): spark.BinaryType(),
    pyarrow.int64(): spark.LongType(),
    pyarrow.timestamp("us", "UTC"): spark.TimestampType(),
}


def _type(of: pyarrow.DataType) -> spark.DataType:
    if pyarrow.types.is_struct(of):
        return spark.StructType([spark.StructField(field.name, _type(field.type)) for field in of])
    return _TYPES[of]


def to_udm(
    df: DataFrame,
    column: str = "value",
    *,
    mapping: Table = "duo_telephony",
    keep: Optional[Sequence[str]] = None,
    columns: bool = True,
    **options: Unpack[Options],
) -> DataFrame:
    """The events of the records in a column of strings or bytes, batch or streaming, each once.

    df: a DataFrame, such as `spark.read.text(path, lineSep="\\n")`, or a stream of Kafka's values.
    mapping: a `Mapping`, a built-in table's name, or a table's file on the driver.
    keep: columns of `df` that are kept next to each event; by default all others.
    columns: whether the main UDM fields have columns of their own.
    options: those of `udmap.Converter`.

    The result has the columns of `keep`, `event`, the main fields, and `reject`: null, or why there is no event and the
    record's bytes. Split it by `reject IS NULL`, and nothing is lost. A row gives the same on every try, so tasks that
    are repeated change nothing.

    Raises MappingError, KeyError, TypeError and ValueError on the driver, before anything runs.
    """
    converter = Converter(mapping, **options)
    kept = [name for name in df.columns if name != column] if keep is None else list(keep)
    if column not in df.columns:
        raise KeyError(f"there is no column `{column}`, but {', '.join(df.columns)}")
    if not isinstance(df.schema[column].dataType, (spark.StringType, spark.BinaryType)):
        is_of = df.schema[column].dataType.simpleString()
        raise TypeError(f"the column `{column}` is of type {is_of}; wanted are strings or bytes")
    one = pyarrow.schema([(name, pyarrow.string()) for name in dict.fromkeys([column, *kept])])
    made = converter._native.schema(one, column, kept, columns)
    fields = [df.schema[name] for name in kept]
    for field in made:
        if field.name not in ("row", *kept):
            fields.append(spark.StructField(field.name, _type(field.type)))
    names = [field.name for field in fields]
    # Spark's mapInArrow takes no column whose name has a dot: on the way they have names of their own.
    needed = {name: f"c{n}" for n, name in enumerate(dict.fromkeys([column, *kept]))}
    given = [needed[name] for name in kept]

    def run(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        first = next(batches, None)
        if first is None:
            return
        reader = pyarrow.RecordBatchReader.from_batches(first.schema, itertools.chain([first], batches))
        for batch in converter.convert_batches(reader, needed[column], keep=given, columns=columns):
            # Without `row`, which counts within a task.
            yield pyarrow.RecordBatch.from_arrays(batch.columns[1:], names=names)

    quoted = {name: "`" + name.replace("`", "``") + "`" for name in needed}
    input = df.select(*[functions.col(quoted[name]).alias(to) for name, to in needed.items()])
    return input.mapInArrow(run, spark.StructType(fields))
