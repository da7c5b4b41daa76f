package help

// The pages that no table tells. Each byte is in every image.
const (
	items = `What one run of the command works on:

  the index         echo '<<.Index>>'             such as the number of a file
  a part of N       --items 1000                  .Shard.Start up to .Shard.End
  each of a part    --items 1000 --each           .Item, a command each
  a row of a file   --tasks s3://bucket/rows.csv  .Task.column; .csv .tsv .jsonl
                                                  .txt, also with .gz
  an object         --tasks s3://bucket/in/       .Task is its URL; .Task.key;
                    --tasks 's3://b/**/*.gz'      --group-by makes pairs
  rows, objects     --tasks file:///r.csv --each  .Task.column, a command each
  of a part
  an answer         --tasks 'https://host/<<.Index>>'   .Task.field of its JSON
  a queue's tasks   --tasks redis://host/0?queue=q      nth help queues

--each shares the items among --completions indexes, and in an index --jobs of
them run at the same time. How many indexes do is --parallelism, of nth local
and nth manifest.
`
	data = `What nth brings to the command, and takes from it:

  --input 's3://bucket/in/<<.Index>>=/work/in'      an object to a file
  --input s3://bucket/ref/=/work/ref/               all below it, to a directory
  --output '/work/out=s3://bucket/out/<<.Index>>'   a file; with a slash at the
                                                    end of both, a directory
  --stdin 's3://bucket/in/<<.Index>>'               no file, and no disk
  --stdout 's3://bucket/out/<<.Index>>'
  --checkpoint '/work/state=s3://bucket/state/<<.Index>>'
                                                    for the next attempt

An input that is missing is 66. Outputs are staged below .nth/ beside their
places, and one run of the item wins, whole, however many there were; one that
is missing after success is 73. A command in the style of 'aws s3 cp - | work |
aws s3 cp -' becomes: --stdin URL --stdout URL -- work. A checkpoint is written
under a temporary name, and renamed. --keep-failed URL keeps what an attempt
that failed has left of these, --keep-failed work/=URL/ its other files. Not
with --each. Flags: nth run --help=data
`
	markers = `A marker is a small JSON document for each finished item, below the URL of
--markers: a place for this run of the Job, as in 's3://bucket/resize/<<.Job>>'.

  done/7.json     item 7 is done, and isn't run again
  failed/7.json   its last failure: exit code, end of stderr, failures so far
  skipped/7.json  it is bad, by --skip-exit-codes
  started/7.json  who began last, with --record-start
  claim/7.json    who works at it, with --claim
  commit/7.json   which run's outputs count, with --output and --stdout
  done/tasks/     tasks of a queue, by a hash of their names
  progress/7/     which items of a shard are done, with --each
  settled/        who looks whether it was the last, with --success

Only a store's own "no such object" means "not done": a store that can't be
asked is an error (69, 77), and so is another command's marker (--on-change).
What was killed before its marker runs again: the command must bear that.

nth status looks, nth wait waits for the end, nth reset forgets, nth mark
records by hand, nth check tries the store. Flags: nth run --help=markers
`
	stores = `For --markers, --logs, --require, --done-if, --input and the like, files
of rows, and objects:

  file:///dir                all directories but the last must be there
    ?create_dir=true mountpoint=/mnt/volume
  s3://bucket/prefix         Amazon S3, and what speaks its protocol
    ?region= endpoint= use_path_style=true profile= anonymous=true
  gs://bucket/prefix         Google Cloud Storage
    ?anonymous=true universe_domain= user_project=
  azblob://container/prefix  Azure Blob Storage
    ?storage_account= domain= localemu=true anonymous=true

Credentials are looked for where the vendors' own tools have them, such as
AWS_ACCESS_KEY_ID, a pod's identity, GOOGLE_APPLICATION_CREDENTIALS or
AZURE_STORAGE_KEY; never in the URL. nth check --markers URL tries all that nth
needs, and names the permission that is missing. Flags: nth run --help=stores
`
	queues = `Where --tasks takes tasks from, one after the other; the index is the worker's:

  redis://host/0?queue=NAME              a list (rediss:// with TLS)
  redis://host/0?stream=NAME&group=NAME  a stream
  sqs://host/account/queue               Amazon SQS
  amqp://host/vhost?queue=NAME           RabbitMQ (amqps:// with TLS)
  postgres://host/database?table=NAME    PostgreSQL; --take-sql: tables of yours
  mysql://user@host/database?table=NAME  MariaDB or MySQL (or mariadb://)
  https://host/take                      with --keep-url and --done-url

A worker takes a task, leaves it if its marker is there, else runs the command
with .Task, writes the marker and tells the queue. When a worker dies, another
one gets the task after --lease. A task that fails goes back, and after
--max-attempts aside. A worker ends when nothing is ready and no unfinished
task was last its own: with 0, or 65 if it has put tasks aside. Every queue may
give a task twice; with --markers it is done once.

Passwords: REDISCLI_AUTH, PGPASSWORD, MYSQL_PWD.
Flags: nth run --help=tasks, http, sql
`
	signals = `Signals go to the command (--signal-target group: to its process group), as
another one with --signal TERM=INT. nth reaps orphans as PID 1 must, and ends
what the command leaves behind, by SIGKILL after --sweep-grace.

TERM, INT, QUIT and HUP mean stop (--stop-signals): before the command runs, nth
ends at once; a marker that is being written is still written. Many programs
end with 0 on SIGTERM, so that is no success after a stop signal: nth exits with
128+n and writes no marker. --exit-zero-after-signal=done is for commands that
finish their work first. --stop-grace bounds how long the command may take to
end, --timeout how long it may run (exit 124). --drain lets a queue's task go on
for that long before the signal is passed on. Flags: nth run --help=command
`
)
