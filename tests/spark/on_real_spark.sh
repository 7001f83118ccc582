#!/usr/bin/env bash
# Run the tests of this folder on a real Spark in local mode, instead of on the server inside the program.
#
#   tests/spark/on_real_spark.sh FOLDER [tests and options of pytest]
#
# FOLDER gets an environment with Spark, locked in requirements/spark.txt (450 MB, about a minute), unless it has one. PYTHON
# names the Python that has the project's test tools. Without Java 17 or newer, or where Spark cannot be installed, the
# script says so and ends without an error.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:?say where Spark is to be installed}
shift
python=${PYTHON:-python3}

skip() { echo "skipped: $1"; exit 0; }

command -v java >/dev/null || skip 'real Spark needs Java 17 or newer (Debian: openjdk-17-jre-headless), and there is no java'
version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
[ "${version:-0}" -ge 17 ] || skip "real Spark needs Java 17 or newer, and this is Java ${version:-of unknown version}"
if ! [ -x "$folder/bin/spark-submit" ]; then
  "$python" -m venv "$folder"
  # The archive is unpacked and packed again while it is installed, which needs 2 GB.
  TMPDIR=$folder "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
    --require-hashes -r "$root/requirements/spark.txt" || skip 'Spark could not be installed (requirements/spark.txt)'
fi
SPARK_HOME=$("$folder/bin/python" -c 'import pathlib, pyspark; print(pathlib.Path(pyspark.__file__).parent)')
export SPARK_HOME

port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
log=$folder/server.log
"$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.SparkSubmit --master 'local[2]' --driver-memory 2g \
  --class org.apache.spark.sql.connect.service.SparkConnectServer \
  --conf spark.connect.grpc.binding.address=127.0.0.1 --conf "spark.connect.grpc.binding.port=$port" \
  --conf spark.driver.host=127.0.0.1 --conf spark.driver.bindAddress=127.0.0.1 --conf spark.ui.enabled=false \
  --conf spark.sql.shuffle.partitions=4 --conf "spark.sql.warehouse.dir=$folder/warehouse" --conf "spark.local.dir=$folder/local" \
  spark-internal >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
for _ in $(seq 120); do
  if (echo >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  kill -0 "$server" 2>/dev/null || { tail -n 20 "$log"; exit 1; }
  sleep 1
done
cd "$root"
SPARK_REMOTE="sc://127.0.0.1:$port" "$python" -m pytest -n 0 "${@:-tests/spark}"
