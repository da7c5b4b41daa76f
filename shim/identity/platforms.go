package identity

// Platform is one row of the table: how one scheduler tells a process which
// index it is.
type Platform struct {
	Name     string // for --platform
	Title    string // for people
	Variable string // holds the index
	// Fixed: the platform numbers the indexes itself, from Base. Otherwise the user
	// chose the numbers, and they are kept: renumbering --array=42 to 0 would make
	// the rerun of item 42 process item 0.
	Fixed    bool
	Base     int64
	NotArray []string // values that mean "not an array here": never an index, never 0
	Count    string   // variable with the number of indexes; "": none
	Last     string   // variable with the greatest index; "": none
	Attempt  string   // variable with the attempt; "": none
	First    int      // what Attempt holds at the first attempt
	Job      string   // variable with a name or ID that all tasks of the job share; "": none
	JobEnd   string   // where in Job's value the task's own part begins; "": it has none
	NamedBy  string   // variable that names the one with the index, which is Variable most often; "": it is Variable
	Offset   string   // variable with what is added to the number to get the index; "": none
	Else     string   // variable that holds the index where Variable says that there is no array; "": none
	Until    string   // variable with the Unix time at which the job is ended; "": none
	Stop     string   // signal that announces a kill, beside those that mean stop everywhere; "": none
}

// kubernetes is the row that has neither count nor attempt in the environment.
var kubernetes = &platforms[0]

// Platforms is the table, in the order in which the rows are looked at. Each
// row's source stands above it.
var Platforms = platforms[:]

