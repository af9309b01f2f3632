"""Starts ministack as the sandbox's AWS, with the gaps closed that Firn would fall into.

    python sandbox/aws/launcher.py --port 4700 --data DIR [--node DIR] [--modules DIR]

One file per group of gaps; each says what AWS does and ministack does not. `--node` is the folder whose `node` runs the
Lambda functions, `--modules` the node_modules with the AWS SDK that Lambda's own runtime has. State lives in DIR and
survives SIGTERM and a new start.
"""

import argparse
import importlib.metadata
import os
import shutil
import sys
from pathlib import Path

PINNED = "1.5.33"


def configure(port: int, data: Path, node: Path | None, modules: Path | None) -> None:
    """Environment that ministack reads when it is imported; its Lambda functions inherit it."""
    scratch = data / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    # Functions are unpacked here, and the checkout's "type": "module" is not theirs.
    (scratch / "package.json").write_text("{}\n")
    for leftover in scratch.glob("ministack-lambda-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    os.environ.update(
        GATEWAY_PORT=str(port),
        BIND_HOST="127.0.0.1",
        MINISTACK_HOST="127.0.0.1",
        # Of the functions: tests of faults put a line that breaks between them and this server.
        AWS_ENDPOINT_URL=os.environ.get("FIRN_FUNCTIONS_ENDPOINT", f"http://127.0.0.1:{port}"),
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE="/dev/null",
        AWS_SHARED_CREDENTIALS_FILE="/dev/null",
        PERSIST_STATE="1",
        STATE_DIR=str(data / "state"),
        S3_PERSIST="1",
        S3_DATA_DIR=str(data / "s3"),
        TMPDIR=str(scratch),
        DOCKER_HOST=f"unix://{data}/no-docker.sock",
        SFTP_ENABLED="0",
        IOT_MTLS_ENABLED="0",
    )
    if node:
        os.environ["PATH"] = f"{node}{os.pathsep}{os.environ.get('PATH', '')}"
    if modules:
        offer_sdk(modules, data / "runtime/node_modules")


def offer_sdk(modules: Path, runtime: Path) -> None:
    """A function finds the SDK, as in Lambda's runtime, and nothing else of the checkout: what is not bundled must fail."""
    shutil.rmtree(runtime, ignore_errors=True)
    runtime.mkdir(parents=True)
    for scope in ("@aws-sdk", "@smithy"):
        (runtime / scope).symlink_to(modules / scope)
    os.environ["NODE_PATH"] = str(runtime)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--node", type=Path)
    parser.add_argument("--modules", type=Path)
    options = parser.parse_args()

    installed = importlib.metadata.version("ministack")
    if installed != PINNED:
        sys.exit(f"ministack {installed} is installed, but these patches are written for {PINNED}: pip install ministack=={PINNED}")

    configure(options.port, options.data.resolve(), options.node, options.modules)
    sys.argv = [sys.argv[0]]

    import cloudformation
    import event_rules
    import glue
    import lambda_errors
    import step_functions

    for gap in (lambda_errors, cloudformation, event_rules, glue, step_functions):
        gap.close()

    from ministack.app import main as serve

    # State is written at the end only: who finds this file and no process knows that it was lost.
    unsaved = options.data / "unsaved"
    unsaved.touch()
    serve()
    unsaved.unlink()


if __name__ == "__main__":
    main()
