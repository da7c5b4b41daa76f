package manifest

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"nth/shim/config"
	"nth/shim/failure"
	"nth/shim/flags"
	"nth/shim/forecast"
	"nth/shim/manifest/batch"
	"nth/shim/policy"
	"nth/shim/status"
)

// job is what is printed, as the steps find it out.
type job struct {
	Config
	own []string // the flags' own words
	env func(string) (string, bool)

	version     version
	auto        bool   // --completions, which was counted
	total       int64  // indexes of the whole Job
	completions int64  // of what is printed: fewer where it is a repair
	indexes     string // of a repair
	parallelism int64
	maxFailed   int64
	name        string
	forecast    *forecast.Forecast
	needs       object    // requests and limits
	least, most resources // the same, as quantities
	sbatch      []batch.Option
	first       *status.Job // that is repaired, as Kubernetes tells; nil: nobody asked
	mounted     []volume    // by --volume
	success     success
	beside      []object // the containers of --sidecar
	selector    object   // of --node-selector
	tolerated   list     // by --toleration
	set         object   // the JobSet of --append-to
	after       list     // of --depends-on
	hints       []string
}

func (j *job) say(format string, args ...any) {
	j.hints = append(j.hints, fmt.Sprintf(format, args...))
}

func (j *job) repairs() bool { return j.Index.Indexes != "" || j.Missing || j.Failed }

// size finds out how many indexes there are. With a queue they are its workers, each of
// which is to run at once.
func (j *job) size(w World) error {
	if err := j.count(w); err != nil {
		return err
	}
	queue := (j.Source() == config.Queue)
	switch {
	case j.Index.Completions == nil && queue && j.Parallelism > 0:
		n := int64(j.Parallelism)
		j.Index.Completions = &n
	case j.Index.Completions == nil && queue:
		return usage("--parallelism", errors.New("how many workers there are isn't given"), "give --parallelism 8")
	case j.Index.Completions == nil:
		return usage("--completions", errors.New("how many indexes there are isn't given"), "give --completions 100")
	case *j.Index.Completions < 1 || *j.Index.Completions > math.MaxInt32:
		return usage("--completions", fmt.Errorf("%d is not from 1 to %d", *j.Index.Completions, math.MaxInt32), "give the number of indexes of the whole Job")
	case queue && j.Parallelism > 0 && int64(j.Parallelism) != *j.Index.Completions:
		return contradiction("--parallelism and --completions", errors.New("with a queue each index is a worker, and all of them work at the same time"), "give --parallelism alone")
	}
	j.total, j.completions = *j.Index.Completions, *j.Index.Completions
	return nil
}

// identify gives the object its name, and nth that of the Job. A repair is an object of
// its own, whose markers are those of the Job that it repairs.
func (j *job) identify(World) error {
	j.name = j.Name
	if j.set != nil {
		j.name, _ = j.set.path("metadata", "name").(string)
	}
	if j.name == "" {
		j.name = j.Index.Job
		if j.repairs() && j.name != "" {
			j.name += "-repair"
		}
	}
	if j.name == "" {
		return usage("--name", errors.New("it is not given"), "give a name such as resize-2024")
	}
	if j.Kind != "job" && j.Kind != slurm && j.Index.Job != "" && j.Index.Job != j.name {
		return contradiction("--job", errors.New("each Job of a "+j.Kind+" has a name of its own"), "take it away")
	}
	return nil
}

// foreign tells whether nth's name of the Job is another than the object's.
func (j *job) foreign() bool { return j.Index.Job != "" && j.Index.Job != j.name }

// Limits of Kubernetes (pkg/apis/batch/validation).
const (
	mostAtOnce   = 100_000
	many         = 100_000 // completions from which on fewer may run, and fail
	mostOfMany   = 10_000
	defaultWidth = 10 // pods at the same time
)

// bound brings the numbers within what Kubernetes takes, or refuses them.
func (j *job) bound(World) error {
	most := int64(mostAtOnce)
	if j.completions > many {
		most = mostOfMany
	}
	j.parallelism = min(defaultWidth, j.completions)
	switch {
	case (j.Source() == config.Queue):
		j.parallelism = j.completions
	case j.Parallelism > 0:
		j.parallelism = min(int64(j.Parallelism), j.completions)
	}
	if j.parallelism > most {
		return contradiction("--parallelism", fmt.Errorf("at most %d pods of %d run at the same time in Kubernetes", most, j.completions), fmt.Sprintf("give --parallelism %d or less", most))
	}
	limit, err := policy.ParseMaxFailed(j.MaxFailed)
	if err != nil {
		return usage("--max-failed", err, "")
	}
	if j.maxFailed = limit.Of(j.completions); j.maxFailed > most {
		if j.MaxFailed != "" {
			return contradiction("--max-failed", fmt.Errorf("%d is more than the %d that Kubernetes takes for %d indexes", j.maxFailed, most, j.completions), "give a smaller number")
		}
		j.maxFailed = most
	}
	return j.checkName()
}

// anyUID stands for the Job's unique ID, which nobody knows before.
const anyUID = "00000000-0000-0000-0000-000000000000"

