package servers

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nth/testdata/harness"
)

// Slurm is a cluster of one node, this machine, with a controller, a node's daemon and munge
// of a test's own. The node says that it has more processors than there are, so that an array
// runs as it does elsewhere.
type Slurm struct {
	dir string
}

// What takes more memory than its job asked for is killed outright with all of its job, by
// Slurm, which any machine lets a test have; or the kernel kills one process of it, where it
// has control groups of version 1.
const (
	slurmWatches = `ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
`
	kernelWatches = `ProctrackType=proctrack/cgroup
TaskPlugin=task/cgroup
JobAcctGatherType=jobacct_gather/none
`
	controlGroups = `CgroupPlugin=cgroup/v1
CgroupMountpoint=/sys/fs/cgroup
CgroupAutomount=no
ConstrainRAMSpace=yes
ConstrainSwapSpace=yes
AllowedSwapSpace=0
`
)

// HasControlGroups tells whether this machine has what StartSlurmGroups needs: Slurm's own
// plugin for version 2 needs systemd.
func HasControlGroups() bool {
	_, memory := os.Stat("/sys/fs/cgroup/memory/memory.limit_in_bytes")
	_, freezer := os.Stat("/sys/fs/cgroup/freezer/tasks")
	return memory == nil && freezer == nil
}

// SlurmKillWait is how many seconds there are between SIGTERM and SIGKILL.
const SlurmKillWait = 20

// StartSlurm starts one, and ends it with all its jobs when the test ends. It needs root, as
// Slurm does that is to run jobs in their user's name.
func StartSlurm(t testing.TB) *Slurm {
	t.Helper()
	return startSlurm(t, slurmWatches)
}

// StartSlurmGroups starts one in which the kernel limits memory.
func StartSlurmGroups(t testing.TB) *Slurm {
	t.Helper()
	t.Cleanup(func() { // after the daemons have ended
		left, _ := filepath.Glob("/sys/fs/cgroup/*/slurm_nth")
		for _, dir := range left {
			_ = os.Remove(dir)
		}
	})
	return startSlurm(t, kernelWatches)
}

