"""Step Functions: ministack's interpreter of single states, walked so that an execution can be stopped and redriven."""

import execution_api
import execution_events
import execution_restart
import execution_walk


def close() -> None:
    execution_walk.close()
    execution_events.close()
    execution_api.close()
    execution_restart.close()
