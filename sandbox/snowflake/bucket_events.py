"""The account's queue for bucket notifications, and the thread that reads it. Every pipe shows it as its notification channel."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from urllib.parse import unquote_plus

QUEUE_NAME = "sf-snowpipe-local"
QUEUE_ARN = f"arn:aws:sqs:{os.environ.get('AWS_REGION', 'us-east-1')}:000000000000:{QUEUE_NAME}"
RETRY_SECONDS = 0.5


def start(object_created: Callable[[str], None]) -> None:
    if "AWS_ENDPOINT_URL" not in os.environ:
        print("no AWS_ENDPOINT_URL: no bucket notifications, pipes load by REFRESH only", file=sys.stderr, flush=True)
        return
    threading.Thread(target=_read_forever, args=(object_created,), daemon=True, name="bucket-events").start()


def _connect():
    """The queue, made if it is missing; waits until the local AWS answers."""
    import boto3

    global QUEUE_ARN
    sqs = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name=os.environ.get("AWS_REGION", "us-east-1"))
    url = sqs.create_queue(QueueName=QUEUE_NAME)["QueueUrl"]
    QUEUE_ARN = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return sqs, url


def _read_forever(object_created: Callable[[str], None]) -> None:
    connection = None
    while True:
        try:
            connection = connection or _connect()
            sqs, url = connection
            for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MaxNumberOfMessages=10).get("Messages", []):
                for record in json.loads(message["Body"]).get("Records", []):
                    if record["eventName"].startswith(("ObjectCreated:", "s3:ObjectCreated:")):
                        object_created(f"s3://{record['s3']['bucket']['name']}/{unquote_plus(record['s3']['object']['key'])}")
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        except Exception as error:  # noqa: BLE001  AWS may come later, or again
            if connection is not None:
                print(f"bucket notifications: {error}", file=sys.stderr, flush=True)
            connection = None
            time.sleep(RETRY_SECONDS)
