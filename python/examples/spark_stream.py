"""A Spark job: telephony logs to events by day, as files arrive, each record once.

    spark-submit spark_stream.py s3a://bucket/telephony/ s3a://bucket/udm/ s3a://bucket/rejects/ s3a://bucket/state/

Events and rejects are two queries, each with its own checkpoint: Spark's file sink writes what a checkpoint says once,
whenever the job is killed and started again. It runs until it is stopped; with `--once` it ends when it has converted
what is there, to be run again by a schedule.
"""

import sys

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.streaming.query import StreamingQuery
from spark_batch import by_day, rejected

from udmap.spark import to_udm


def run(session: SparkSession, logs: str, events: str, rejects: str, state: str, once: bool = False) -> None:
    session.conf.set("spark.sql.session.timeZone", "UTC")
    # Spark 3 refuses to write times before 1900 without it; Spark 4 has it by default.
    session.conf.set("spark.sql.parquet.int96RebaseModeInWrite", "CORRECTED")
    lines = session.readStream.option("recursiveFileLookup", True).option("lineSep", "\n").text(logs)
    done = to_udm(lines.select("value", f.col("_metadata.file_path").alias("source")))

    def start(frame: DataFrame, to: str, name: str, *partitions: str) -> StreamingQuery:
        writer = frame.writeStream.format("parquet").option("path", to).queryName(name)
        writer = writer.trigger(availableNow=True) if once else writer.trigger(processingTime="1 minute")
        return writer.option("checkpointLocation", f"{state}/{name}").partitionBy(*partitions).start()

    start(by_day(done), events, "events", "day")
    start(rejected(done), rejects, "rejects")
    for query in session.streams.active:
        query.awaitTermination()


if __name__ == "__main__":
    logs, events, rejects, state = (argument for argument in sys.argv[1:] if argument != "--once")
    session = SparkSession.builder.appName("udmap").getOrCreate()
    run(session, logs, events, rejects, state, once="--once" in sys.argv)
