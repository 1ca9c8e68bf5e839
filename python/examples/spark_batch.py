"""A Spark job: telephony logs of many files to events by day, and rejects apart.

    spark-submit spark_batch.py s3a://bucket/telephony/ s3a://bucket/udm/ s3a://bucket/rejects/

Lines of files, compressed or not (what Spark takes for compressed goes by the ending: .gz, .bz2, .zst). Events become
Parquet files below `day=YYYY-MM-DD/`, rejects Parquet files with the file they came from, the reason and their bytes.
"""

import sys

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from udmap.spark import to_udm


def run(session: SparkSession, logs: str, events: str, rejects: str, mapping: str = "duo_telephony") -> None:
    session.conf.set("spark.sql.session.timeZone", "UTC")
    # Spark 3 refuses to write times before 1900 without it; Spark 4 has it by default.
    session.conf.set("spark.sql.parquet.int96RebaseModeInWrite", "CORRECTED")
    # A line ends at \n alone, as udmap's do.
    lines = session.read.option("recursiveFileLookup", True).text(logs, lineSep="\n")
    lines = lines.select("value", f.col("_metadata.file_path").alias("source"))
    # Converted once, written twice.
    done = to_udm(lines, mapping=mapping).persist(StorageLevel.MEMORY_AND_DISK)
    by_day(done).write.partitionBy("day").parquet(events)
    rejected(done).write.parquet(rejects)
    done.unpersist()


def by_day(done: DataFrame) -> DataFrame:
    day = f.to_date("metadata_event_timestamp")
    return done.where("reject IS NULL").drop("reject").withColumn("day", day)


def rejected(done: DataFrame) -> DataFrame:
    return done.where("reject IS NOT NULL").select("source", "reject.*")


if __name__ == "__main__":
    run(SparkSession.builder.appName("udmap").getOrCreate(), *sys.argv[1:])
