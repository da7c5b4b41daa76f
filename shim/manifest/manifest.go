// Package manifest prints the Kubernetes manifest of a command: a Job with an index for
// each item, with the policy that nth's exit codes are made for and with what a pod isn't
// told by itself. It knows Kubernetes' types by their fields' names alone, for they
// would be larger than all of nth; the tests hold its output against them.
package manifest

import (
	"io"
	"time"

	"nth/shim/config"
	"nth/shim/edge"
	"nth/shim/failure"
	"nth/shim/screen"
)

// Config is what `nth manifest` is told: the flags of the run, and those of the Job
// around it.
type Config struct {
	config.Config

	Name              string   `group:"Manifest" env:"-" placeholder:"NAME" help:"Name of the object (default: that of --job, for a repair with -repair behind it)."`
	Namespace         string   `group:"Manifest" env:"-" placeholder:"NAME" help:"Its namespace."`
	Kind              string   `group:"Manifest" env:"-" default:"job" enum:"job,cronjob,jobset,slurm" help:"What is printed: job, cronjob or jobset of Kubernetes, or slurm: a script for sbatch."`
	Sbatch            []string `group:"Manifest" env:"-" sep:"\n" placeholder:"OPTION" help:"With --kind slurm: another option of sbatch, such as partition=short or time=2:00:00. Repeatable."`
	Schedule          string   `group:"Manifest" env:"-" placeholder:"CRON" help:"When a CronJob runs, such as '0 3 * * *'."`
	Replicas          int      `group:"Manifest" env:"-" default:"1" placeholder:"N" help:"How many Jobs of its kind a JobSet has."`
	Format            string   `group:"Manifest" env:"-" default:"yaml" enum:"yaml,json" help:"yaml, with comments, or json."`
	ReplicatedJob     string   `group:"Manifest" env:"-" default:"work" placeholder:"NAME" help:"What the Job is called within a JobSet."`
	AppendTo          string   `group:"Manifest" env:"-" placeholder:"FILE|-" help:"A JobSet that nth manifest --format json has printed: this Job becomes one more of it."`
	DependsOn         []string `group:"Manifest" env:"-" placeholder:"NAME[:Ready]" help:"Start when these Jobs of the JobSet of --append-to have completed, or are ready."`
	KubernetesVersion string   `group:"Manifest" env:"-" placeholder:"1.N" help:"Leave out what this version of Kubernetes doesn't have."`
	NoLook            bool     `group:"Manifest" env:"-" help:"Ask no store whether the inputs are there, and let outputs be the same."`
	Image             string   `group:"Pods" env:"-" placeholder:"IMAGE" help:"The image in which the command runs."`
	Via               string   `group:"Pods" env:"-" default:"init-container" enum:"init-container,image-volume,copy" help:"How nth gets there: init-container, image-volume, or copy: it is in the image already, as /nth."`
	NthImage          string   `group:"Pods" env:"-" default:"registry.example.com/nth:1" placeholder:"IMAGE" help:"The image that holds nth, for --via."`
	Requests          []string `group:"Pods" env:"-" placeholder:"NAME=QUANTITY" help:"What each pod needs, such as cpu=500m,memory=1Gi."`
	Limits            []string `group:"Pods" env:"-" placeholder:"NAME=QUANTITY" help:"What each pod may have at most."`
	EnvFrom           []string `group:"Pods" env:"-" placeholder:"KIND/NAME" help:"Variables from secret/NAME or configmap/NAME, such as the store's credentials."`
	Volume            []string `group:"Pods" env:"-" placeholder:"SOURCE:PATH[:ro]" help:"Mount pvc/NAME, secret/NAME, configmap/NAME, emptydir or hostpath/DIR, a directory of the node, at a path."`
	Sidecar           []string `group:"Pods" env:"-" sep:"\n" placeholder:"FILE" help:"A container that runs beside the command in each pod, such as a proxy, as a native sidecar: in JSON. Repeatable."`
	NodeSelector      []string `group:"Pods" env:"-" placeholder:"LABEL=VALUE" help:"Only nodes that have these labels, such as cloud.google.com/gke-spot=true."`
	Toleration        []string `group:"Pods" env:"-" placeholder:"KEY[=VALUE][:EFFECT]" help:"Nodes with this taint too, as kubectl taint writes it, such as spot=true:NoSchedule; without a value whatever it is, without an effect each."`
	PriorityClass     string   `group:"Pods" env:"-" placeholder:"NAME" help:"The priority class of the pods."`
	ServiceAccount    string   `group:"Pods" env:"-" placeholder:"NAME" help:"The service account that the pods run as."`
	User              *int64   `group:"Pods" env:"-" placeholder:"UID" help:"The user that the pods run as (default: the image's)."`

	Parallelism           int            `group:"Policy" default:"0" placeholder:"N" help:"How many pods run at the same time; 0: ten, or all."`
	BackoffLimitPerIndex  int            `group:"Policy" default:"3" placeholder:"N" help:"How often a failed index is tried again."`
	RestartInPlace        bool           `group:"Policy" env:"-" help:"Where a store can't be reached, refuses or has taken no marker (69, 77, 73): start the container again in its pod, which is no failure of the index."`
	MaxFailed             string         `group:"Policy" placeholder:"N|N%" help:"End the Job when more indexes than this have failed (default 10%, but at least 10)."`
	ActiveDeadline        time.Duration  `group:"Policy" env:"-" placeholder:"D" help:"End the Job when it has taken this long, whatever is left; with a CronJob each run."`
	SuccessPolicy         string         `group:"Policy" env:"-" placeholder:"LIST|count=N" help:"The Job has succeeded when these indexes have, or N of them, as in 0-9,count=5 or count=5."`
	TTL                   *time.Duration `group:"Policy" name:"ttl" env:"-" placeholder:"D" help:"Delete the Job this long after it has ended (default: never; a repair after 1h, which makes way for the next one)."`
	QueueName             string         `group:"Policy" env:"-" placeholder:"NAME" help:"Kueue's local queue, in which the Job waits, suspended, until there is room for it."`
	WorkloadPriorityClass string         `group:"Policy" env:"-" placeholder:"NAME" help:"Its class in the queue, which isn't that of its pods."`

	Missing    bool   `group:"Repair" env:"-" help:"Only the indexes that have no marker in the store at --markers, failed ones too, and that don't run now."`
	Failed     bool   `group:"Repair" env:"-" help:"Only the indexes that have failed and aren't done, by the store at --markers."`
	Reason     string `group:"Repair" env:"-" placeholder:"REASON" help:"With --failed: only those of one reason, such as oom or timeout, as nth status shows them."`
	Kubernetes string `group:"Repair" env:"-" placeholder:"FILE|-" help:"Take requests and limits from the first Job: the output of kubectl get job,pods -o json. With its pods, what Kubernetes alone knows counts too, such as a pod that was killed for memory."`
	Memory     string `group:"Repair" env:"-" placeholder:"Nx" help:"So many times the memory that the first Job had, or that --requests and --limits say, such as 2x."`
	CPU        string `group:"Repair" name:"cpu" env:"-" placeholder:"Nx" help:"So many times the CPU, such as 1.5x."`
}

