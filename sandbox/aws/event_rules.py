"""EventBridge: a rule invokes its Lambda target asynchronously, so a failure is retried twice. ministack tries once."""

import json
import logging

from ministack.services import eventbridge, lambda_svc

logger = logging.getLogger("firn.events")


def dispatch_to_lambda(arn: str, payload: str) -> None:
    func, config, name = lambda_svc._get_func_record_for_ref(arn)
    if not func or not config:
        logger.error("EventBridge target %s does not exist", name)
        return
    lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(func, config), json.loads(payload))


def close() -> None:
    assert callable(eventbridge._dispatch_to_lambda)
    eventbridge._dispatch_to_lambda = dispatch_to_lambda
