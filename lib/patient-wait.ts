import { Wait, WaitTime } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/**
 * The pause of a polling loop: 1 second at first, then a twentieth of the execution's age, at most `most`, 30 as a rule.
 * An execution that reaches 25,000 events fails and can't be redriven: a loop of 1 second would get there within 45 minutes.
 */
export function patientWait(scope: Construct, id: string, most = 30): Wait {
  const began =
    '($exists($states.context.Execution.RedriveTime) ? $states.context.Execution.RedriveTime : $states.context.Execution.StartTime)';
  const age = `($toMillis($states.context.State.EnteredTime) - $toMillis(${began})) / 1000`;
  return Wait.jsonata(scope, id, { time: WaitTime.seconds(`{% $max([1, $min([${most}, $floor(${age} / 20)])]) %}`) });
}
