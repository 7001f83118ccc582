"""Read parquet files, a batch at a time and only the columns that are needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from refino_eval.registers.readers.archives import UnreadableFile, check_row_count
from refino_eval.registers.readers.value_kinds import kind_of

_BATCH = 1 << 16


def parquet_header(path: Path) -> tuple[list[str], dict[str, str]]:
    """Return the names of the columns, and the kind of each."""
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as opened:
            schema, meta = opened.schema_arrow, opened.metadata
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        raise UnreadableFile("it is not a parquet file that can be read.") from error
    unpacked = sum(meta.row_group(index).total_byte_size for index in range(meta.num_row_groups))
    check_row_count(meta.num_rows, path, unpacked)
    return list(schema.names), {field.name: kind_of(field.type) for field in schema}


def parquet_batches(path: Path, names: Mapping[str, str]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return the schema under inside names, and the batches, of some columns (inside name -> name in the file)."""
    import pyarrow.parquet as pq

    opened = pq.ParquetFile(path)
    delivered = opened.schema_arrow
    schema = pa.schema([(inside, delivered.field(name).type) for inside, name in names.items()])
    return schema, (
        pa.RecordBatch.from_arrays(
            [batch.column(batch.schema.get_field_index(name)) for name in names.values()], schema=schema
        )
        for batch in opened.iter_batches(batch_size=_BATCH, columns=list(dict.fromkeys(names.values())))
    )