// foresee expands everything as the first and the last pod will.
func (j *job) foresee(World) (err error) {
	for _, s := range flags.Given(config.Config{}, j.own, j.env) {
		if s.Inherited && config.UseOf(s.Flag, config.ForManifest) != config.Refuses {
			j.say("%s is taken from the environment here", s.Variable)
		}
	}
	run := j.Config.Config
	run.Index.Indexes, run.Index.JobUID = j.indexes, anyUID
	if j.Kind == slurm {
		run.Index.JobUID = ""                             // nobody gives it one
		run.Index.IndexOffset, run.Index.Platform = 0, "" // the numbers are the array's, and the indexes these
	}
	if run.Index.Job == "" {
		run.Index.Job = j.name
	}
	if j.forecast, err = forecast.Foresee(run, 0, j.completions-1); err != nil {
		return err
	}
	return j.shared()
}

// shared refuses markers that another Job would take for its own, or a repair not.
func (j *job) shared() error {
	f := j.forecast
	switch {
	case j.Markers.URL == "":
	case j.repairs() && (f.NamesUID || f.NamesJob && j.Index.Job == ""):
		return contradiction("--markers", errors.New("its URL names the Job, which for the repair is another one"), "name the Job that is repaired: --job NAME; without .JobUID in the URL")
	case (j.Source() == config.Queue) || f.NamesJob || f.NamesUID:
	case j.Kind == "cronjob":
		return contradiction("--markers", errors.New("its URL is the same for every run of the CronJob: after the first, each would skip everything"), "write <<.Job>> into it")
	case j.set != nil && j.sameMarkers():
		return contradiction("--markers", errors.New("another Job of the JobSet has the same URL: each would take what the other has done for its own"), "write <<.Job>> into it, in each of them")
	case j.Kind == "jobset" && j.Replicas > 1:
		return contradiction("--markers", errors.New("its URL is the same for every replica: each would skip what another has done"), "write <<.Job>> into it")
	}
	return nil
}

// placeholder is an image that nobody has.
const placeholder = "registry.example.com/nth:1"

// hint says what is right for Kubernetes and nth, and may all the same not be meant.
func (j *job) hint(World) error {
	f := j.forecast
	if j.Markers.URL == "" {
		j.say("no --markers: nothing is recorded, so that an index which is run again does its work again")
	}
	if !f.UsesIndex {
		j.say("the command doesn't use the index: every pod would run the same (write <<.Index>> into it; fine only if it reads JOB_COMPLETION_INDEX itself)")
	}
	if lacks := j.lacks(f.Markers); lacks != "" {
		j.say("--markers %s: %s", f.Markers, lacks)
	}
	j.unkept()
	if len(j.beside) > 0 {
		j.say("%s", j.held())
	}
	j.hintQueue()
	if j.RestartInPlace && j.ActiveDeadline == 0 {
		j.say("--restart-in-place: what doesn't pass is tried for ever, every five minutes in the end: --active-deadline ends the Job then")
	}
	if slices.ContainsFunc(j.mounted, func(v volume) bool { return v.kind == "hostPath" }) {
		j.say("--volume hostpath: each node has a directory of its own, unless all mount the same there: name one below what is mounted, which a node lacks that has not mounted it; and the Pod Security Standards refuse such pods")
	}
	for _, flag := range j.literals() {
		j.say(`%s holds a password or a token as it is, and so does the manifest: write <<secret "NAME">> there, and give --env-from secret/NAME`, flag)
	}
	if len(j.EnvFrom) == 0 && j.ServiceAccount == "" {
		for _, w := range j.wanted() {
			j.say("%s: see --env-from and --service-account", w)
		}
	}
	if j.repairs() && j.Name == "" {
		j.say("%s may be there from an earlier repair, and apply doesn't run a Job that exists: kubectl delete job %s --ignore-not-found comes first, or --name", j.name, j.name)
	}
	if j.Via != "copy" && j.NthImage == placeholder {
		j.say("%s stands for where you keep nth's image: --nth-image", placeholder)
	}
	return j.old()
}

// old says what an older Kubernetes can't keep, and refuses where nothing would work.
func (j *job) old() error {
	v := j.version
	lacks := func(what string) error {
		return &failure.Failure{Code: failure.Setup, Tried: "print the manifest", On: "for " + v.String(), Cause: errors.New("it has no " + what), Hint: "take a newer one"}
	}
	switch {
	case !v.has(indexedJob):
		return lacks("indexed Jobs")
	case j.Via == "image-volume" && v != 0 && v < imageVolumeGate:
		return lacks("image volumes")
	case j.Via == "image-volume" && !v.has(imageVolume):
		j.say("%s has image volumes only with the feature gate ImageVolume", v)
	}
	if !v.has(failurePolicy) {
		j.say("%s has no podFailurePolicy: a Job that is set up wrongly (64, 78) is tried until its limit is reached, and a drained node counts as a failure", v)
	}
	if len(j.beside) > 0 && !v.has(nativeSidecar) {
		return lacks("native sidecars")
	}
	if j.SuccessPolicy != "" && !v.has(successRules) {
		return lacks("success policy")
	}
	switch {
	case !j.RestartInPlace || v.has(restartRules):
	case v < restartRulesGate:
		return lacks("restart rules for containers")
	default:
		j.say("%s has restart rules only with the feature gate ContainerRestartRules: without it --restart-in-place does nothing, and each such failure counts", v)
	}
	if !v.has(backoffPerIndex) {
		j.say("%s has no backoffLimitPerIndex: an index that always fails ends the whole Job", v)
	}
	return nil
}