var platforms = [...]Platform{
	// Kubernetes, Job documentation, completion mode Indexed; the index is set by
	// pkg/controller/job/indexed_job_utils.go. There is no count and no attempt.
	{Name: "kubernetes", Title: "Kubernetes Indexed Job", Variable: "JOB_COMPLETION_INDEX", Fixed: true},
	// AWS Batch user guide, "Job environment variables". The index is set in the
	// children of an array job only; the attempt begins at 1. "Array jobs": a child's
	// ID is its parent's, a colon and the index.
	{Name: "aws-batch", Title: "AWS Batch array job", Variable: "AWS_BATCH_JOB_ARRAY_INDEX", Fixed: true,
		Count: "AWS_BATCH_JOB_ARRAY_SIZE", Attempt: "AWS_BATCH_JOB_ATTEMPT", First: 1, Job: "AWS_BATCH_JOB_ID", JobEnd: ":"},
	// Google Cloud Batch documentation, "Predefined environment variables".
	{Name: "google-batch", Title: "Google Batch", Variable: "BATCH_TASK_INDEX", Fixed: true,
		Count: "BATCH_TASK_COUNT", Attempt: "BATCH_TASK_RETRY_ATTEMPT", Job: "BATCH_JOB_UID"},
	// Cloud Run container runtime contract, "Environment variables for jobs".
	{Name: "cloud-run", Title: "Cloud Run job", Variable: "CLOUD_RUN_TASK_INDEX", Fixed: true,
		Count: "CLOUD_RUN_TASK_COUNT", Attempt: "CLOUD_RUN_TASK_ATTEMPT", Job: "CLOUD_RUN_JOB"},
	// Slurm, "Job Array Support" and sbatch(1). SLURM_RESTART_COUNT is unset at
	// first, then 1, 2, …; the list may be sparse, so the bound is the maximum.
	// People clear the variable for a job that an array's task submits. SLURM_JOB_END_TIME
	// came after 22.05, and whoever has an older one may set it.
	{Name: "slurm", Title: "Slurm job array", Variable: "SLURM_ARRAY_TASK_ID", NotArray: []string{""},
		Count: "SLURM_ARRAY_TASK_COUNT", Last: "SLURM_ARRAY_TASK_MAX", Attempt: "SLURM_RESTART_COUNT", Job: "SLURM_ARRAY_JOB_ID", Until: "SLURM_JOB_END_TIME"},
	// Flyte, flytekit/bin/entrypoint.py (_compute_array_job_index) and flytepropeller,
	// pkg/controller/nodes/array/execution_context.go: a variable names the one with the
	// index, such as AWS Batch's, and another may hold what is to be added, where the array
	// is smaller than the list.
	{Name: "flyte", Title: "Flyte map task", Variable: "FLYTE_K8S_ARRAY_INDEX", Fixed: true, NamedBy: "BATCH_JOB_ARRAY_INDEX_VAR_NAME",
		Offset: "BATCH_JOB_ARRAY_INDEX_OFFSET", Attempt: "FLYTE_ATTEMPT_NUMBER", Job: "FLYTE_INTERNAL_EXECUTION_ID"},
	// OpenPBS, src/resmom/start_exec.c. PBS_JOBID is the task's, PBS_ARRAY_ID the array's.
	{Name: "pbs", Title: "PBS Pro, OpenPBS", Variable: "PBS_ARRAY_INDEX", Job: "PBS_ARRAY_ID"},
	// Torque, qsub(1) and src/server/job_func.c. PBS_JOBID is 1098[3].host.
	{Name: "torque", Title: "Torque", Variable: "PBS_ARRAYID", Job: "PBS_JOBID", JobEnd: "["},
	// Grid Engine, source/daemons/execd/exec_job.c: "undefined" in a job that is no
	// array. Its numbers begin at 1; a 0 is what an outer nth's --index-offset made.
	// RESTARTED is 0, and 1 after any number of reschedulings. With qsub -notify SIGUSR2
	// goes to every process of a job that is about to be killed (qsub(1)).
	{Name: "sge", Title: "Grid Engine", Variable: "SGE_TASK_ID", NotArray: []string{"undefined"}, Last: "SGE_TASK_LAST",
		Attempt: "RESTARTED", Job: "JOB_ID", Stop: "USR2"},
	// IBM Spectrum LSF, "Environment variable reference": 0 in a job that is no
	// array. All elements share the job ID ("Job arrays").
	{Name: "lsf", Title: "LSF", Variable: "LSB_JOBINDEX", NotArray: []string{"0"}, Last: "LSB_JOBINDEX_END", Job: "LSB_JOBID"},
	// Nomad, client/taskenv/env.go. The number isn't unique: a canary or a
	// replacement may run beside another allocation of its number (nomad#5879,
	// #10727), as two pods of a Kubernetes Job may, and a system job has 0 everywhere.
	{Name: "nomad", Title: "Nomad", Variable: "NOMAD_ALLOC_INDEX", Fixed: true, Job: "NOMAD_JOB_ID"},
	// Volcano, pkg/controllers/job/plugins/env/const.go (the env plugin).
	{Name: "volcano", Title: "Volcano", Variable: "VC_TASK_INDEX", Fixed: true},
	// HyperQueue, docs/jobs/jobs.md.
	{Name: "hyperqueue", Title: "HyperQueue", Variable: "HQ_TASK_ID", Job: "HQ_JOB_ID"},
	// Coiled documentation, "Batch Jobs" and "Environment Variables Injected by Coiled":
	// from 0, or as --array picks them.
	{Name: "coiled", Title: "Coiled Batch", Variable: "COILED_BATCH_TASK_ID", Job: "COILED_CLUSTER_ID"},
	// Tencent Cloud BatchCompute documentation, "Environment Variables" (599/11752).
	{Name: "tencent-batch", Title: "Tencent BatchCompute", Variable: "BATCH_TASK_INSTANCE_INDEX", Fixed: true,
		Count: "BATCH_TASK_INSTANCE_NUM", Job: "BATCH_JOB_ID"},
	// TACC Launcher, README.md and launcher: the line of the job file, from 1.
	// LAUNCHER_TSK_ID is the worker, which runs many lines.
	{Name: "launcher", Title: "TACC Launcher", Variable: "LAUNCHER_JID", Fixed: true, Base: 1, Count: "LAUNCHER_NJOBS"},
	// disBatch, disbatch/disBatch.py: the number of a #DISBATCH REPEAT, as the user picks
	// them; -1 in a line of its own, which has a task ID from 0.
	{Name: "disbatch", Title: "disBatch", Variable: "DISBATCH_REPEAT_INDEX", NotArray: []string{"-1"}, Else: "DISBATCH_TASKID", Job: "DISBATCH_JOBID"},
	// Buildkite documentation, "Environment variables". Each parallel job has a
	// BUILDKITE_JOB_ID of its own; they share the build.
	{Name: "buildkite", Title: "Buildkite", Variable: "BUILDKITE_PARALLEL_JOB", Fixed: true,
		Count: "BUILDKITE_PARALLEL_JOB_COUNT", Attempt: "BUILDKITE_RETRY_COUNT", Job: "BUILDKITE_BUILD_ID"},
	// GitLab documentation, "Predefined CI/CD variables": from 1. Each parallel job
	// has a CI_JOB_ID of its own; they share the pipeline. Knapsack and Heroku CI use
	// the index's name too, from 0: they need --index-env CI_NODE_INDEX.
	{Name: "gitlab", Title: "GitLab CI", Variable: "CI_NODE_INDEX", Fixed: true, Base: 1, Count: "CI_NODE_TOTAL", Job: "CI_PIPELINE_ID"},
	// CircleCI documentation, "Test splitting and parallelism".
	{Name: "circleci", Title: "CircleCI", Variable: "CIRCLE_NODE_INDEX", Fixed: true, Count: "CIRCLE_NODE_TOTAL", Job: "CIRCLE_WORKFLOW_ID"},
	// GNU parallel, parallel(1), "ENVIRONMENT VARIABLES": from 1.
	{Name: "parallel", Title: "GNU parallel", Variable: "PARALLEL_SEQ", Fixed: true, Base: 1, Job: "PARALLEL_PID"},
}

// Variables gives every variable that holds an index, or tells where it stands, which a supervisor takes out
// of its children's environment.
func Variables() []string {
	names := make([]string, 0, len(Platforms)+3)
	for _, p := range Platforms {
		names = append(names, p.Variable)
		for _, name := range []string{p.NamedBy, p.Offset, p.Else} {
			if name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// AtHand tells whether a variable is set that says which index this is, or where that
// stands: then it is no person who has started the process. What it holds doesn't matter.
func AtHand(env func(name string) (string, bool)) bool {
	for _, name := range append(Variables(), "NTH_INDEX", "NTH_INDEX_ENV", "NTH_PLATFORM") {
		if _, ok := env(name); ok {
			return true
		}
	}
	return false
}

// StopSignals gives the signals by which the platforms here, of an array or not, announce that
// they will kill.
func StopSignals(env func(name string) (string, bool)) (names []string) {
	for i := range Platforms {
		if _, ok := env(Platforms[i].Variable); ok && Platforms[i].Stop != "" {
			names = append(names, Platforms[i].Stop)
		}
	}
	return names
}

func platformNamed(name string) *Platform {
	for i := range Platforms {
		if Platforms[i].Name == name {
			return &Platforms[i]
		}
	}
	return nil
}

func platformNames() string {
	names := ""
	for _, p := range Platforms {
		names += " " + p.Name
	}
	return names[1:]
}
