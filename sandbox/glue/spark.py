"""The local Spark that runs Glue jobs: `.firn/spark`, made on first use.

    python sandbox/glue/spark.py install

A Python environment with pyspark, and the JDBC drivers that Glue brings, from Maven Central. Nothing else of the sandbox needs it, or Java.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("FIRN_SPARK", ROOT / ".firn/spark"))
LOCK = Path(__file__).with_name("requirements.lock")
MAVEN = os.environ.get("FIRN_MAVEN", "https://repo1.maven.org/maven2")

# Path in Maven Central and SHA-256. Versions: AWS Glue documentation, "Migrating to AWS Glue 5.0", appendix B.
JARS = {
    "org/postgresql/postgresql/42.7.3/postgresql-42.7.3.jar": "a2644cbfba1baa145ff7e8c8ef582a6eed7a7ec4ca792f7f054122bdec756268",
    "com/mysql/mysql-connector-j/8.0.33/mysql-connector-j-8.0.33.jar": "e2a3b2fc726a1ac64e998585db86b30fa8bf3f706195b78bb77c5f99bf877bd9",
}

# pyspark 3.5 knows no newer Python.
PYTHONS = ("3.11", "3.12")

Say = Callable[[str], None]


class Missing(Exception):
    """Something that the machine lacks, and what to do, in one line."""


def say_on_stderr(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


def java() -> str:
    """Path of a Java that Spark takes."""
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home, "bin/java")) if home and Path(home, "bin/java").exists() else shutil.which("java")
    if found is None:
        raise Missing(
            "Java is missing: a Glue job of the sandbox runs in a local Spark, which needs Java 17 "
            "(Debian: apt install openjdk-17-jre-headless); tables with `engine: lambda` do without."
        )
    return found


def python() -> str:
    """A Python that pyspark takes: this one, or another on the path."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" in PYTHONS:
        return sys.executable
    for version in PYTHONS:
        if found := shutil.which(f"python{version}"):
            return found
    raise Missing(f"Spark 3.5 needs Python {' or '.join(PYTHONS)}, and this is {sys.version.split()[0]}: install one beside it.")


def stamp() -> str:
    return hashlib.sha256(LOCK.read_bytes() + repr(sorted(JARS.items())).encode()).hexdigest()


def is_installed() -> bool:
    try:
        return (HOME / "stamp").read_text() == stamp()
    except OSError:
        return False


def install(say: Say = say_on_stderr) -> Path:
    """Makes the environment unless it is there; a second process waits for the first. Answers its Python."""
    java()
    HOME.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{HOME}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_installed():
            shutil.rmtree(HOME, ignore_errors=True)
            step(say, "python -m venv .firn/spark", [python(), "-m", "venv", str(HOME)])
            pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--requirement", str(LOCK)]
            step(say, "pip install pyspark (500 MB, once)", [str(HOME / "bin/python"), *pip])
            for path, digest in JARS.items():
                download(say, path, digest)
            (HOME / "stamp").write_text(stamp())
    return HOME / "bin/python"


def step(say: Say, name: str, command: list[str]) -> None:
    began = time.monotonic()
    say(f"… {name}")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Missing(f"{name} failed: {' '.join((done.stderr or done.stdout).split())[-500:]}")
    say(f"✓ {name} {time.monotonic() - began:.0f} s")


def download(say: Say, path: str, digest: str) -> None:
    name = path.rsplit("/", 1)[1]
    try:
        with urllib.request.urlopen(f"{MAVEN}/{path}", timeout=60) as answer:
            body = answer.read()
    except OSError as error:
        raise Missing(f"{MAVEN}/{path} could not be downloaded: {error}") from error
    if hashlib.sha256(body).hexdigest() != digest:
        raise Missing(f"{MAVEN}/{path} is not the file that it was: its SHA-256 differs.")
    (HOME / "jars").mkdir(exist_ok=True)
    (HOME / "jars" / name).write_bytes(body)
    say(f"✓ {name}")


def environment() -> dict[str, str]:
    """What a process needs in addition to run pyspark."""
    jars = ",".join(str(jar) for jar in sorted((HOME / "jars").glob("*.jar")))
    return {
        "PATH": f"{HOME / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYSPARK_PYTHON": str(HOME / "bin/python"),
        "PYSPARK_SUBMIT_ARGS": " ".join(
            [
                # As many attempts of a task as on Glue.
                f"--master local[{min(4, os.cpu_count() or 1)},4]",
                f"--jars {jars} --driver-class-path {jars.replace(',', os.pathsep)}",
                "--driver-memory 1g --conf spark.ui.enabled=false --conf spark.sql.session.timeZone=UTC",
                "--conf spark.driver.bindAddress=127.0.0.1 --conf spark.driver.host=127.0.0.1 --conf spark.log.level=WARN",
                "pyspark-shell",
            ]
        ),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


if __name__ == "__main__":
    try:
        print(install())
    except Missing as missing:
        sys.exit(f"firn: {missing}")
