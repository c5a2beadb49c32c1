# SPDX-License-Identifier: Apache-2.0
"""JSON by orjson (PyPI), EDN by Clojure (Debian's package `clojure`, or CLOJURE_CLASSPATH)."""
import os
import pathlib
import shutil
import subprocess

READ_AND_PRINT = """
(require '[clojure.edn :as edn])
(doseq [file (.listFiles (java.io.File. (first *command-line-args*)))
        :let [path (str file)] :when (.endsWith path ".in")]
  (try
    (spit (str (subs path 0 (- (count path) 2)) "out")
          (pr-str (edn/read-string {:default tagged-literal} (slurp path))))
    (catch Exception e (println path (.getMessage e)))))
(println "clojure.edn" (clojure-version))
"""


def json(folder):
    try:
        import orjson
    except ImportError:
        return "skipped, orjson is not installed (pip install orjson)"
    for path in folder.glob("*.in"):
        path.with_suffix(".out").write_bytes(orjson.dumps(orjson.loads(path.read_bytes())))
    return f"orjson {orjson.__version__}"


def clojure():
    """The command that runs a Clojure script, or None."""
    classpath = os.environ.get("CLOJURE_CLASSPATH")
    if classpath and shutil.which("java"):
        return ["java", "-Dfile.encoding=UTF-8", "-cp", classpath, "clojure.main"]
    jars = [f"/usr/share/java/{name}.jar" for name in ("clojure-1.11", "spec.alpha", "core.specs.alpha")]
    if shutil.which("java") and all(os.path.exists(jar) for jar in jars):
        return ["java", "-Dfile.encoding=UTF-8", "-cp", ":".join(jars), "clojure.main"]
    return None


def edn(folder):
    command = clojure()
    if not command:
        return "skipped, there is no Clojure here (apt install clojure)"
    script = pathlib.Path(folder) / "read.clj"
    script.write_text(READ_AND_PRINT)
    result = subprocess.run(command + [str(script), str(folder)], capture_output=True, text=True)
    return result.stdout.strip() or f"skipped, Clojure does not run: {result.stderr.strip()[:200]}"


ORACLES = {"json": json, "edn": edn}
