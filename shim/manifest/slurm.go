package manifest

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"nth/shim/config"
	"nth/shim/flags"
	"nth/shim/identity"
	"nth/shim/manifest/batch"
)

// slurm is the kind that is no object of Kubernetes', but a script for sbatch.
const slurm = "slurm"

// forSlurm are the flags of nth manifest that a script of Slurm's has something for. All
// others are about pods.
const forSlurm = " --name --kind --no-look --sbatch --requests --limits --parallelism --missing --failed --reason --memory --cpu "

// slurmStopGrace leaves nth some time to write what it was: Slurm kills a job that was
// cancelled 30 s after SIGTERM (KillWait, unless the site says otherwise).
const slurmStopGrace = "20s"

// checkSlurm refuses flags that are about pods.
func (j *job) checkSlurm(World) (err error) {
	told := flags.Said(j.Config)
	for _, flag := range slices.Sorted(maps.Keys(told)) {
		if config.UseOf(flag, config.ForManifest) == config.Unknown && !strings.Contains(forSlurm, " "+flag+" ") {
			return usage(flag, errors.New("it is about Kubernetes, and a script of Slurm's has nothing for it"), "take it away, also from the environment; --sbatch gives other options of sbatch")
		}
	}
	if p := j.Index.Platform; p != "" && p != slurm {
		return usage("--platform", fmt.Errorf("the tasks of the array are told their numbers by Slurm, and %q is another", p), "take it away")
	}
	if j.Parallelism < 0 {
		return usage("--parallelism", errors.New("it is negative"), "give how many tasks of the array run at the same time")
	}
	for _, text := range j.Sbatch {
		o, err := batch.Parse(text)
		if err != nil {
			return usage("--sbatch", err, "write NAME=VALUE, such as partition=short, or NAME, such as exclusive")
		}
		if strings.Contains(" array job-name wrap parsable test-only export-file help usage version ", " "+o.Name+" ") {
			return usage("--sbatch "+o.Name, errors.New("the script has its own, or none"), "see --completions, --indexes, --parallelism and --name")
		}
		j.sbatch = append(j.sbatch, o)
	}
	return nil
}

// nameSlurm refuses a name of which no file can be called.
func (j *job) nameSlurm(World) error {
	err := batch.Line(j.name)
	if err == nil && (strings.ContainsRune(j.name, '/') || len(j.name) > 200) {
		err = fmt.Errorf("%.80q can't be a part of a file's name", j.name)
	}
	if err != nil {
		return usage("--name", err, "give a name such as resize-2024")
	}
	return nil
}

// tasks gives the array's numbers, which are the indexes less --index-offset: there the user
// chooses them, so that a repair has those of the first array.
func (j *job) tasks() (string, error) {
	list := identity.Span(0, j.completions)
	if j.repairs() {
		var err error
		if list, err = identity.ParseList(j.indexes); err != nil {
			return "", err
		}
	}
	if list.At(0) < j.Index.IndexOffset {
		return "", contradiction("--index-offset", errors.New("an array's number is its index less this, and the first would be below 0"), "give --index-offset -1 for an array from 1")
	}
	list = list.Shift(-j.Index.IndexOffset)
	text := list.String()
	if list.Last() > usualLast {
		j.say("the array's last number is %d: without MaxArraySize in slurm.conf Slurm takes none above %d (scontrol show config)", list.Last(), usualLast)
	}
	if err := batch.Line(text); err != nil {
		return "", contradiction("the list of indexes", err, "submit the whole array again: an index that is done is skipped in no time")
	}
	if j.Parallelism > 0 && j.Source() != config.Queue {
		text += "%" + strconv.Itoa(j.Parallelism)
	}
	return text, nil
}

// usualLast is the greatest number of an array: MaxArraySize is 1001.
const usualLast = 1000

// limit gives how long a task may take and how long before its end nth is told to stop, where
// the flags tell; 0: they don't. nth's own time limit comes first, for Slurm may send a signal
// a minute early (sbatch(1)).
func (j *job) limit() (minutes, lead int64) {
	each := j.Process.Timeout
	switch queue := j.Source() == config.Queue; {
	case each == 0 || j.Mapping.Each, queue && j.Tasks.MaxRuntime == nil:
		return 0, 0
	case queue:
		each += *j.Tasks.MaxRuntime
	default:
		retries := time.Duration(j.Process.Retries)
		each += retries * (each + time.Minute) // with the longest pause
	}
	lead, _ = j.grace()
	return (seconds(each) + lead + 60 + 59) / 60, lead
}

