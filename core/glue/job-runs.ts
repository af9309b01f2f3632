import { BatchStopJobRunCommand, type GlueClient, paginateGetJobRuns } from '@aws-sdk/client-glue';

/** Runs of the environment's Glue job. */
export interface JobRuns {
  /** Ids of the job runs of a run that have not ended. */
  alive(runId: string): Promise<string[]>;
  stop(ids: string[]): Promise<void>;
}

const aliveStates = ['STARTING', 'RUNNING', 'STOPPING', 'WAITING'];
/** Glue answers the latest first; one that is alive is among these. */
const searched = { pageSize: 200, pages: 5 };

export function glueJobRuns(client: GlueClient, JobName: string): JobRuns {
  return {
    async alive(runId) {
      const found: string[] = [];
      let pages = 0;
      for await (const { JobRuns = [] } of paginateGetJobRuns({ client, pageSize: searched.pageSize }, { JobName })) {
        const own = JobRuns.filter((run) => run.Arguments?.['--run_id'] === runId && aliveStates.includes(run.JobRunState ?? ''));
        found.push(...own.map(({ Id }) => Id!));
        if (++pages === searched.pages) break;
      }
      return found;
    },

    async stop(JobRunIds) {
      await client.send(new BatchStopJobRunCommand({ JobName, JobRunIds }));
    },
  };
}