func startSlurm(t testing.TB, watches string) *Slurm {
	t.Helper()
	s := &Slurm{dir: t.TempDir()}
	key := make([]byte, 1024)
	_, _ = rand.Read(key)
	s.write(t, "munge.key", string(key))
	for _, dir := range []string{"state", "spool"} {
		if err := os.Mkdir(filepath.Join(s.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	controller, node := Address(t), Address(t)
	s.write(t, "slurm.conf", s.settings(t, controller, node)+watches)
	s.write(t, "cgroup.conf", controlGroups)
	s.munge(t)
	conf := filepath.Join(s.dir, "slurm.conf")
	for _, d := range []struct{ name, address, flags string }{{"slurmctld", controller, "-Dc"}, {"slurmd", node, "-D"}} {
		program := Program(t, d.name, "apt-get install slurm-wlm")
		args := []string{d.flags, "-f", conf}
		if d.name == "slurmd" {
			args = append(args, "-N", "nth")
		}
		start(t, d.address, func() *exec.Cmd { return exec.Command(program, args...) })
	}
	t.Cleanup(func() { s.end(t) }) // before the daemons are
	harness.Await(t, func() bool { return s.Says("sinfo", "-h", "-o", "%t") == "idle" }, func() string {
		return fmt.Sprintf("the node doesn't come up: %s %s", s.Says("sinfo"), s.Logs())
	})
	return s
}

func (s *Slurm) settings(t testing.TB, controller, node string) string {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	_, controllerPort, _ := net.SplitHostPort(controller)
	_, nodePort, _ := net.SplitHostPort(node)
	return fmt.Sprintf(`ClusterName=nth
SlurmctldHost=%[2]s(127.0.0.1)
SlurmctldPort=%[3]s
SlurmdPort=%[4]s
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=%[1]s/munge.sock
StateSaveLocation=%[1]s/state
SlurmdSpoolDir=%[1]s/spool
SlurmctldPidFile=%[1]s/slurmctld.pid
SlurmdPidFile=%[1]s/slurmd.pid
SlurmctldLogFile=%[1]s/slurmctld.log
SlurmdLogFile=%[1]s/slurmd.log
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_min_interval=1,default_queue_depth=1000
JobCompType=jobcomp/filetxt
JobCompLoc=%[1]s/completed
KillWait=%[5]d
MinJobAge=36000
SlurmdParameters=config_overrides
NodeName=nth NodeHostname=%[2]s NodeAddr=127.0.0.1 Port=%[4]s CPUs=128 RealMemory=131072 State=UNKNOWN
PartitionName=all Nodes=nth Default=YES MaxTime=INFINITE State=UP DefMemPerCPU=200
`, s.dir, host, controllerPort, nodePort, SlurmKillWait)
}

func (s *Slurm) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// munge starts what Slurm's daemons and commands prove each other by who they are.
func (s *Slurm) munge(t testing.TB) {
	t.Helper()
	at := func(name string) string { return filepath.Join(s.dir, name) }
	cmd := exec.Command(Program(t, "munged", "apt-get install munge"), "--foreground", "--force", "--key-file", at("munge.key"), "--socket", at("munge.sock"),
		"--pid-file", at("munge.pid"), "--log-file", at("munge.log"), "--seed-file", at("munge.seed"), "--num-threads", "4")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	harness.Await(t, func() bool {
		select {
		case <-ended:
			return true
		default:
		}
		c, err := net.Dial("unix", at("munge.sock"))
		if err == nil {
			c.Close()
		}
		return err == nil
	}, func() string { return "munged doesn't answer" })
	select {
	case <-ended:
		t.Fatalf("munged ended: %s", end(log.String()))
	default:
	}
}

// end ends all jobs and waits until none has a process any more: Slurm's own for a job isn't
// the daemon's child, and would outlive it.
func (s *Slurm) end(t testing.TB) {
	_ = s.Command("scancel", "--state=PENDING", "--user=root").Run()
	_ = s.Command("scancel", "--full", "--signal=KILL", "--user=root").Run()
	_ = s.Command("scancel", "--user=root").Run()
	harness.Await(t, func() bool { return s.Says("squeue", "-h") == "" }, func() string { return "jobs don't end: " + s.Says("squeue") })
}

// Command is a command of Slurm's, or one that calls them. Jobs get the environment that it
// has.
func (s *Slurm) Command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SLURM_CONF=" + filepath.Join(s.dir, "slurm.conf")}
	return cmd
}

// Says gives what a command says, its errors too.
func (s *Slurm) Says(name string, args ...string) string {
	out, err := s.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%s: %v: %s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}

// Do runs a command that must succeed, and gives what it prints.
func (s *Slurm) Do(t testing.TB, name string, args ...string) string {
	t.Helper()
	var errs bytes.Buffer
	cmd := s.Command(name, args...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v: %s%s", name, args, err, out, errs.String())
	}
	return strings.TrimSpace(string(out))
}

// Job gives what scontrol tells of a job, such as 7 or 7_3, by name.
func (s *Slurm) Job(t testing.TB, id string) map[string]string {
	t.Helper()
	told := map[string]string{}
	for _, field := range strings.Fields(s.Do(t, "scontrol", "-o", "show", "job", id)) {
		if name, value, ok := strings.Cut(field, "="); ok {
			told[name] = value
		}
	}
	return told
}

// Wait waits until no task of these jobs waits or runs any more.
func (s *Slurm) Wait(t testing.TB, jobs ...string) {
	t.Helper()
	list := strings.Join(jobs, ",")
	harness.Await(t, func() bool { return s.Says("squeue", "-h", "-j", list) == "" }, func() string { return "not ended: " + s.Says("squeue", "-j", list) })
}

// Logs is the end of what the daemons have said.
func (s *Slurm) Logs() (text string) {
	for _, name := range []string{"munge.log", "slurmctld.log", "slurmd.log"} {
		body, _ := os.ReadFile(filepath.Join(s.dir, name))
		text += name + ":\n" + end(string(body))
	}
	return text
}