// World is what printing a manifest touches.
type World struct {
	edge.Process
	Stdin  io.Reader
	Stdout io.Writer
}

// Command is `nth manifest`: own are the flags' own words, command what follows them.
// The manifest is printed whole or not at all; what a person should know besides goes to
// stderr. An error is a failure with the exit code.
func Command(c Config, own, command []string, w World) error {
	c.Command = command
	j := &job{Config: c, own: own, env: w.LookupEnv}
	out, err := j.print(w)
	if err != nil {
		return err
	}
	if err := j.pin(w); err != nil { // only now: nothing refuses the Job any more
		return err
	}
	for _, h := range j.hints {
		screen.Tell(w.Stderr, "nth manifest: %s", h)
	}
	if _, err := w.Stdout.Write(out); err != nil {
		return &failure.Failure{Code: failure.Unavailable, Tried: "print the manifest", Cause: err}
	}
	return nil
}

// print gives what is printed.
func (j *job) print(w World) ([]byte, error) {
	if j.Kind == slurm {
		return j.printSlurm(w)
	}
	for _, step := range []func(*job, World) error{
		(*job).check,    // what the flags say by themselves
		(*job).require,  // what each pod needs
		(*job).size,     // how many indexes
		(*job).ends,     // and when all of it is over
		(*job).agree,    // and what they say together
		(*job).choose,   // which indexes, of a repair
		(*job).identify, // what it is called, and what its markers call it
		(*job).bound,    // within what Kubernetes takes
		(*job).foresee,  // would the pods refuse it?
		(*job).hint,     // what is right, and may not be meant
		(*job).prove,    // are the inputs there?
	} {
		if err := step(j, w); err != nil {
			return nil, err
		}
	}
	tree, err := j.tree()
	switch {
	case err != nil:
		return nil, err
	case j.Format == "json":
		return formatJSON(tree)
	}
	return formatYAML(tree), nil
}

func usage(on string, cause error, hint string) error {
	return &failure.Failure{Code: failure.Usage, Tried: "read", On: on, Cause: cause, Hint: hint}
}

func contradiction(on string, cause error, hint string) error {
	return &failure.Failure{Code: failure.Setup, Tried: "reconcile", On: on, Cause: cause, Hint: hint}
}
