import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';

const named = (name: string): Error => Object.assign(new Error(name), { name });

/** S3 in memory: objects that are written once (`If-None-Match: *`) and read. */
export class BucketDouble {
  private readonly objects = new Map<string, string>();

  send(command: unknown): object {
    if (command instanceof GetObjectCommand) {
      const text = this.objects.get(command.input.Key!);
      if (text === undefined) throw named('NoSuchKey');
      return { Body: { transformToString: async () => text } };
    }
    if (command instanceof PutObjectCommand) {
      const { Key, Body, IfNoneMatch } = command.input;
      if (IfNoneMatch === '*' && this.objects.has(Key!)) throw named('PreconditionFailed');
      this.objects.set(Key!, String(Body));
      return {};
    }
    throw new Error(`the double does not know ${(command as object).constructor.name}`);
  }
}
