"""CloudFormation: properties that ministack drops, and the resource types that the sandbox leaves out on purpose.

A type that is neither known to ministack nor in LEFT_OUT fails the deployment, as it should.
"""

import sys
from collections.abc import Callable

import ministack.services.cloudformation as stacks_service
from ministack.services import dynamodb, lambda_svc, s3, secretsmanager
from ministack.services.cloudformation import custom_resource, provisioners

handlers = provisioners._RESOURCE_HANDLERS

# Type → attributes that other resources may ask for. Nothing of these runs in the sandbox; a deployment prints each.
LEFT_OUT: dict[str, Callable[[str], dict]] = {
    "AWS::CloudWatch::CompositeAlarm": lambda _id: {},
    "AWS::EC2::EIP": lambda id: {"AllocationId": f"eipalloc-0{id[-8:].lower()}", "PublicIp": "203.0.113.1"},
    "AWS::EC2::FlowLog": lambda _id: {},
    "AWS::EC2::NatGateway": lambda id: {"NatGatewayId": id},
    "AWS::EC2::SecurityGroupEgress": lambda _id: {},
    "AWS::EC2::SecurityGroupIngress": lambda _id: {},
    "AWS::Glue::SecurityConfiguration": lambda _id: {},
    "AWS::SecretsManager::ResourcePolicy": lambda _id: {},
    "AWS::SecretsManager::RotationSchedule": lambda _id: {},
}


def leave_out(type_name: str, attributes: Callable[[str], dict]) -> None:
    assert type_name not in handlers, f"ministack now knows {type_name}: take it off LEFT_OUT"

    def create(logical_id: str, _properties: dict, stack: str) -> tuple[str, dict]:
        print(f"sandbox: {stack}: left out {type_name} {logical_id}", file=sys.stderr, flush=True)
        name = provisioners._physical_name(stack, logical_id)
        return name, attributes(name)

    def update(name: str, _old: dict, _new: dict, _stack: str) -> tuple[str, dict]:
        return name, attributes(name)

    handlers[type_name] = {"create": create, "update": update, "delete": lambda _name, _properties: None}


def after(type_name: str, apply: Callable[[str, dict], None]) -> None:
    """Has `apply(physical id, properties)` run after each create and update of the type."""
    handler = dict(handlers[type_name])
    create, update = handler["create"], handler.get("update")

    def create_then(logical_id: str, properties: dict, stack: str) -> tuple[str, dict]:
        answer = create(logical_id, properties, stack)
        apply(answer[0], properties)
        return answer

    def update_then(name: str, old: dict, new: dict, *rest: object, **named: object) -> tuple[str, dict]:
        answer = update(name, old, new, *rest, **named)
        apply(answer[0], new)
        return answer

    handler["create"] = create_then
    if update:
        handler["update"] = update_then
    handlers[type_name] = handler


def tag_bucket(bucket: str, properties: dict) -> None:
    """autoDeleteObjects asks for a tag of the bucket before it empties it."""
    if properties.get("Tags"):
        s3._bucket_tags[bucket] = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}


def set_table_options(table: str, properties: dict) -> None:
    ttl = properties.get("TimeToLiveSpecification")
    if ttl:
        enabled = str(ttl.get("Enabled")).lower() == "true"
        specification = {"AttributeName": ttl["AttributeName"], "Enabled": enabled}
        dynamodb._update_ttl({"TableName": table, "TimeToLiveSpecification": specification})
    if (properties.get("PointInTimeRecoverySpecification") or {}).get("PointInTimeRecoveryEnabled"):
        dynamodb._pitr_settings[table] = True


def identify_secrets_by_arn() -> None:
    """`Ref` of a secret is its ARN; ministack's is its name."""
    handler = handlers["AWS::SecretsManager::Secret"]
    create, update, delete = handler["create"], handler["update"], handler["delete"]

    def name_of(physical_id: str) -> str:
        for name, secret in secretsmanager._secrets.items():
            if secret["ARN"] == physical_id:
                return name
        return physical_id

    def create_by_arn(logical_id: str, properties: dict, stack: str) -> tuple[str, dict]:
        _, attributes = create(logical_id, properties, stack)
        return attributes["Arn"], attributes

    def update_by_arn(physical_id: str, old: dict, new: dict, stack: str, logical_id: str | None = None) -> tuple[str, dict]:
        _, attributes = update(name_of(physical_id), old, new, stack, logical_id)
        return attributes["Arn"], attributes

    handlers["AWS::SecretsManager::Secret"] = {
        **handler,
        "create": create_by_arn,
        "update": update_by_arn,
        "delete": lambda physical_id, properties: delete(name_of(physical_id), properties),
    }


def describe_vpc_range() -> None:
    """`CidrBlock` of a VPC can be asked for."""
    handler = handlers["AWS::EC2::VPC"]
    create = handler["create"]

    def create_with_range(logical_id: str, properties: dict, stack: str) -> tuple[str, dict]:
        name, attributes = create(logical_id, properties, stack)
        return name, {**attributes, "CidrBlock": properties.get("CidrBlock"), "CidrBlockAssociations": []}

    handlers["AWS::EC2::VPC"] = {**handler, "create": create_with_range}


def fail_with_the_function() -> None:
    """A custom resource whose function breaks fails with its error; otherwise it would be waited for, for an hour."""
    execute = lambda_svc._execute_function_with_config_scope

    def execute_and_tell(func: dict, event: object) -> dict:
        result = execute(func, event)
        if result.get("error") and isinstance(event, dict) and "/cfn-response/" in str(event.get("ResponseURL")):
            token = event["ResponseURL"].rsplit("/", 1)[1]
            pending = custom_resource._pending.get(token)
            if pending and pending["result"] is None:
                custom_resource.deliver_response(token, {"Status": "FAILED", "Reason": f"its function failed: {result.get('body')}"})
        return result

    lambda_svc._execute_function_with_config_scope = execute_and_tell


# What a deployment that was cut off by a stop has become: a state from which the next one can go on.
AFTER_A_STOP = {
    "CREATE_IN_PROGRESS": "ROLLBACK_FAILED",
    "CREATE_FAILED": "ROLLBACK_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "UPDATE_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
}


def end_cut_off_deployments() -> None:
    restore = stacks_service._restore_state

    def restore_state(data: dict) -> None:
        restore(data)
        for stack in stacks_service._stacks.all_values():
            status = stack.get("StackStatus", "")
            if status in AFTER_A_STOP:
                stack.update(StackStatus=AFTER_A_STOP[status], StackStatusReason="the local AWS was stopped during the deployment")

    stacks_service._restore_state = restore_state


def close() -> None:
    for type_name, attributes in LEFT_OUT.items():
        leave_out(type_name, attributes)
    after("AWS::S3::Bucket", tag_bucket)
    after("AWS::DynamoDB::Table", set_table_options)
    identify_secrets_by_arn()
    describe_vpc_range()
    fail_with_the_function()
    end_cut_off_deployments()