// options are the script's own, then those of --sbatch, which go before.
func (j *job) options() (all []batch.Option, err error) {
	array, err := j.tasks()
	if err != nil {
		return nil, err
	}
	own := []batch.Option{{Name: "job-name", Value: j.name}, {Name: "array", Value: array},
		{Name: "output", Value: "%x-%A_%a.log"},
		{Name: "open-mode", Value: "append", Why: "the next attempt goes on in its file"},
		{Name: "requeue", Bare: true, Why: "a task whose node has failed runs again"}}
	if minutes, lead := j.limit(); minutes > 0 && !j.gives("time") {
		_, sum := j.grace()
		own = append(own, batch.Option{Name: "time", Value: strconv.FormatInt(minutes, 10), Why: "minutes: what nth itself allows, and what it needs to stop"},
			batch.Option{Name: "signal", Value: fmt.Sprintf("B:TERM@%d", lead), Why: "to nth, before Slurm signals all: " + sum})
	}
	for _, need := range []struct {
		option, resource, unit string
		of                     [2]resources
		size                   int64
	}{{"mem", "memory", "M", [2]resources{j.most, j.least}, 1 << 20}, {"cpus-per-task", "cpu", "", [2]resources{j.least, j.most}, 1}} {
		for _, of := range need.of {
			if q, is := of[need.resource]; is {
				n := ceiling(q.nano, big.NewInt(need.size*int64(time.Second)))
				own = append(own, batch.Option{Name: need.option, Value: n.String() + need.unit})
				break
			}
		}
	}
	for _, o := range own {
		if !j.gives(o.Name) && (o.Name != "requeue" || !j.gives("no-requeue")) {
			all = append(all, o)
		}
	}
	return append(all, j.sbatch...), nil
}

// gives tells whether --sbatch gives an option.
func (j *job) gives(name string) bool {
	return slices.ContainsFunc(j.sbatch, func(o batch.Option) bool { return o.Name == name })
}

// needSlurm refuses what sbatch has no such option for.
func (j *job) needSlurm(World) error {
	for i, of := range []resources{j.least, j.most} {
		for _, name := range slices.Sorted(maps.Keys(of)) {
			if name != "cpu" && name != "memory" {
				return usage([]string{"--requests", "--limits"}[i], fmt.Errorf("%s: a script of Slurm's has only cpu and memory of them", name), "give --sbatch, such as gres=gpu:1 or tmp=10G")
			}
		}
	}
	return nil
}

// script gives the script for sbatch.
func (j *job) script() ([]byte, error) {
	options, err := j.options()
	if err != nil {
		return nil, err
	}
	s := batch.Script{Magic: "#SBATCH", Options: options, Call: j.Command, Notes: []string{"nth is looked for in PATH, as it is where sbatch is called."}}
	if j.Source() == config.Queue && j.Tasks.MaxRuntime == nil {
		s.Notes = append(s.Notes, "When the job ends, for nth takes no task shortly before: older Slurms don't tell it.")
		s.Lines = append(s.Lines, `if [ -z "${SLURM_JOB_END_TIME:-}" ]; then`,
			`  SLURM_JOB_END_TIME=$(date -d "$(squeue -h -j "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" -o %e)" +%s 2>/dev/null) || :`,
			`  export SLURM_JOB_END_TIME`, `fi`)
	}
	job := j.Index.Job
	if job == "" {
		job = j.name
	}
	s.Words = []string{"--job=" + job, "--completions=" + strconv.FormatInt(j.total, 10)}
	for _, set := range flags.Given(config.Config{}, j.own, j.lookup) {
		_, here := j.env(set.Variable)
		switch {
		case !set.Inherited || !handed(set.Flag) || !here && set.Flag == "--reserve-exit-codes": // no policy goes by nth's own
		case set.Words != nil:
			s.Words = append(s.Words, set.Words...)
		default:
			s.Lines = append(s.Lines, "export "+set.Variable+"="+batch.Word(set.Value))
		}
	}
	for _, w := range j.own {
		if name, _, _ := strings.Cut(w, "="); handed(name) {
			s.Words = append(s.Words, w)
		}
	}
	return s.Text(), nil
}

// handed tells whether a flag is one of nth run's, which the script hands on as it is.
func handed(flag string) bool {
	use := config.UseOf(flag, config.ForManifest)
	return use != config.Unknown && use != config.Refuses && !strings.Contains(told, " "+flag+" ")
}

// hintSlurm says what is right, and may not be meant.
func (j *job) hintSlurm(World) error {
	f := j.forecast
	if j.Markers.URL == "" {
		j.say("no --markers: nothing is recorded, so that an index which is run again does its work again")
	}
	if !f.UsesIndex {
		j.say("the command doesn't use the index: every task would run the same (write <<.Index>> into it; fine only if it reads SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX itself)")
	}
	if strings.HasPrefix(f.Markers, "file://") {
		j.say("--markers %s: the directory must be one that all nodes have, on a shared file system", f.Markers)
	}
	for _, flag := range j.literals() {
		j.say(`%s holds a password or a token as it is, and so does the script: write <<secret "NAME">> there, and export NAME before sbatch`, flag)
	}
	if minutes, _ := j.limit(); minutes == 0 && !j.gives("time") {
		j.say("nothing says how long a task may take, so that the partition's limit is the only one: --timeout, or --sbatch time=2:00:00")
	}
	return nil
}

// printSlurm goes the way of a Kubernetes Job, as far as that is the same.
func (j *job) printSlurm(w World) ([]byte, error) {
	for _, step := range []func(*job, World) error{
		(*job).checkSlurm, (*job).require, (*job).needSlurm, (*job).size, (*job).agree, (*job).choose, (*job).identify, (*job).nameSlurm,
		(*job).foresee, (*job).hintSlurm, (*job).prove,
	} {
		if err := step(j, w); err != nil {
			return nil, err
		}
	}
	return j.script()
}
